/** Clocks `from` (inclusive) to `to` (exclusive) of one Yjs client. */
export interface ClockRange {
  readonly client: number;
  readonly from: number;
  readonly to: number;
}

/** What a server lacks: elements and deletions. Lists the first 50 ranges of each and counts all clocks. */
export interface MissingRanges {
  readonly structs: readonly ClockRange[];
  readonly missingStructs: number;
  readonly deletions: readonly ClockRange[];
  readonly missingDeletions: number;
}

/**
 * How one server differs from what all servers of its room hold together. `structs`: elements that it
 * lacks. `deletions`: elements that it has and that others have deleted.
 */
export interface Divergence extends MissingRanges {
  readonly server: string;
  /** Elements that differ from those shown under the same clocks; the first 50 ranges. */
  readonly conflicts: readonly ClockRange[];
  readonly conflictingStructs: number;
}
