import {
  addClocks,
  type ClockRange,
  type ClockSets,
  countClocks,
  listRanges,
  normalize,
  subtract,
} from './clockRanges.js';
import { readUpdate } from './updateReader.js';

/** What one server's state of a room holds: elements, and deletions (a state vector alone misses these). */
export type Coverage = { readonly structs: ClockSets; readonly deletions: ClockSets };

/** What one server misses of what the servers of its room hold together. */
export type Divergence = {
  readonly server: string;
  /** Elements that it does not have; the first 50 ranges. */
  readonly structs: readonly ClockRange[];
  readonly missingStructs: number;
  /** Elements that are deleted elsewhere and not here, those that it does not have aside; the first 50 ranges. */
  readonly deletions: readonly ClockRange[];
  readonly missingDeletions: number;
};

const maxListed = 50;

const normalizeAll = (sets: ClockSets): ClockSets => {
  for (const [client, flat] of sets) sets.set(client, normalize(flat));
  return sets;
};

/** Reads what a whole state (one update) holds. Throws `BadUpdate`. */
export const readCoverage = (state: Uint8Array): Coverage => {
  const structs: ClockSets = new Map();
  const deletions: ClockSets = new Map();
  readUpdate(state, {
    struct: (client, clock, length, kind) => {
      if (kind === 'gap') return;
      addClocks(structs, client, clock, clock + length);
      // A collected element is in the delete set as well, but not when it waits for what it depends on.
      if (kind === 'deleted') addClocks(deletions, client, clock, clock + length);
    },
    deletion: (client, clock, length) => addClocks(deletions, client, clock, clock + length),
  });
  return { structs: normalizeAll(structs), deletions: normalizeAll(deletions) };
};

const union = (all: readonly ClockSets[]): ClockSets => {
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
};

const difference = (all: ClockSets, own: ClockSets): ClockSets => {
  const result: ClockSets = new Map();
  for (const [client, flat] of all) {
    const missing = subtract(flat, own.get(client) ?? []);
    if (missing.length > 0) result.set(client, missing);
  }
  return result;
};

/** Which servers of a room miss what of the others; `[]` when all hold the same. Sorted by server. */
export const compareCoverage = (servers: ReadonlyMap<string, Coverage>): Divergence[] => {
  const coverages = [...servers.values()];
  const allStructs = union(coverages.map(({ structs }) => structs));
  const allDeletions = union(coverages.map(({ deletions }) => deletions));
  const found: Divergence[] = [];
  for (const server of [...servers.keys()].sort()) {
    const own = servers.get(server);
    if (own === undefined) continue;
    const structs = difference(allStructs, own.structs);
    const deletions = difference(difference(allDeletions, own.deletions), structs);
    if (structs.size === 0 && deletions.size === 0) continue;
    found.push({
      server,
      structs: listRanges(structs, maxListed).ranges,
      missingStructs: countClocks(structs),
      deletions: listRanges(deletions, maxListed).ranges,
      missingDeletions: countClocks(deletions),
    });
  }
  return found;
};

/** Compares whole states by server: see `compareCoverage`. Throws `BadUpdate`. */
export const compareStates = (states: ReadonlyMap<string, Uint8Array>): Divergence[] =>
  compareCoverage(new Map([...states].map(([server, state]) => [server, readCoverage(state)])));
