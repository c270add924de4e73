import * as Y from 'yjs';
import type { SharedType } from '../../documents/sharedTypes.js';

/** A range of clocks of one client, inserted by one change. */
interface Inserted {
  readonly change: number;
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
}

interface Touched {
  readonly change: number;
  readonly atMs: number;
  /** Only something inside the type changed, not the type itself. */
  readonly isInside: boolean;
}

/** A part of an item, and the recent change that inserted it; undefined: no recent one. */
export interface Stretch {
  readonly length: number;
  readonly change: number | undefined;
}

/** How long a change counts as recent. */
export const recentMs = 2500;
/** Above this number, further insertions are not highlighted. */
const maxRanges = 2000;

/** Recent changes of a document: inserted ranges, to the character, and touched types. */
export class RecentChanges {
  readonly #now: () => number;
  readonly #inserted = new Map<number, Inserted[]>();
  readonly #touched = new Map<unknown, Touched>();
  #ranges = 0;
  #change = 0;

  /** `now`: milliseconds of a monotonic clock. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Notes the changes of a transaction. */
  record(transaction: Y.Transaction): void {
    if (transaction.changed.size === 0) return;
    this.#change += 1;
    this.recordGrowth(transaction.beforeState, transaction.afterState);
    // Second, because a type's own change is more specific than one inside it.
    for (const type of transaction.changed.keys()) this.#touchAround(type);
    for (const type of transaction.changed.keys()) this.#touch(type, false);
  }

  /** Notes the elements between two state vectors as inserted. */
  recordGrowth(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): void {
    for (const [client, to] of after) {
      const from = before.get(client) ?? 0;
      if (to <= from || this.#ranges >= maxRanges) continue;
      const ranges = this.#inserted.get(client) ?? [];
      ranges.push({ change: this.#change, atMs: this.#now(), from, to });
      this.#inserted.set(client, ranges);
      this.#ranges += 1;
    }
  }

  /** Forgets expired changes. Returns whether there were any. */
  expire(): boolean {
    const oldestMs = this.#now() - recentMs;
    let expired = 0;
    for (const [client, ranges] of this.#inserted) {
      const kept = ranges.filter(({ atMs }) => atMs > oldestMs);
      expired += ranges.length - kept.length;
      if (kept.length > 0) this.#inserted.set(client, kept);
      else this.#inserted.delete(client);
    }
    this.#ranges -= expired;
    for (const [type, { atMs }] of this.#touched) {
      if (atMs > oldestMs) continue;
      this.#touched.delete(type);
      expired += 1;
    }
    return expired > 0;
  }

  get isEmpty(): boolean {
    return this.#ranges === 0 && this.#touched.size === 0;
  }

  /** The recent change that inserted the element at this offset of an item. */
  of({ id }: Y.Item, offset = 0): number | undefined {
    const clock = id.clock + offset;
    return this.#inserted.get(id.client)?.find(({ from, to }) => from <= clock && clock < to)
      ?.change;
  }

  /** The last recent change that touched a type. */
  touching(type: SharedType): Touched | undefined {
    return this.#touched.get(type);
  }

  /** The elements of an item in order, split where changes begin and end. */
  stretchesOf(item: Y.Item): Stretch[] {
    const { clock } = item.id;
    const end = clock + item.length;
    const stretches: Stretch[] = [];
    let at = clock;
    const add = (to: number, change: number | undefined) => {
      if (to > at) stretches.push({ length: to - at, change });
      at = Math.max(at, to);
    };
    for (const { from, to, change } of this.#rangesOf(item)) {
      add(Math.min(from, end), undefined);
      add(Math.min(to, end), change);
    }
    add(end, undefined);
    return stretches;
  }

  #rangesOf({ id, length }: Y.Item): Inserted[] {
    const all = this.#inserted.get(id.client) ?? [];
    return all
      .filter(({ from, to }) => from < id.clock + length && to > id.clock)
      .sort((one, other) => one.from - other.from);
  }

  #touchAround(type: unknown): void {
    let parent = parentOf(type);
    while (parent !== undefined && !this.#isTouchedNow(parent)) {
      this.#touch(parent, true);
      parent = parentOf(parent);
    }
  }

  #isTouchedNow(type: unknown): boolean {
    return this.#touched.get(type)?.change === this.#change;
  }

  #touch(type: unknown, isInside: boolean): void {
    this.#touched.set(type, { change: this.#change, atMs: this.#now(), isInside });
  }
}

function parentOf(type: unknown): unknown {
  const item = type instanceof Y.AbstractType ? type._item : null;
  return item?.parent instanceof Y.AbstractType ? item.parent : undefined;
}
