import type { Leader } from '../../machines/ports.js';
import type { OpenAnswer } from './instanceEvents.js';
import type { InstanceAsk, InstanceRequests } from './instanceRequests.js';

/** What passing questions on to the leader needs. */
export interface ForwardingNeeds {
  requests: InstanceRequests;
  /** Whether this instance leads, and so answers itself. */
  isLeading: () => boolean;
  /** The leader that this instance knows; undefined: none. */
  leader: () => Leader | undefined;
  /** Deadline of the headers of an answer. Default: 10 s, because the leader may ask servers first. */
  timeoutMs?: number;
}

/** There is no leader, or it did not answer. */
export class NoLeader extends Error {
  override readonly name = 'NoLeader';
}

const defaultTimeoutMs = 10_000;
/** How often an open question looks whether its leader still leads. */
const checkMs = 250;

/** Passes questions on to the leader: those that only it can answer. */
export class Forwarding {
  readonly #needs: ForwardingNeeds;

  constructor(needs: ForwardingNeeds) {
    this.#needs = needs;
  }

  get isLeading(): boolean {
    return this.#needs.isLeading();
  }

  /** Resolves with the leader's answer; the caller reads or destroys its body. Rejects with `NoLeader`. */
  async ask(path: string, options: Pick<InstanceAsk, 'method' | 'headers'>): Promise<OpenAnswer> {
    const { requests, leader, timeoutMs = defaultTimeoutMs } = this.#needs;
    const peer = leader();
    if (!peer) throw new NoLeader();
    const stopping = new AbortController();
    const watch = setInterval(() => {
      if (leader()?.instance !== peer.instance) stopping.abort();
    }, checkMs);
    try {
      const answer = await requests.open(peer, path, {
        ...options,
        timeoutMs,
        signal: stopping.signal,
      });
      if (answer.status !== 403) return answer;
      // It does not know this instance, so it is another run than the one that led.
      answer.body.destroy();
      throw new NoLeader('the leader was restarted');
    } catch (error) {
      if (error instanceof NoLeader) throw error;
      throw new NoLeader('the leader does not answer', { cause: error });
    } finally {
      clearInterval(watch);
    }
  }
}
