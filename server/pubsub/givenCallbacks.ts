import type { Logger } from 'pino';
import type { ServerId } from '../../machines/ports.js';
import { BoundedMap } from '../boundedMap.js';

type Given = { url: string } | { problem: string };

/** Strangers may claim to be any number of servers, so the oldest entries are dropped. */
const maxServers = 20_000;

/** Which URL each server was told to post to, without its token; or why there was none to give. */
export class GivenCallbacks {
  readonly #given = new BoundedMap<ServerId, Given>(maxServers);
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Notes what `urlFor` gives; what it throws is logged once, and thrown. */
  note(server: ServerId, urlFor: () => string): string {
    try {
      const url = urlFor();
      this.#given.set(server, { url });
      return url;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      const before = this.#given.get(server);
      if (!before || !('problem' in before) || before.problem !== problem)
        this.#log.warn({ server }, problem);
      this.#given.set(server, { problem });
      throw error;
    }
  }

  /** The URL that the server was given last; undefined: none. */
  of(server: ServerId): string | undefined {
    const given = this.#given.get(server);
    return given && 'url' in given ? given.url : undefined;
  }
}
