/** What a cluster keeps in Redis. Adapters: `RedisClusterStore`, and a simulated one for tests. */

import type { InstanceId, Term } from '../../machines/ports.js';

/** Called exactly once, within the deadline of the store, never before the call has returned. */
export type Answered<T> = (error: Error | undefined, result?: T) => void;

/** What an instance tells about itself with each beat. */
export interface InstanceInfo {
  readonly id: InstanceId;
  /** Where other instances reach it. */
  readonly url: string;
  /** Where pub-sub servers reach it; undefined: each at the address that its own connection shows. */
  readonly serversUrl?: string | undefined;
  readonly version: string;
  /** Version of what instances say to each other. An older one does not lead while a newer one is there. */
  readonly protocol: number;
  readonly viewers: number;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** Null: it does not know, because it asks no server. */
  readonly reachesServers: boolean | null;
}

/** An instance as Redis knows it. */
export interface InstanceRecord extends InstanceInfo {
  /** Whether it would lead. False while it backs off. */
  readonly isCandidate: boolean;
  /** Grows with each beat. An instance is gone if this has not changed for a lease time. */
  readonly beats: number;
  /** Time since its last beat by the clock of Redis, which may jump. At least 0. */
  readonly beatAgoMs: number;
}

/** The lease. A release keeps the record, so its term is never used twice. */
export interface LeaseRecord {
  readonly term: Term;
  /** The leader; undefined: it released the lease, or Redis lost it. */
  readonly instance: InstanceId | undefined;
  /**
   * Redis had no lease: the first beat that saw this left a mark. Its `renewals` are unique, so that a lease
   * that comes and goes between two beats of an observer does not pass unseen.
   */
  readonly isLost: boolean;
  readonly url: string;
  readonly serversUrl?: string | undefined;
  readonly protocol: number;
  /** Grows with each renewal, and with the release. */
  readonly renewals: number;
  /** Whether its pub-sub servers post. */
  readonly isActive: boolean;
}

export interface AcquireAsk {
  readonly info: InstanceInfo;
  /** The record that the asker judged to be free. */
  readonly seen: { readonly term: Term; readonly renewals: number };
  /** The highest term that the asker knows of, 0 if none: Redis may have lost it. */
  readonly highestTerm: Term;
  /** The same request, executed twice, takes the lease once. */
  readonly requestId: string;
}

export type AcquireResult =
  | { readonly taken: LeaseRecord; readonly previous: LeaseRecord | undefined }
  /** The lease is not as it was seen. */
  | { readonly refusedBy: LeaseRecord | undefined };

export interface Beat {
  readonly info: InstanceInfo;
  readonly beats: number;
  readonly isCandidate: boolean;
  /** The highest term that the instance knows of, 0 if none. */
  readonly highestTerm: Term;
  /** What a leader renews. */
  readonly lease?: { readonly term: Term; readonly isActive: boolean } | undefined;
}

export interface BeatResult {
  /**
   * Whether the lease was still the one to renew. False without `lease`, and if any instance knows of a
   * higher term: then Redis has forgotten it.
   */
  readonly isRenewed: boolean;
  /** The highest term that any instance has told, 0 if none. */
  readonly highestTerm: Term;
  readonly lease: LeaseRecord;
  /** All that beat in the last minute, the asking one too. */
  readonly instances: readonly InstanceRecord[];
  readonly inboxLength: number;
}

export interface Release {
  readonly term: Term;
  readonly instance: InstanceId;
  readonly isActive: boolean;
  /**
   * The instance held it when Redis did not renew it: nobody else has led since. If Redis lost the lease, it
   * learns of the term and of its release.
   */
  readonly wasForgotten: boolean;
}

export interface TakeInbox {
  readonly term: Term;
  readonly instance: InstanceId;
  readonly requestId: string;
  /**
   * The last taking that returned entries. Those of a taking that nobody confirms are returned again, and the
   * last ones are kept for the next leader.
   */
  readonly confirmed: string | undefined;
}

/** The last entries of the inbox; older ones are dropped. */
export const maxInboxEntries = 1000;
/** How long the inbox is kept after the last entry. */
export const inboxMs = 24 * 3_600_000;
/** How long Redis remembers an instance after its last beat. */
export const presenceMs = 60_000;

/** Errors: Redis refused, or did not answer in time. Then the request may have been executed, or be later. */
export interface ClusterStore {
  /** Takes the lease if it still is what the asker saw. The new term is above all that Redis and the asker know. */
  acquire(ask: AcquireAsk, done: Answered<AcquireResult>): void;
  /** Tells that the instance is there, renews the lease if it leads, and reads what the others said. */
  beat(beat: Beat, done: Answered<BeatResult>): void;
  /** Gives the lease back, and never the one of a later term. */
  release(lease: Release, done: Answered<void>): void;
  /** The instance has gone. It does not release the lease. */
  leave(instance: InstanceId, done: Answered<void>): void;
  pushInbox(entries: readonly string[], done: Answered<void>): void;
  /** The entries, oldest first; an error unless the instance has the lease of this term. */
  takeInbox(ask: TakeInbox, done: Answered<string[]>): void;
  close(): void;
}
