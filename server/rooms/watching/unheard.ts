import { addClocks, type ClockSets, normalize, subtract } from '../../documents/clockRanges.js';
import type { AddedRanges } from '../../documents/documentProtocol.js';
import { examineUpdate } from '../../documents/updateSummary.js';
import type { ClockRange } from '../../wire/divergence.js';

/** What one state brought that the channel has not. */
interface Batch {
  readonly sinceMs: number;
  readonly structs: ClockSets;
  readonly deletions: ClockSets;
  /** What it is is not known: any update may be it. */
  readonly isUnknown: boolean;
}

const maxBatches = 64;
/** Larger updates would hold up the main loop: they count as what was missed. */
const maxExaminedBytes = 64 * 1024;
/** After that nobody waits for it any longer; longer than the room's machine grants it. */
const keptMs = 3000;

/** What servers were found to have that no message of the channel has brought so far. */
export class Unheard {
  readonly #now: () => number;
  #batches: Batch[] = [];

  /** `now`: milliseconds of any clock that only grows. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  /** Takes what a state brought; undefined: something, in a room that has no document. */
  add(news: AddedRanges | undefined): void {
    if (news && news.structs.length + news.deletions.length === 0) return;
    this.#batches.push({
      sinceMs: this.#now(),
      structs: setsOf(news?.structs ?? []),
      deletions: setsOf(news?.deletions ?? []),
      isUnknown: news === undefined,
    });
    if (this.#batches.length > maxBatches) this.#batches.shift();
  }

  /** Takes a message of the channel; answers whether it brought something of what was missed. */
  hear(update: Uint8Array): boolean {
    if (this.isEmpty) return false;
    const before = sizeOf(this.#batches);
    const heard = examined(update);
    this.#batches = this.#batches.flatMap((batch) => {
      if (batch.isUnknown || !heard) return [];
      const structs = without(batch.structs, heard.structs);
      const deletions = without(batch.deletions, heard.deletions);
      return structs.size + deletions.size > 0 ? [{ ...batch, structs, deletions }] : [];
    });
    return sizeOf(this.#batches) !== before;
  }

  /** Forgets what nobody waits for any longer. */
  dropOld(): void {
    const until = this.#now() - keptMs;
    this.#batches = this.#batches.filter(({ sinceMs }) => sinceMs > until);
  }

  clear(): void {
    this.#batches = [];
  }
}

/** Undefined: it is large, or cannot be described. */
function examined(update: Uint8Array) {
  if (update.length > maxExaminedBytes) return undefined;
  try {
    return examineUpdate(update);
  } catch {
    return undefined;
  }
}

function setsOf(ranges: readonly ClockRange[]): ClockSets {
  const sets: ClockSets = new Map();
  for (const { client, from, to } of ranges) addClocks(sets, client, from, to);
  for (const [client, flat] of sets) sets.set(client, normalize(flat));
  return sets;
}

function without(missed: ClockSets, heard: ClockSets): ClockSets {
  const rest: ClockSets = new Map();
  for (const [client, flat] of missed) {
    const left = subtract(flat, normalize(heard.get(client) ?? []));
    if (left.length > 0) rest.set(client, left);
  }
  return rest;
}

/** Grows less with whatever is heard. */
function sizeOf(batches: readonly Batch[]): number {
  let size = 0;
  for (const { structs, deletions, isUnknown } of batches) {
    size += isUnknown ? 1 : 0;
    for (const sets of [structs, deletions])
      for (const flat of sets.values())
        for (let i = 0; i < flat.length; i += 2) size += (flat[i + 1] ?? 0) - (flat[i] ?? 0);
  }
  return size;
}
