import type { ServerId } from '../../machines/ports.js';
import { BoundedMap } from '../boundedMap.js';

/** Kept at the most; beyond, the oldest are asked about as if they had never been here. */
const maxKept = 5000;

/**
 * Servers that were let go because they did not answer. The rooms table may name them for ever: an
 * address that a crash left in it is not a server, but a server may start there again.
 */
export class GoneServers {
  /** When each was tried last, by `performance.now`; the longest ago first. */
  readonly #triedAtMs = new BoundedMap<ServerId, number>(maxKept);

  add(server: ServerId): void {
    this.#triedAtMs.set(server, performance.now());
  }

  /** It is there again, or nothing names it any longer. */
  delete(server: ServerId): void {
    this.#triedAtMs.delete(server);
  }

  has(server: ServerId): boolean {
    return this.#triedAtMs.has(server);
  }

  /** Up to `max` of these servers that were not tried for so long; they are tried now. */
  takeDue(servers: Iterable<ServerId>, { max, everyMs }: { max: number; everyMs: number }) {
    const due: ServerId[] = [];
    const longAgo = performance.now() - everyMs;
    for (const server of servers) {
      if (due.length === max) break;
      const triedAtMs = this.#triedAtMs.get(server);
      if (triedAtMs === undefined || triedAtMs > longAgo) continue;
      this.#triedAtMs.set(server, performance.now());
      due.push(server);
    }
    return due;
  }
}
