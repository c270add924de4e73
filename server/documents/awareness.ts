import { BoundedMap } from '../boundedMap.js';
import { type AwarenessEntry, readAwarenessUpdate } from './awarenessUpdate.js';

/** Why the state of a client is not shown: it is too large, or nested too deep. */
export type Omission = 'too_large' | 'too_deep';

/** A client in the room. `json`: its awareness state; undefined: the state is left out. */
export interface AwarenessClient {
  readonly client: number;
  readonly clock: number;
  readonly json: string | undefined;
  /** When it was first heard of since it last left, in milliseconds of the clock of its updates. */
  readonly since: number;
  readonly omitted?: Omission;
  /** Size of the state as JSON in UTF-8. */
  readonly bytes: number;
}

/** Changes since the last call: clients that joined or changed, and clients that left. */
export interface AwarenessChanges {
  readonly clients: readonly AwarenessClient[];
  readonly gone: readonly number[];
}

export interface AwarenessLimits {
  /** A client that sends nothing for this long is removed; default 30 s, as `outdatedTimeout` of y-protocols. */
  readonly timeoutMs?: number;
  /** Clients that are shown, and clocks of clients that left; default 1,000 of each. */
  readonly maxClients?: number;
  /** More clients than that are only counted, up to this number; default 10,000. */
  readonly maxCounted?: number;
  /** Largest state that is shown, in bytes of JSON; default 64 KiB. */
  readonly maxStateBytes?: number;
  /** Bytes of JSON of all shown states together; default 1 MiB. */
  readonly maxBytes?: number;
}

interface Shown extends AwarenessClient {
  readonly renewedAt: number;
}
interface Counted {
  readonly clock: number;
  readonly since: number;
  readonly renewedAt: number;
}

const isSame = (one: AwarenessClient | undefined, other: AwarenessClient | undefined): boolean =>
  one?.json === other?.json && one?.omitted === other?.omitted && one?.bytes === other?.bytes;

/**
 * The clients in a room, read from the awareness updates of its `-presence` channel (`encodeAwarenessUpdate` of
 * y-protocols/awareness). It never announces itself. Times are milliseconds of a monotonic clock. Clients over the
 * limit are counted and states over the limit are left out, so every client stays visible in the counts.
 */
export class AwarenessStates {
  readonly #limits: Required<AwarenessLimits>;
  /** Ordered by renewal, oldest first. */
  readonly #shown = new Map<number, Shown>();
  readonly #counted: BoundedMap<number, Counted>;
  /** Last clocks of clients that left: an old update that arrives late must not bring them back. */
  readonly #left: BoundedMap<number, number>;
  readonly #changed = new Set<number>();
  #bytes = 0;

  constructor(limits: AwarenessLimits = {}) {
    this.#limits = {
      timeoutMs: 30_000,
      maxClients: 1_000,
      maxCounted: 10_000,
      maxStateBytes: 64 * 1024,
      maxBytes: 1024 * 1024,
      ...limits,
    };
    this.#counted = new BoundedMap(this.#limits.maxCounted);
    this.#left = new BoundedMap(this.#limits.maxClients);
  }

  /** Clients that are counted and not shown; at most `maxCounted`. */
  get leftOut(): number {
    return this.#counted.size;
  }

  get hasChanged(): boolean {
    return this.#changed.size > 0;
  }

  /** Applies an update. Returns false and changes nothing if it is no awareness update. */
  apply(update: Uint8Array, now: number): boolean {
    let entries: AwarenessEntry[];
    try {
      entries = readAwarenessUpdate(update);
    } catch {
      return false;
    }
    for (const each of entries) this.#applyOne(each, Buffer.byteLength(each.json), now);
    return true;
  }

  /** Adds a client whose state is too large to be read. */
  applyTooLarge(client: number, clock: number, bytes: number, now: number): void {
    this.#applyOne({ client, clock, json: '', isTooDeep: false }, bytes, now);
  }

  /** Removes clients that have not renewed their state in time. */
  expire(now: number): void {
    const { timeoutMs } = this.#limits;
    for (const { client, clock, renewedAt } of this.#shown.values()) {
      if (now - renewedAt < timeoutMs) break;
      this.#remove(client);
      this.#changed.add(client);
      this.#left.set(client, clock);
    }
    for (const [client, { clock, renewedAt }] of this.#counted) {
      if (now - renewedAt < timeoutMs) break;
      this.#counted.delete(client);
      this.#left.set(client, clock);
    }
  }

  /** When the next client expires unless it renews its state. */
  nextExpiryAt(): number | undefined {
    const first = [this.#shown, this.#counted].flatMap((clients) => {
      const [oldest] = clients.values();
      return oldest ? [oldest.renewedAt + this.#limits.timeoutMs] : [];
    });
    return first.length > 0 ? Math.min(...first) : undefined;
  }

  /** The shown clients, sorted by client id. */
  clients(): AwarenessClient[] {
    return [...this.#shown.values()].sort((a, b) => a.client - b.client);
  }

  /** Changes since the last call. */
  takeChanges(): AwarenessChanges {
    const clients: AwarenessClient[] = [];
    const gone: number[] = [];
    for (const client of this.#changed) {
      const shown = this.#shown.get(client);
      if (shown) clients.push(shown);
      else gone.push(client);
    }
    this.#changed.clear();
    return { clients, gone };
  }

  /** As y-protocols does: a newer clock wins, and `null` wins over a state with the same clock. */
  #applyOne(entry: AwarenessEntry, bytes: number, now: number): void {
    const { client, clock } = entry;
    const isLeaving = entry.json === 'null';
    const known = this.#shown.get(client) ?? this.#counted.get(client);
    const knownClock = known?.clock ?? this.#left.get(client) ?? 0;
    if (clock < knownClock || (clock === knownClock && !(isLeaving && known))) return;
    const since = known?.since ?? now;
    const before = this.#remove(client);
    if (isLeaving) this.#left.set(client, clock);
    else if (this.#shown.size >= this.#limits.maxClients)
      this.#counted.set(client, { clock, since, renewedAt: now });
    else this.#show({ ...this.#clientOf(entry, bytes), since, renewedAt: now });
    if (!isSame(before, this.#shown.get(client))) this.#changed.add(client);
  }

  #clientOf(
    { client, clock, json, isTooDeep }: AwarenessEntry,
    bytes: number,
  ): Omit<AwarenessClient, 'since'> {
    const { maxStateBytes, maxBytes } = this.#limits;
    if (isTooDeep) return { client, clock, json: undefined, omitted: 'too_deep', bytes };
    if (bytes > maxStateBytes || this.#bytes + bytes > maxBytes)
      return { client, clock, json: undefined, omitted: 'too_large', bytes };
    return { client, clock, json, bytes };
  }

  #show(shown: Shown): void {
    this.#left.delete(shown.client);
    this.#shown.set(shown.client, shown);
    if (shown.json !== undefined) this.#bytes += shown.bytes;
  }

  #remove(client: number): Shown | undefined {
    const shown = this.#shown.get(client);
    this.#shown.delete(client);
    this.#counted.delete(client);
    if (shown?.json !== undefined) this.#bytes -= shown.bytes;
    return shown;
  }
}
