import type { Logger } from 'pino';
import type { ServerId } from '../../machines/ports.js';
import { rememberedForMs, type ServersTable } from '../store/store.js';

type Change = 'remember' | 'forget';

/** After this time without an answer a server may be gone, and another program at its address. */
const dayMs = 24 * 60 * 60 * 1000;
/** Least time between two writes of a server that answers. */
const refreshMs = 60 * 60 * 1000;
const maxPending = 5000;
const maxFailures = 5;

/** Remembers servers in the store that answered but are named by no source, so they survive restarts. */
export class RememberedServers {
  readonly #table: ServersTable;
  readonly #log: Logger;
  /** Delay of the first retry; doubles for each further one. */
  readonly #retryMs: number;
  readonly #retries = new Map<ServerId, NodeJS.Timeout>();
  #isStopped = false;
  /** Changes that are not written yet. A server has one write at a time. */
  readonly #pending = new Map<ServerId, Change>();
  /** When each server last answered, as it is or will be in the store; milliseconds since 1970. */
  readonly #heardAt = new Map<ServerId, number>();

  constructor(table: ServersTable, log: Logger, retryMs: number) {
    this.#table = table;
    this.#log = log;
    this.#retryMs = retryMs;
  }

  /** The servers of earlier runs. Rejects with `StoreError`. */
  async recall(): Promise<ServerId[]> {
    const servers: ServerId[] = [];
    for (const { server, origin, expiresAt } of await this.#table.list()) {
      if (origin !== 'remembered') continue;
      servers.push(server);
      this.#heardAt.set(server, expiresAt - rememberedForMs);
    }
    return servers;
  }

  /** Whether a server has not answered for a day. */
  isOld(server: ServerId): boolean {
    const heardAt = this.#heardAt.get(server);
    return heardAt !== undefined && Date.now() - heardAt > dayMs;
  }

  remember(server: ServerId): void {
    this.#heardAt.set(server, Date.now());
    this.#change(server, 'remember');
  }

  forget(server: ServerId): void {
    this.#heardAt.delete(server);
    this.#change(server, 'forget');
  }

  /** Notes that a server answered; written once an hour. */
  noteHeard(server: ServerId): void {
    const heardAt = this.#heardAt.get(server);
    // Absolute, because the clock may have been set back.
    if (heardAt !== undefined && Math.abs(Date.now() - heardAt) > refreshMs) this.remember(server);
  }

  stop(): void {
    this.#isStopped = true;
    for (const retry of this.#retries.values()) clearTimeout(retry);
  }

  #change(server: ServerId, change: Change): void {
    const isWriting = this.#pending.has(server);
    if (!isWriting && this.#pending.size >= maxPending) {
      this.#log.warn(
        { server, change },
        'too many writes are waiting for the store: one is dropped',
      );
      return;
    }
    this.#pending.set(server, change);
    if (!isWriting) void this.#writeAll(server);
  }

  async #writeAll(server: ServerId, failuresBefore = 0): Promise<void> {
    for (;;) {
      const change = this.#pending.get(server) ?? 'forget';
      try {
        await this.#write(server, change);
      } catch (error) {
        if (this.#isStopped) return;
        const failures = failuresBefore + 1;
        this.#log.warn(
          { server, change, failures, err: error },
          'a server could not be written to the store',
        );
        if (failures < maxFailures) this.#retryLater(server, failures);
        else this.#pending.delete(server);
        return;
      }
      // Another change may have come during the write.
      if (this.#pending.get(server) === change) break;
    }
    this.#pending.delete(server);
  }

  #retryLater(server: ServerId, failures: number): void {
    const retry = setTimeout(
      () => {
        this.#retries.delete(server);
        void this.#writeAll(server, failures);
      },
      this.#retryMs * 2 ** (failures - 1),
    );
    this.#retries.set(server, retry);
  }

  async #write(server: ServerId, change: Change): Promise<void> {
    if (change === 'forget') return this.#table.remove(server);
    const heardAt = this.#heardAt.get(server) ?? Date.now();
    await this.#table.put({ server, origin: 'remembered', expiresAt: heardAt + rememberedForMs });
  }
}
