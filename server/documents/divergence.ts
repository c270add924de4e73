import type { Divergence } from '../wire/divergence.js';
import { countClocks, difference, listRanges, union } from './clockRanges.js';
import { type Coverage, maxListed, missingRanges } from './coverage.js';

/** Finds the servers of a room that differ from the others; `[]` if all hold the same. Sorted by server. */
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
      ...missingRanges(structs, deletions),
      conflicts: listRanges(conflicts, maxListed).ranges,
      conflictingStructs: countClocks(conflicts),
    });
  }
  return found;
}
