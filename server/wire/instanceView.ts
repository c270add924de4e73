/**
 * What an instance does. `alone`: there is no cluster. `isolated`: it does not reach Redis. `gone`: it no
 * longer tells the others that it runs.
 */
export type InstanceRole = 'alone' | 'leading' | 'following' | 'isolated' | 'gone';

/** One instance of this service, in the answer of `GET /api/instances`. */
export interface InstanceView {
  /** Random for each run. */
  id: string;
  role: InstanceRole;
  /** Number of its leadership, which later leaders exceed; null: it does not lead. */
  term: number | null;
  /** Where other instances reach it. */
  url: string;
  version: string;
  /** Its open event streams of live counts. */
  viewers: number;
  /** When it was started; ISO 8601. */
  since: string;
  /** Milliseconds since it last told the others that it runs; null: not known. */
  lagMs: number | null;
}
