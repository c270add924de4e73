import { z } from 'zod';
import { BoundedMap } from '../boundedMap.js';
import type { SharedSignOuts, SignOutEvents } from '../http/auth/sessions.js';
import type { ClusterConnection } from './connect.js';
import { readScript, runScript } from './scripts.js';

/** A session that signed out. */
type Session = Parameters<SharedSignOuts['add']>[0];

export interface RedisSignOutsOptions {
  /** Two keys in one slot. */
  keys: { signOuts: string; about: string };
  /** Time between two reads of Redis. A session that signed out may be accepted elsewhere for that long. */
  pollMs?: number;
  /** Longest lifetime of a session. */
  sessionMs: number;
}

const scripts = { signOut: readScript('signOut'), read: readScript('readSignOuts') };
/** Redis remembers at most this many one by one, as `Sessions` does. */
const maxSignOuts = 4096;

const reply = z.union([
  z.tuple([z.string()]),
  z.tuple([z.string(), z.coerce.number(), z.array(z.string())]),
]);

/** The sessions that signed out at any instance, kept in Redis until they expire. Its owner closes it. */
export class RedisSignOuts implements SharedSignOuts {
  readonly #connection: Pick<ClusterConnection, 'client'>;
  readonly #options: RedisSignOutsOptions;
  /** What this instance knows, and Redis must know too, by id. */
  readonly #known = new BoundedMap<string, number>(2 * maxSignOuts);
  /** What Redis does not know yet. */
  readonly #untold = new BoundedMap<string, number>(2 * maxSignOuts);
  #version = '-';
  #events: SignOutEvents | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isBusy = false;
  #isClosed = false;

  constructor(connection: Pick<ClusterConnection, 'client'>, options: RedisSignOutsOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  add({ id, expiresAt }: Session): void {
    this.#known.set(id, expiresAt);
    this.#untold.set(id, expiresAt);
    void this.#synchronize();
  }

  follow(events: SignOutEvents): void {
    this.#events = events;
    void this.#synchronize();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Writes to Redis what it does not know, reads what is new there, and does so again later. */
  async #synchronize(): Promise<void> {
    if (this.#isBusy || this.#isClosed) return;
    this.#isBusy = true;
    clearTimeout(this.#timer);
    try {
      await this.#tell();
      await this.#read();
    } catch {
      // Redis is away; its connection logs that.
    }
    this.#isBusy = false;
    if (this.#isClosed) return;
    const { pollMs = 1000 } = this.#options;
    const waitMs = this.#untold.size > 0 ? Math.min(pollMs, 100) : pollMs;
    this.#timer = setTimeout(() => void this.#synchronize(), waitMs).unref();
  }

  async #tell(): Promise<void> {
    const told = [...this.#untold];
    if (told.length === 0) return;
    const { keys, sessionMs } = this.#options;
    const sessions = told.flatMap(([id, expiresAt]) => [id, String(expiresAt)]);
    const limits = [String(maxSignOuts), String(sessionMs), String(Date.now())];
    const { client } = this.#connection;
    await runScript(client, scripts.signOut, [keys.signOuts, keys.about], [...limits, ...sessions]);
    for (const [id] of told) this.#untold.delete(id);
  }

  async #read(): Promise<void> {
    const { keys } = this.#options;
    const { client } = this.#connection;
    const answer = await runScript(
      client,
      scripts.read,
      [keys.signOuts, keys.about],
      [this.#version],
    );
    const [version, refusedUntil = 0, entries] = reply.parse(answer);
    if (!entries) return;
    const read = parseEntries(entries);
    this.#take(read, refusedUntil);
    this.#version = version;
    // Redis has lost its keys.
    for (const [id, expiresAt] of this.#known)
      if (!read.has(id) && expiresAt > refusedUntil) this.#untold.set(id, expiresAt);
  }

  #take(read: ReadonlyMap<string, number>, refusedUntil: number): void {
    const nowMs = Date.now();
    for (const [id, expiresAt] of read) {
      if (this.#known.has(id)) continue;
      this.#known.set(id, expiresAt);
      this.#events?.onSignedOut({ id, expiresAt });
    }
    if (refusedUntil > nowMs) this.#events?.onRefused(refusedUntil);
    for (const [id, expiresAt] of this.#known)
      if (expiresAt <= Math.max(nowMs, refusedUntil)) this.#known.delete(id);
  }
}

function parseEntries(texts: readonly string[]): Map<string, number> {
  const entries = new Map<string, number>();
  for (let i = 0; i + 1 < texts.length; i += 2) entries.set(texts[i] ?? '', Number(texts[i + 1]));
  return entries;
}
