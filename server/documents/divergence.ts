import type * as Y from 'yjs';
import type { Divergence, Lacking } from '../wire/divergence.js';
import {
  addClocks,
  type ClockSets,
  countClocks,
  listRanges,
  normalize,
  subtract,
} from './clockRanges.js';
import { ContentConflicts } from './contentConflicts.js';
import { type Reference, readUpdate } from './updateReader.js';

/** What one server's state of a room holds: elements, and deletions (a state vector alone misses these). */
export interface Coverage {
  readonly structs: ClockSets;
  readonly deletions: ClockSets;
  /** Elements of it that are others than those that the room's document has under the same clocks. */
  readonly conflicts?: ClockSets;
}

const maxListed = 50;

function normalizeAll(sets: ClockSets): ClockSets {
  for (const [client, flat] of sets) sets.set(client, normalize(flat));
  return sets;
}

/** What one state holds, and what it waits for: its server has updates that it could not apply. */
export interface StateReading {
  readonly coverage: Coverage;
  readonly waiting: Lacking | undefined;
  /** Whether something in it has no length: see `withoutEmpty`. */
  readonly hasEmpty: boolean;
}

/**
 * Reads what a whole state (one update) holds, compared with a document that has some of it already. Throws
 * `BadUpdate`.
 */
export function readState(state: Uint8Array, doc?: Y.Doc): StateReading {
  const conflicts =
    doc && doc.store.clients.size > 0 ? new ContentConflicts(doc, state) : undefined;
  const structs: ClockSets = new Map();
  const deletions: ClockSets = new Map();
  // The highest clock of each client that an element of another one refers to.
  const referred = new Map<number, number>();
  const refer = (from: number, to: Reference | undefined) => {
    if (to === undefined || to.client === from) return;
    if (to.clock > (referred.get(to.client) ?? -1)) referred.set(to.client, to.clock);
  };
  const { hasEmpty } = readUpdate(state, {
    struct: (client, clock, length, kind, head) => {
      if (kind === 'gap') return;
      addClocks(structs, client, clock, clock + length);
      // A collected element is in the delete set as well, but not when it waits for what it depends on.
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

/** The same without what it waits for. Throws `BadUpdate`. */
export function readCoverage(state: Uint8Array): Coverage {
  return readState(state).coverage;
}

/** What a document holds, but for what waits in it. */
export function coverageOf({ store }: Y.Doc): Coverage {
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

const lacking = (structs: ClockSets, deletions: ClockSets): Lacking => ({
  structs: listRanges(structs, maxListed).ranges,
  missingStructs: countClocks(structs),
  deletions: listRanges(deletions, maxListed).ranges,
  missingDeletions: countClocks(deletions),
});

// A server has a client's clocks from 0 on without a gap, unless updates wait for those between.
function waitingOf(
  { structs, deletions }: Coverage,
  referred: ReadonlyMap<number, number>,
): Lacking | undefined {
  const missing: ClockSets = new Map();
  for (const client of new Set([...structs.keys(), ...referred.keys()])) {
    const held = structs.get(client) ?? [];
    const end = Math.max(held.at(-1) ?? 0, (referred.get(client) ?? -1) + 1);
    const gaps = subtract([0, end], held);
    if (gaps.length > 0) missing.set(client, gaps);
  }
  const undone = difference(deletions, structs);
  return missing.size === 0 && undone.size === 0 ? undefined : lacking(missing, undone);
}

function union(all: readonly ClockSets[]): ClockSets {
  const result: ClockSets = new Map();
  for (const sets of all) {
    for (const [client, flat] of sets) {
      const known = result.get(client);
      // A copy of the first; most states are equal, and then nothing is sorted.
      if (known === undefined) result.set(client, [...flat]);
      else if (subtract(flat, known).length > 0) result.set(client, normalize([...known, ...flat]));
    }
  }
  return result;
}

function difference(all: ClockSets, own: ClockSets): ClockSets {
  const result: ClockSets = new Map();
  for (const [client, flat] of all) {
    const missing = subtract(flat, own.get(client) ?? []);
    if (missing.length > 0) result.set(client, missing);
  }
  return result;
}

/** Which servers of a room differ from the others, and in what; `[]` when all hold the same. Sorted by server. */
export function compareCoverage(servers: ReadonlyMap<string, Coverage>): Divergence[] {
  const coverages = [...servers.values()];
  const allStructs = union(coverages.map(({ structs }) => structs));
  const allDeletions = union(coverages.map(({ deletions }) => deletions));
  const found: Divergence[] = [];
  for (const server of [...servers.keys()].sort()) {
    const own = servers.get(server);
    if (own === undefined) continue;
    const structs = difference(allStructs, own.structs);
    const deletions = difference(difference(allDeletions, own.deletions), structs);
    const conflicts = difference(own.conflicts ?? new Map(), allDeletions);
    if (structs.size === 0 && deletions.size === 0 && conflicts.size === 0) continue;
    found.push({
      server,
      ...lacking(structs, deletions),
      conflicts: listRanges(conflicts, maxListed).ranges,
      conflictingStructs: countClocks(conflicts),
    });
  }
  return found;
}

/** Compares whole states by server: see `compareCoverage`. Throws `BadUpdate`. */
export function compareStates(states: ReadonlyMap<string, Uint8Array>): Divergence[] {
  return compareCoverage(
    new Map([...states].map(([server, state]) => [server, readCoverage(state)])),
  );
}
