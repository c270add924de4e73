import type { ServerId } from '../../machines/ports.js';
import { BoundedMap } from '../boundedMap.js';

/** Beyond this number, the oldest are treated like unknown servers. */
const maxKept = 5000;

/**
 * Servers that were removed because they did not answer. The rooms table may name them for ever, because a
 * crash left their address in it. A server may start there again.
 */
export class GoneServers {
  /** When each was last tried, by `performance.now()`, the oldest first. */
  readonly #triedAtMs = new BoundedMap<ServerId, number>(maxKept);

  add(server: ServerId): void {
    this.#triedAtMs.set(server, performance.now());
  }

  /** Removes a server that is back. */
  delete(server: ServerId): void {
    this.#triedAtMs.delete(server);
  }

  has(server: ServerId): boolean {
    return this.#triedAtMs.has(server);
  }

  /** Takes up to `max` of the given servers that were not tried for `everyMs`, and notes the try. */
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
