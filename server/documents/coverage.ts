import * as Y from 'yjs';
import type { MissingRanges } from '../wire/divergence.js';
import {
  addClocks,
  type ClockSets,
  countClocks,
  difference,
  listRanges,
  normalizeAll,
  subtract,
} from './clockRanges.js';
import { ContentConflicts } from './contentConflicts.js';
import { BadUpdate } from './documentErrors.js';
import { emptyDocument, readByYjs } from './scratchDocument.js';
import { type Reference, readUpdate } from './updateReader.js';
import { withoutEmpty } from './withoutEmpty.js';

/** The elements and deletions in one server's state of a room. A state vector would not tell the deletions. */
export interface Coverage {
  readonly structs: ClockSets;
  readonly deletions: ClockSets;
  /** Elements that differ from those that the room's document has under the same clocks. */
  readonly conflicts?: ClockSets;
}

/** Ranges listed in an answer; the rest is only counted. */
export const maxListed = 50;

/** What one state holds. `waiting`: what is missing before its server can apply the updates that it keeps back. */
export interface ParsedState {
  readonly coverage: Coverage;
  readonly waiting: MissingRanges | undefined;
  /** Whether the state has structs or deletions of length 0: see `withoutEmpty`. */
  readonly hasEmpty: boolean;
}

/** A state that is safe to merge into a document, and what it holds. */
export interface SafeState extends Omit<ParsedState, 'hasEmpty'> {
  readonly state: Uint8Array;
}

/** Reads a whole state (one update), and compares it with a document if one is given. Throws `BadUpdate`. */
export function readState(state: Uint8Array, doc?: Y.Doc): ParsedState {
  const conflicts =
    doc && doc.store.clients.size > 0 ? new ContentConflicts(doc, state) : undefined;
  const structs: ClockSets = new Map();
  const deletions: ClockSets = new Map();
  // The highest clock of each client that an element of another client refers to.
  const referred = new Map<number, number>();
  const refer = (from: number, to: Reference | undefined) => {
    if (to === undefined || to.client === from) return;
    if (to.clock > (referred.get(to.client) ?? -1)) referred.set(to.client, to.clock);
  };
  const { hasEmpty } = readUpdate(state, {
    struct: (client, clock, length, kind, head) => {
      if (kind === 'gap') return;
      addClocks(structs, client, clock, clock + length);
      // A collected element is in the delete set too, except while it waits for what it depends on.
      if (kind === 'deleted') addClocks(deletions, client, clock, clock + length);
      if (head === undefined) return;
      if (kind !== 'deleted') conflicts?.compare(client, clock, length, head);
      refer(client, head.origin);
      refer(client, head.rightOrigin);
      refer(client, head.parent);
    },
    deletion: (client, clock, length) => addClocks(deletions, client, clock, clock + length),
  });
  const held = { structs: normalizeAll(structs), deletions: normalizeAll(deletions) };
  const coverage = conflicts ? { ...held, conflicts: normalizeAll(conflicts.found) } : held;
  return { coverage, waiting: waitingOf(coverage, referred), hasEmpty };
}

/** Reads a state as `readState` does, and rewrites it if Yjs would fail on it later. Throws `BadUpdate`. */
export function readSafely(state: Uint8Array, doc?: Y.Doc): SafeState {
  try {
    const { hasEmpty, ...parsed } = readState(state, doc);
    return { ...parsed, state: hasEmpty ? withoutEmpty(state) : state };
  } catch (refusal) {
    if (!(refusal instanceof BadUpdate)) throw refusal;
    return readRewritten(readByYjs(state, refusal, true), doc);
  }
}

function readRewritten(state: Uint8Array, known?: Y.Doc): SafeState {
  try {
    return { ...readState(state, known), state };
  } catch {
    const doc = emptyDocument();
    Y.applyUpdate(doc, state);
    return { coverage: coverageOf(doc), waiting: undefined, state };
  }
}

/** What a document holds, without the updates that wait in it. */
function coverageOf({ store }: Y.Doc): Coverage {
  const structs: ClockSets = new Map();
  const deletions: ClockSets = new Map();
  for (const [client, held] of store.clients) {
    for (const { id, length, deleted } of held) {
      if (length === 0) continue;
      addClocks(structs, client, id.clock, id.clock + length);
      if (deleted) addClocks(deletions, client, id.clock, id.clock + length);
    }
  }
  return { structs, deletions };
}

/** The first missing ranges, and how many clocks are missing in all. */
export function missingRanges(structs: ClockSets, deletions: ClockSets): MissingRanges {
  return {
    structs: listRanges(structs, maxListed).ranges,
    missingStructs: countClocks(structs),
    deletions: listRanges(deletions, maxListed).ranges,
    missingDeletions: countClocks(deletions),
  };
}

/** A server has the clocks of a client without a gap from 0 on, unless updates wait for those in between. */
function waitingOf(
  { structs, deletions }: Coverage,
  referred: ReadonlyMap<number, number>,
): MissingRanges | undefined {
  const missing: ClockSets = new Map();
  for (const client of new Set([...structs.keys(), ...referred.keys()])) {
    const held = structs.get(client) ?? [];
    const end = Math.max(held.at(-1) ?? 0, (referred.get(client) ?? -1) + 1);
    const gaps = subtract([0, end], held);
    if (gaps.length > 0) missing.set(client, gaps);
  }
  const unappliedDeletions = difference(deletions, structs);
  return missing.size === 0 && unappliedDeletions.size === 0
    ? undefined
    : missingRanges(missing, unappliedDeletions);
}
