import {
  addClocks,
  type ClockSets,
  countClocks,
  difference,
  normalizeAll,
} from '../../documents/clockRanges.js';
import type { AddedRanges } from '../../documents/documentProtocol.js';
import { examineUpdate } from '../../documents/updateSummary.js';
import type { ClockRange } from '../../wire/divergence.js';

/** Changes in one state that the channel has not delivered. */
interface Batch {
  readonly sinceMs: number;
  readonly structs: ClockSets;
  readonly deletions: ClockSets;
  /** The changes are not known, so any update may be them. */
  readonly isUnknown: boolean;
}

const maxBatches = 64;
/** Larger updates would block the main loop. They count as the missing ones. */
const maxExaminedBytes = 64 * 1024;
/** How long a change is kept; longer than the room's machine waits for it. */
const keptMs = 3000;

/** Changes that rounds found on servers and that the channel has not delivered so far. */
export class UndeliveredChanges {
  readonly #now: () => number;
  #batches: Batch[] = [];

  /** `now`: milliseconds of a monotonic clock. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  /** Adds the changes of a state; undefined: unknown ones, in a room without a document. */
  add(added: AddedRanges | undefined): void {
    if (added && added.structs.length + added.deletions.length === 0) return;
    this.#batches.push({
      sinceMs: this.#now(),
      structs: setsOf(added?.structs ?? []),
      deletions: setsOf(added?.deletions ?? []),
      isUnknown: added === undefined,
    });
    if (this.#batches.length > maxBatches) this.#batches.shift();
  }

  /** Removes what an update of the channel delivers. Returns whether it delivered any missing change. */
  deliver(update: Uint8Array): boolean {
    if (this.isEmpty) return false;
    const before = sizeOf(this.#batches);
    const delivered = examined(update);
    this.#batches = this.#batches.flatMap((batch) => {
      if (batch.isUnknown || !delivered) return [];
      const structs = difference(batch.structs, delivered.structs);
      const deletions = difference(batch.deletions, delivered.deletions);
      return structs.size + deletions.size > 0 ? [{ ...batch, structs, deletions }] : [];
    });
    return sizeOf(this.#batches) !== before;
  }

  /** Forgets changes that are no longer waited for. */
  dropOld(): void {
    const until = this.#now() - keptMs;
    this.#batches = this.#batches.filter(({ sinceMs }) => sinceMs > until);
  }

  clear(): void {
    this.#batches = [];
  }
}

/** Undefined: the update is large, or cannot be described. */
function examined(update: Uint8Array) {
  if (update.length > maxExaminedBytes) return undefined;
  try {
    const { structs, deletions } = examineUpdate(update);
    return { structs: normalizeAll(structs), deletions: normalizeAll(deletions) };
  } catch {
    return undefined;
  }
}

function setsOf(ranges: readonly ClockRange[]): ClockSets {
  const sets: ClockSets = new Map();
  for (const { client, from, to } of ranges) addClocks(sets, client, from, to);
  return normalizeAll(sets);
}

/** A number that falls with every delivered change. */
function sizeOf(batches: readonly Batch[]): number {
  let size = 0;
  for (const { structs, deletions, isUnknown } of batches)
    size += isUnknown ? 1 : countClocks(structs) + countClocks(deletions);
  return size;
}
