import * as decoding from 'lib0/decoding';
import { isDeeperThan } from './updateReader.js';

/** One client's awareness state, as it announced it. */
export type AwarenessState = {
  readonly client: number;
  readonly clock: number;
  readonly state: unknown;
};

/** Clients whose state came, changed or went. */
export type AwarenessChange = {
  readonly added: readonly number[];
  readonly updated: readonly number[];
  readonly removed: readonly number[];
};

/** `now`: milliseconds of any clock that only grows. */
export type AwarenessOptions = {
  readonly now: () => number;
  /** Without renewal for this long a client is gone; default 30 s, `outdatedTimeout` of y-protocols. */
  readonly timeoutMs?: number;
  /** States that are kept, and clocks of clients that left; default 1,000 of each. */
  readonly maxClients?: number;
  /** Bytes of JSON of the states that are kept, and the most that one update may have; default 1 MiB. */
  readonly maxBytes?: number;
};

type Entry = {
  readonly client: number;
  readonly clock: number;
  readonly json: string;
  readonly state: unknown;
};
type Held = Entry & { readonly renewedAt: number };

const maxDepth = 100;

// The whole update or nothing; throws when it is not one.
const decode = (update: Uint8Array): Entry[] => {
  const decoder = decoding.createDecoder(update);
  const entries: Entry[] = [];
  for (let left = decoding.readVarUint(decoder); left > 0; left -= 1) {
    const client = decoding.readVarUint(decoder);
    const clock = decoding.readVarUint(decoder);
    const json = decoding.readVarString(decoder);
    const state: unknown = JSON.parse(json);
    if (!Number.isSafeInteger(client) || !Number.isSafeInteger(clock)) throw new Error('range');
    if (isDeeperThan(state, maxDepth)) throw new Error('a state is nested too deep');
    entries.push({ client, clock, json, state });
  }
  if (decoding.hasContent(decoder)) throw new Error('bytes follow the end');
  return entries;
};

/**
 * Who is in a room, by the raw awareness updates of its `-presence` channel (`encodeAwarenessUpdate` of
 * y-protocols/awareness). Never announces anything. It has no timer: its owner calls `expire` at `nextExpiryAt`.
 */
export class AwarenessStates {
  readonly #now: () => number;
  readonly #timeoutMs: number;
  readonly #maxClients: number;
  readonly #maxBytes: number;
  // In order of renewal, the oldest first.
  readonly #held = new Map<number, Held>();
  // Last clocks of clients that left: an old announcement that comes late must not bring them back.
  readonly #departed = new Map<number, number>();
  #bytes = 0;
  #garbage = 0;
  #refused = 0;

  constructor({
    now,
    timeoutMs = 30_000,
    maxClients = 1_000,
    maxBytes = 1024 * 1024,
  }: AwarenessOptions) {
    this.#now = now;
    this.#timeoutMs = timeoutMs;
    this.#maxClients = maxClients;
    this.#maxBytes = maxBytes;
  }

  /** Updates that were none, or larger than all states may be. */
  get garbage(): number {
    return this.#garbage;
  }

  /** States that were left out, over the limits. */
  get refused(): number {
    return this.#refused;
  }

  /** Takes an update in; undefined when it is garbage, which changes nothing. */
  apply(update: Uint8Array): AwarenessChange | undefined {
    const entries = this.#decode(update);
    if (entries === undefined) {
      this.#garbage += 1;
      return undefined;
    }
    const change = { added: [], updated: [], removed: [] };
    for (const entry of entries) this.#take(entry, change);
    return change;
  }

  /** Removes clients that have not renewed their state in time; answers which. */
  expire(): number[] {
    const removed: number[] = [];
    const now = this.#now();
    for (const { client, clock, renewedAt } of this.#held.values()) {
      if (now - renewedAt < this.#timeoutMs) break;
      this.#drop(client, clock);
      removed.push(client);
    }
    return removed;
  }

  /** When the next client expires unless it renews its state, on the given clock. */
  nextExpiryAt(): number | undefined {
    for (const { renewedAt } of this.#held.values()) return renewedAt + this.#timeoutMs;
    return undefined;
  }

  /** The states, by client. */
  states(): AwarenessState[] {
    return [...this.#held.values()]
      .map(({ client, clock, state }) => ({ client, clock, state }))
      .sort((a, b) => a.client - b.client);
  }

  #decode(update: Uint8Array): Entry[] | undefined {
    if (update.byteLength > this.#maxBytes) return undefined;
    try {
      return decode(update);
    } catch {
      return undefined;
    }
  }

  // The protocol's rule: a newer clock wins; `null` wins over a state of the same clock.
  #take(entry: Entry, change: Record<keyof AwarenessChange, number[]>): void {
    const { client, clock, json, state } = entry;
    const held = this.#held.get(client);
    const known = held?.clock ?? this.#departed.get(client) ?? 0;
    if (clock < known || (clock === known && !(state === null && held))) return;
    if (held) this.#drop(client, clock);
    if (state !== null && this.#hasRoomFor(json)) {
      this.#departed.delete(client);
      this.#held.set(client, { ...entry, renewedAt: this.#now() });
      this.#bytes += Buffer.byteLength(json);
      if (held === undefined) change.added.push(client);
      else if (held.json !== json) change.updated.push(client);
      return;
    }
    if (state === null) this.#remember(client, clock);
    else this.#refused += 1;
    if (held) change.removed.push(client);
  }

  #hasRoomFor(json: string): boolean {
    const bytes = this.#bytes + Buffer.byteLength(json);
    return this.#held.size < this.#maxClients && bytes <= this.#maxBytes;
  }

  #drop(client: number, clock: number): void {
    const held = this.#held.get(client);
    if (held === undefined) return;
    this.#held.delete(client);
    this.#bytes -= Buffer.byteLength(held.json);
    this.#remember(client, clock);
  }

  #remember(client: number, clock: number): void {
    this.#departed.delete(client);
    this.#departed.set(client, clock);
    for (const oldest of this.#departed.keys()) {
      if (this.#departed.size <= this.#maxClients) break;
      this.#departed.delete(oldest);
    }
  }
}
