import type { Logger } from 'pino';
import type { ServerId } from '../../machines/ports.js';
import { BoundedMap } from '../boundedMap.js';
import { causeOf } from '../causeOf.js';

type Given = { url: string } | { problem: string };

/** Strangers may claim to be any number of servers, so the oldest entries are dropped. */
const maxServers = 20_000;

/** The callback URL that each server was given, without its token, or why there was none. */
export class GivenCallbacks {
  readonly #given = new BoundedMap<ServerId, Given>(maxServers);
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Notes the result of `urlFor`. An error is logged once and thrown again. */
  note(server: ServerId, urlFor: () => string): string {
    try {
      const url = urlFor();
      this.#given.set(server, { url });
      return url;
    } catch (error) {
      const problem = causeOf(error);
      const before = this.#given.get(server);
      if (!before || !('problem' in before) || before.problem !== problem)
        this.#log.warn({ server }, problem);
      this.#given.set(server, { problem });
      throw error;
    }
  }

  /** The URL that the server was last given; undefined: none. */
  of(server: ServerId): string | undefined {
    const given = this.#given.get(server);
    return given && 'url' in given ? given.url : undefined;
  }
}
