import { BoundedMap } from '../boundedMap.js';
import { type Announced, readAwarenessUpdate } from './awarenessUpdate.js';

/** Why somebody's state is not shown: it is over its limit of bytes, or of depth. */
export type Omission = 'too_large' | 'too_deep';

/** Someone in the room. `json`: the state that they announced; undefined: it is left out. */
export interface Person {
  readonly client: number;
  readonly clock: number;
  readonly json: string | undefined;
  readonly omitted?: Omission;
  /** Of the state, as JSON in UTF-8. */
  readonly bytes: number;
}

/** What changed since the last time: who came or changed, and who went. */
export interface AwarenessChanges {
  readonly clients: readonly Person[];
  readonly gone: readonly number[];
}

export interface AwarenessLimits {
  /** Without renewal for this long a client is gone; default 30 s, `outdatedTimeout` of y-protocols. */
  readonly timeoutMs?: number;
  /** People that are shown, and clocks of clients that left; default 1,000 of each. */
  readonly maxClients?: number;
  /** People beyond those, who are counted alone; default 10,000. */
  readonly maxCounted?: number;
  /** Bytes of JSON of one state that is shown; default 64 KiB. */
  readonly maxStateBytes?: number;
  /** Bytes of JSON of all states that are shown; default 1 MiB. */
  readonly maxBytes?: number;
}

interface Held extends Person {
  readonly renewedAt: number;
}
interface Counted {
  readonly clock: number;
  readonly renewedAt: number;
}

const isSame = (one: Person | undefined, other: Person | undefined): boolean =>
  one?.json === other?.json && one?.omitted === other?.omitted && one?.bytes === other?.bytes;

/**
 * Who is in a room, by the raw awareness updates of its `-presence` channel (`encodeAwarenessUpdate` of
 * y-protocols/awareness). Never announces anything. Times are milliseconds of any clock that only grows.
 * Whoever does not fit is counted, and a state that does not fit is left out: nobody disappears.
 */
export class AwarenessStates {
  readonly #limits: Required<AwarenessLimits>;
  // In order of renewal, the oldest first.
  readonly #held = new Map<number, Held>();
  readonly #counted: BoundedMap<number, Counted>;
  // Last clocks of clients that left: an old announcement that comes late must not bring them back.
  readonly #departed: BoundedMap<number, number>;
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
    this.#departed = new BoundedMap(this.#limits.maxClients);
  }

  /** People who are not among those shown; at most `maxCounted`. */
  get leftOut(): number {
    return this.#counted.size;
  }

  get hasChanged(): boolean {
    return this.#changed.size > 0;
  }

  /** Takes an update in; false when it is garbage, which changes nothing. */
  apply(update: Uint8Array, now: number): boolean {
    let announced: Announced[];
    try {
      announced = readAwarenessUpdate(update);
    } catch {
      return false;
    }
    for (const each of announced) this.#take(each, Buffer.byteLength(each.json), now);
    return true;
  }

  /** Takes note of somebody whose state is too large to be read. */
  applyTooLarge(client: number, clock: number, bytes: number, now: number): void {
    this.#take({ client, clock, json: '', isTooDeep: false }, bytes, now);
  }

  /** Removes clients that have not renewed their state in time. */
  expire(now: number): void {
    const { timeoutMs } = this.#limits;
    for (const { client, clock, renewedAt } of this.#held.values()) {
      if (now - renewedAt < timeoutMs) break;
      this.#remove(client);
      this.#changed.add(client);
      this.#departed.set(client, clock);
    }
    for (const [client, { clock, renewedAt }] of this.#counted) {
      if (now - renewedAt < timeoutMs) break;
      this.#counted.delete(client);
      this.#departed.set(client, clock);
    }
  }

  /** When the next client expires unless it renews its state. */
  nextExpiryAt(): number | undefined {
    const first = [this.#held, this.#counted].flatMap((people) => {
      const [oldest] = people.values();
      return oldest ? [oldest.renewedAt + this.#limits.timeoutMs] : [];
    });
    return first.length > 0 ? Math.min(...first) : undefined;
  }

  /** Those who are shown, by client. */
  people(): Person[] {
    return [...this.#held.values()].sort((a, b) => a.client - b.client);
  }

  /** What changed since the last call. */
  takeChanges(): AwarenessChanges {
    const clients: Person[] = [];
    const gone: number[] = [];
    for (const client of this.#changed) {
      const held = this.#held.get(client);
      if (held) clients.push(held);
      else gone.push(client);
    }
    this.#changed.clear();
    return { clients, gone };
  }

  // The protocol's rule: a newer clock wins; `null` wins over a state of the same clock.
  #take(announced: Announced, bytes: number, now: number): void {
    const { client, clock } = announced;
    const isLeaving = announced.json === 'null';
    const known = this.#held.get(client) ?? this.#counted.get(client);
    const knownClock = known?.clock ?? this.#departed.get(client) ?? 0;
    if (clock < knownClock || (clock === knownClock && !(isLeaving && known))) return;
    const before = this.#remove(client);
    if (isLeaving) this.#departed.set(client, clock);
    else if (this.#held.size >= this.#limits.maxClients)
      this.#counted.set(client, { clock, renewedAt: now });
    else this.#hold({ ...this.#personOf(announced, bytes), renewedAt: now });
    if (!isSame(before, this.#held.get(client))) this.#changed.add(client);
  }

  #personOf({ client, clock, json, isTooDeep }: Announced, bytes: number): Person {
    const { maxStateBytes, maxBytes } = this.#limits;
    if (isTooDeep) return { client, clock, json: undefined, omitted: 'too_deep', bytes };
    if (bytes > maxStateBytes || this.#bytes + bytes > maxBytes)
      return { client, clock, json: undefined, omitted: 'too_large', bytes };
    return { client, clock, json, bytes };
  }

  #hold(held: Held): void {
    this.#departed.delete(held.client);
    this.#held.set(held.client, held);
    if (held.json !== undefined) this.#bytes += held.bytes;
  }

  #remove(client: number): Held | undefined {
    const held = this.#held.get(client);
    this.#held.delete(client);
    this.#counted.delete(client);
    if (held?.json !== undefined) this.#bytes -= held.bytes;
    return held;
  }
}
