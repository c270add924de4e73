import type { ServerId } from '../../machines/ports.js';
import { BoundedMap } from '../boundedMap.js';
import type { LoggedRequest, RequestSummary, ServerRequests } from '../wire/serverRequests.js';
import type { EndedRequest } from './requestMeter.js';

/** Above this many servers, those that were not asked for longest are forgotten. */
const maxServers = 1000;
const maxRecent = 20;
/** A server can choose the text of a cause. */
const maxCauseLength = 200;

interface Log {
  since: string;
  kinds: Map<string, RequestSummary>;
  /** Newest last. */
  recent: LoggedRequest[];
  lastFailure: LoggedRequest | null;
}

/** The last requests to each pub-sub server, and how long they took. In memory: at most some 10 MB. */
export class RequestLog {
  readonly #logs = new BoundedMap<ServerId, Log>(maxServers);
  readonly #now: () => number;

  /** `now`: milliseconds since 1970. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  note({ server, request, seconds, cause }: EndedRequest): void {
    const at = new Date(this.#now()).toISOString();
    const ms = Math.round(seconds * 10_000) / 10;
    const ended = { at, request, ms, cause: cause?.slice(0, maxCauseLength) ?? null };
    const log = this.#logs.get(server) ?? newLog(at);
    this.#logs.set(server, log);
    log.recent.push(ended);
    if (log.recent.length > maxRecent) log.recent.shift();
    if (cause !== null) log.lastFailure = ended;
    addTo(log.kinds, ended);
  }

  /** A server that was never asked has no requests. */
  of(server: ServerId): ServerRequests {
    const log = this.#logs.get(server);
    return {
      server,
      since: log?.since ?? null,
      kinds: [...(log?.kinds.values() ?? [])],
      recent: log?.recent.toReversed() ?? [],
      lastFailure: log?.lastFailure ?? null,
    };
  }
}

const newLog = (since: string): Log => ({
  since,
  kinds: new Map(),
  recent: [],
  lastFailure: null,
});

function addTo(kinds: Map<string, RequestSummary>, { request, ms, cause }: LoggedRequest): void {
  const before = kinds.get(request) ?? { request, answered: 0, failed: 0, lastMs: 0, longestMs: 0 };
  const outcome = cause === null ? 'answered' : 'failed';
  kinds.set(request, {
    ...before,
    [outcome]: before[outcome] + 1,
    lastMs: ms,
    longestMs: Math.max(before.longestMs, ms),
  });
}
