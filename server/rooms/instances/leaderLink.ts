import type { InstanceEvents } from '../../cluster/instanceEvents.js';
import type { InstanceRequests, Peer } from '../../cluster/instanceRequests.js';
import { parseJson } from '../../parseJson.js';

/** The leader, as other instances ask it about rooms. */
export interface LeaderLink {
  /** The JSON of its answer. Rejects if it does not answer with a success in time. */
  ask(path: string): Promise<unknown>;
  /** Sends JSON. Rejects like `ask`. */
  tell(path: string, body: object): Promise<void>;
  /** Follows an event stream; see `InstanceRequests.stream`. */
  stream(path: string, events: InstanceEvents): { close(): void };
}

/** A round of a watched room waits for it. */
const askTimeoutMs = 1000;
/** The leader sends a beat every second. */
const idleMs = 4000;

/** Asks this run of this instance. */
export function leaderLink(
  requests: Pick<InstanceRequests, 'ask' | 'stream'>,
  leader: Peer,
): LeaderLink {
  const ask = async (path: string, options: object) => {
    const { status, body } = await requests.ask(leader, path, {
      timeoutMs: askTimeoutMs,
      ...options,
    });
    if (status < 200 || status > 299) throw new Error(`answered ${status}`);
    return body;
  };
  return {
    ask: async (path) => parseJson(await ask(path, {})),
    tell: async (path, body) => {
      const headers = { 'Content-Type': 'application/json' };
      await ask(path, { method: 'POST', headers, body: JSON.stringify(body) });
    },
    stream: (path, events) => requests.stream(leader, path, events, { idleMs }),
  };
}
