import {
  type AcquireAsk,
  type AcquireResult,
  type Beat,
  type BeatResult,
  inboxMs,
  type LeaseRecord,
  maxInboxEntries,
  presenceMs,
  type Release,
  type TakeInbox,
} from '../../server/cluster/clusterStore.js';

interface Lease {
  record: LeaseRecord;
  requestId: string;
  previous: LeaseRecord | undefined;
  taking: string | undefined;
}

/** What Redis holds, and what a backup or a replica has of it. Never changed in place. */
interface Keys {
  readonly lease?: Lease | undefined;
  /** The highest term that an instance has told. In the same key as the lease. */
  readonly highestTerm: number;
  readonly instances: ReadonlyMap<string, { beat: Beat; atMs: number }>;
  readonly inbox: readonly string[];
  readonly taken: readonly string[];
  readonly inboxUntilMs: number;
  readonly takenUntilMs: number;
}

const noKeys: Keys = {
  highestTerm: 0,
  instances: new Map(),
  inbox: [],
  taken: [],
  inboxUntilMs: 0,
  takenUntilMs: 0,
};

const noLeader = {
  instance: undefined,
  isLost: false,
  isActive: false,
  url: '',
  serversUrl: undefined,
  protocol: 0,
};

/**
 * What the scripts of server/cluster/scripts do, synchronously, in memory. One for all instances of a test,
 * each of which has a `SimulatedClusterStore`. Its owner makes its faults.
 */
export class SimulatedRedis {
  readonly #nowMs: () => number;
  #keys = noKeys;
  #saved = noKeys;
  #marks = 0;
  /** Added to its clock, which is the only one that scripts read. */
  timeOffsetMs = 0;
  /** Connections are refused. */
  isDown = false;

  /** `nowMs`: milliseconds since 1970. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Restarted without a backup. */
  loseKeys(): void {
    this.#keys = noKeys;
  }

  /** What a replica has, until it is called again. */
  replicate(): void {
    this.#saved = this.#keys;
  }

  /** A replica takes over: what came after the last `replicate` is lost. */
  loseTail(): void {
    this.#keys = this.#saved;
  }

  /** One key is evicted, as with another policy than `noeviction`. */
  evict(key: 'lease' | 'instances' | 'inbox' | 'taken'): void {
    const highestTerm = key === 'lease' ? 0 : this.#keys.highestTerm;
    this.#keys = { ...this.#keys, highestTerm, [key]: noKeys[key] };
  }

  /** The lease as it is, for a test to look at. */
  get lease(): LeaseRecord | undefined {
    return this.#keys.lease?.record;
  }

  get timeMs(): number {
    return Math.floor(this.#nowMs() + this.timeOffsetMs);
  }

  acquire({ info, seen, highestTerm, requestId }: AcquireAsk): AcquireResult {
    const held = this.#keys.lease;
    const now = held?.record;
    if (held && now?.instance === info.id && held.requestId === requestId)
      return { taken: held.record, previous: held.previous };
    if (!now || now.term !== seen.term || now.renewals !== seen.renewals) return { refusedBy: now };
    const { id: instance, url, serversUrl, protocol } = info;
    const known = Math.max(now.term, this.#keys.highestTerm, highestTerm);
    const term = Math.max(known + 1, this.timeMs);
    const about = { instance, url, serversUrl, protocol, isActive: now.isActive };
    const record = { ...about, term, renewals: 1, isLost: false };
    const { taking } = held ?? {};
    this.#set({ lease: { record, requestId, previous: now, taking } });
    return { taken: record, previous: now };
  }

  beat(beat: Beat): BeatResult {
    const { info, lease } = beat;
    const highestTerm = Math.max(beat.highestTerm, this.#keys.highestTerm);
    if (highestTerm !== this.#keys.highestTerm) this.#set({ highestTerm });
    const mark = { ...noLeader, isLost: true, renewals: this.#mark, term: highestTerm };
    const held = this.#keys.lease ?? this.#setRecord(mark);
    const isRenewed =
      lease !== undefined &&
      held.record.term === lease.term &&
      held.record.instance === info.id &&
      lease.term >= highestTerm;
    if (isRenewed)
      this.#change(held, { renewals: held.record.renewals + 1, isActive: lease.isActive });
    this.#setPresence(beat);
    return {
      isRenewed,
      lease: this.lease ?? held.record,
      instances: this.#instances(),
      inboxLength: this.#live.inbox.length,
      highestTerm,
    };
  }

  release({ term, instance, isActive, wasForgotten }: Release): void {
    const held = this.#keys.lease;
    const { record } = held ?? {};
    if (held && record?.term === term && record.instance === instance)
      this.#change(held, { instance: undefined, isActive, renewals: held.record.renewals + 1 });
    else if (
      wasForgotten &&
      (!record || record.term < term || (record.term === term && record.isLost))
    )
      this.#setRecord({ ...noLeader, isActive, term, renewals: 1 });
  }

  leave(instance: string): void {
    const instances = new Map(this.#keys.instances);
    instances.delete(instance);
    this.#set({ instances });
  }

  pushInbox(entries: readonly string[]): void {
    const inbox = [...this.#live.inbox, ...entries].slice(-maxInboxEntries);
    this.#set({ inbox, inboxUntilMs: this.timeMs + inboxMs });
  }

  /** Throws unless the instance has the lease of this term. */
  takeInbox({ term, instance, requestId, confirmed }: TakeInbox): string[] {
    const held = this.#keys.lease;
    if (!held || held.record.term !== term || held.record.instance !== instance)
      throw new Error('NOTLEADER another instance has the lease');
    const { inbox, taken: last } = this.#live;
    if (held.taking === requestId) return [...last];
    const isConfirmed = held.taking !== undefined && held.taking === confirmed;
    if (isConfirmed && inbox.length === 0) return [];
    const open = isConfirmed ? [] : last;
    const taken = [...open, ...inbox].slice(-maxInboxEntries);
    const takenUntilMs = inbox.length > 0 ? this.timeMs + inboxMs : this.#keys.takenUntilMs;
    this.#set({ taken, takenUntilMs, inbox: [], lease: { ...held, taking: requestId } });
    return [...taken];
  }

  /** The lists that have not expired. */
  get #live(): { inbox: readonly string[]; taken: readonly string[] } {
    const { inbox, inboxUntilMs, taken, takenUntilMs } = this.#keys;
    return {
      inbox: this.timeMs < inboxUntilMs ? inbox : [],
      taken: this.timeMs < takenUntilMs ? taken : [],
    };
  }

  #instances(): BeatResult['instances'] {
    const nowMs = this.timeMs;
    return Array.from(
      this.#keys.instances.values(),
      ({ beat: { info, beats, isCandidate }, atMs }) => ({
        ...info,
        beats,
        isCandidate,
        beatAgoMs: Math.max(0, nowMs - atMs),
      }),
    );
  }

  #setPresence(beat: Beat): void {
    const atMs = this.timeMs;
    const instances = new Map(this.#keys.instances);
    for (const [id, other] of instances) if (atMs - other.atMs > presenceMs) instances.delete(id);
    this.#set({ instances: instances.set(beat.info.id, { beat, atMs }) });
  }

  /** Unique, as microseconds are. */
  get #mark(): number {
    this.#marks += 1;
    return this.timeMs * 1000 + this.#marks;
  }

  #setRecord(record: LeaseRecord): Lease {
    const { taking } = this.#keys.lease ?? {};
    const lease = { record, requestId: '', previous: undefined, taking };
    this.#set({ lease });
    return lease;
  }

  #change(held: Lease, change: Partial<LeaseRecord>): void {
    this.#set({ lease: { ...held, record: { ...held.record, ...change } } });
  }

  #set(change: Partial<Keys>): void {
    this.#keys = { ...this.#keys, ...change };
  }
}
