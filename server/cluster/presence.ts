import type { InstanceId } from '../../machines/ports.js';
import { type InstanceInfo, type InstanceRecord, presenceMs } from './clusterStore.js';

/** An instance, as this one knows it. */
export interface InstanceStatus extends InstanceInfo {
  readonly isCandidate: boolean;
  /** Since its last beat was seen, by the clock of this instance. */
  readonly beatAgoMs: number;
  /** False: it has not beaten for a lease time. */
  readonly isThere: boolean;
}

interface Seen {
  readonly record: InstanceRecord;
  readonly atMs: number;
}

/** The instances of the cluster. An instance is there while the counter of its beats grows. */
export class Presence {
  readonly #leaseMs: number;
  #seen = new Map<InstanceId, Seen>();

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  /** Notes the instances that Redis knows. `nowMs`: the monotonic time of the answer. */
  observe(records: readonly InstanceRecord[], nowMs: number): void {
    const entries = records.map((record) => [record.id, this.#toSeen(record, nowMs)] as const);
    this.#seen = new Map(entries);
  }

  list(nowMs: number): InstanceStatus[] {
    return [...this.#seen.values()].map(({ record: { beats: _, ...info }, atMs }) => {
      const beatAgoMs = Math.max(0, nowMs - atMs);
      return { ...info, beatAgoMs, isThere: beatAgoMs < this.#leaseMs };
    });
  }

  #toSeen(record: InstanceRecord, nowMs: number): Seen {
    const known = this.#seen.get(record.id);
    if (known?.record.beats === record.beats) return { record, atMs: known.atMs };
    // The clock of Redis may have jumped, but for an instance that is seen first there is nothing else.
    return { record, atMs: known ? nowMs : nowMs - Math.min(record.beatAgoMs, presenceMs) };
  }
}
