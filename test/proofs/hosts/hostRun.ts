/** A long random run against one real server. */
export interface HostRunOptions {
  readonly operations: number;
  readonly seed: number;
}

/** What a run did and found. */
export interface HostRunFigures {
  readonly host: string;
  readonly seed: number;
  readonly operations: number;
  /** Quiet moments at which the counts were compared. */
  readonly checks: number;
  /** Counts of rooms that were compared. */
  readonly counts?: number;
  /** Documents that were compared. */
  readonly states: number;
  /** Each difference between the service and the server. */
  readonly differences: readonly string[];
  /**
   * Snapshots that the service took while it was watched throughout: each could have healed a wrong count.
   * Absent: nothing is watched throughout.
   */
  readonly snapshots?: readonly string[];
  /** Rejections in the server that no fault of the run caused. */
  readonly rejections: readonly string[];
  /** How often each operation was done. */
  readonly kinds: Readonly<Record<string, number>>;
}
