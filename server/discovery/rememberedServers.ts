import type { Logger } from 'pino';
import type { ServerId } from '../../machines/ports.js';
import { rememberedForMs, type ServersTable } from '../store/store.js';

type Wish = 'remember' | 'forget';

/** Who was not heard of for so long may be gone, and its address somebody else's. */
const dayMs = 24 * 60 * 60 * 1000;
/** By how much the time is off at which it was heard of last. */
const refreshMs = 60 * 60 * 1000;
const maxWishes = 5000;
const maxFailures = 5;

/** The servers that proved real without being named by any source, kept in the store over restarts. */
export class RememberedServers {
  readonly #table: ServersTable;
  readonly #log: Logger;
  /** Before the first retry; twice as long before each that follows. */
  readonly #retryMs: number;
  readonly #retries = new Map<ServerId, NodeJS.Timeout>();
  #isStopped = false;
  /** What the store does not hold yet; each server has one write at a time. */
  readonly #wishes = new Map<ServerId, Wish>();
  /** When each was last heard of, as the store has it or is to have it; in milliseconds since 1970. */
  readonly #heardAt = new Map<ServerId, number>();

  constructor(table: ServersTable, log: Logger, retryMs: number) {
    this.#table = table;
    this.#log = log;
    this.#retryMs = retryMs;
  }

  /** Those that the store holds from earlier runs, long ago or not. Rejects with `StoreError`. */
  async recall(): Promise<ServerId[]> {
    const servers: ServerId[] = [];
    for (const { server, origin, expiresAt } of await this.#table.list()) {
      if (origin !== 'remembered') continue;
      servers.push(server);
      this.#heardAt.set(server, expiresAt - rememberedForMs);
    }
    return servers;
  }

  /** Whether it was not heard of for a day when it was recalled, and has not been since. */
  isOld(server: ServerId): boolean {
    const heardAt = this.#heardAt.get(server);
    return heardAt !== undefined && Date.now() - heardAt > dayMs;
  }

  remember(server: ServerId): void {
    this.#heardAt.set(server, Date.now());
    this.#wish(server, 'remember');
  }

  forget(server: ServerId): void {
    this.#heardAt.delete(server);
    this.#wish(server, 'forget');
  }

  /** It answered. Written once an hour. */
  noteHeard(server: ServerId): void {
    const heardAt = this.#heardAt.get(server);
    // The clock may have been set back, too.
    if (heardAt !== undefined && Math.abs(Date.now() - heardAt) > refreshMs) this.remember(server);
  }

  stop(): void {
    this.#isStopped = true;
    for (const retry of this.#retries.values()) clearTimeout(retry);
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

  async #fulfil(server: ServerId, failuresBefore = 0): Promise<void> {
    for (;;) {
      const wish = this.#wishes.get(server) ?? 'forget';
      try {
        await this.#write(server, wish);
      } catch (error) {
        if (this.#isStopped) return;
        const failures = failuresBefore + 1;
        this.#log.warn({ server, wish, failures, err: error }, 'the store did not take a server');
        if (failures < maxFailures) this.#retryLater(server, failures);
        else this.#wishes.delete(server);
        return;
      }
      // The wish may have changed during the write.
      if (this.#wishes.get(server) === wish) break;
    }
    this.#wishes.delete(server);
  }

  #retryLater(server: ServerId, failures: number): void {
    const retry = setTimeout(
      () => {
        this.#retries.delete(server);
        void this.#fulfil(server, failures);
      },
      this.#retryMs * 2 ** (failures - 1),
    );
    this.#retries.set(server, retry);
  }

  async #write(server: ServerId, wish: Wish): Promise<void> {
    if (wish === 'forget') return this.#table.remove(server);
    const heardAt = this.#heardAt.get(server) ?? Date.now();
    await this.#table.put({ server, origin: 'remembered', expiresAt: heardAt + rememberedForMs });
  }
}
