import type { Logger } from 'pino';
import type { ServerId } from '../../machines/ports.js';
import type { ServersTable } from '../store/store.js';
import { pause } from './pause.js';

type Wish = 'remember' | 'forget';

const dayMs = 24 * 60 * 60 * 1000;
const lifetimeMs = 30 * dayMs;
const maxWishes = 5000;
const maxFailures = 5;

/** The servers that proved real without being named by any source, kept in the store over restarts. */
export class RememberedServers {
  readonly #table: ServersTable;
  readonly #log: Logger;
  /** Before the first retry; twice as long before each that follows. */
  readonly #retryMs: number;
  readonly #stop = new AbortController();
  /** What the store does not hold yet; each server has one write at a time. */
  readonly #wishes = new Map<ServerId, Wish>();
  /** When each was last written, for the store lets go of what is not written for long. */
  readonly #writtenAt = new Map<ServerId, number>();

  constructor(table: ServersTable, log: Logger, retryMs: number) {
    this.#table = table;
    this.#log = log;
    this.#retryMs = retryMs;
  }

  /** Those that the store holds from earlier runs. Rejects with `StoreError`. */
  async recall(): Promise<ServerId[]> {
    const servers: ServerId[] = [];
    for (const { server, origin, expiresAt } of await this.#table.list()) {
      if (origin !== 'remembered') continue;
      servers.push(server);
      this.#writtenAt.set(server, expiresAt - lifetimeMs);
    }
    return servers;
  }

  remember(server: ServerId): void {
    this.#wish(server, 'remember');
  }

  forget(server: ServerId): void {
    this.#writtenAt.delete(server);
    this.#wish(server, 'forget');
  }

  /** Writes again what was written more than a day ago. */
  refresh(): void {
    const longAgo = Date.now() - dayMs;
    for (const [server, at] of this.#writtenAt) if (at < longAgo) this.remember(server);
  }

  stop(): void {
    this.#stop.abort();
  }

  #wish(server: ServerId, wish: Wish): void {
    const isUnderWay = this.#wishes.has(server);
    if (!isUnderWay && this.#wishes.size >= maxWishes) {
      this.#log.warn({ server, wish }, 'too many writes wait for the store: one is left out');
      return;
    }
    this.#wishes.set(server, wish);
    if (!isUnderWay) void this.#fulfil(server);
  }

  async #fulfil(server: ServerId): Promise<void> {
    const { signal } = this.#stop;
    for (let failures = 0; failures < maxFailures; ) {
      const wish = this.#wishes.get(server) ?? 'forget';
      try {
        await this.#write(server, wish);
        if (this.#wishes.get(server) === wish) break;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        this.#log.warn({ server, wish, failures, err: error }, 'the store did not take a server');
        const waitMs = this.#retryMs * 2 ** (failures - 1);
        if (failures < maxFailures) await pause(waitMs, signal).catch(() => {});
        if (signal.aborted) return;
      }
    }
    this.#wishes.delete(server);
  }

  async #write(server: ServerId, wish: Wish): Promise<void> {
    if (wish === 'forget') return this.#table.remove(server);
    const now = Date.now();
    await this.#table.put({ server, origin: 'remembered', expiresAt: now + lifetimeMs });
    if (this.#wishes.get(server) === 'remember') this.#writtenAt.set(server, now);
  }
}
