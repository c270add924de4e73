import type { InstanceId, ServerId } from '../../machines/ports.js';
import type { InstanceInfo } from '../cluster/clusterStore.js';
import type { Clock } from '../timing/clock.js';

/** What a leader's reach needs of the rest of the service. */
export interface ReachNeeds {
  clock: Pick<Clock, 'monotonicMs'>;
  /** Whether a pub-sub server is known, and is not only a candidate. */
  isKnown: (server: ServerId) => boolean;
  /** Whether any is. */
  knowsServers: () => boolean;
}

/** What is known of another instance. */
type Other = Pick<InstanceInfo, 'id' | 'reachesServers'> & { readonly isThere: boolean };

/** No server answers for this long. */
const unreachedMs = 5000;

/**
 * Whether a leader reaches its pub-sub servers. They may be cut off from it, while other instances reach them. A
 * server that has answered counts as reached until a request to it fails: some are seldom asked.
 */
export class Reach {
  readonly #needs: ReachNeeds;
  /** Servers that answered the last request. */
  readonly #answering = new Set<ServerId>();
  /** Beginning of the first request since the last answer; undefined: there was none. */
  #unansweredSinceMs: number | undefined;

  constructor(needs: ReachNeeds) {
    this.#needs = needs;
  }

  /** A request to a server begins. */
  noteBegun(server: ServerId): void {
    if (this.#needs.isKnown(server)) this.#unansweredSinceMs ??= this.#needs.clock.monotonicMs();
  }

  /** A server has answered, with any status. */
  noteAnswered(server: ServerId): void {
    this.#answering.add(server);
    this.#unansweredSinceMs = undefined;
  }

  /** A request to a server has ended without an answer. */
  noteFailed(server: ServerId): void {
    this.#answering.delete(server);
  }

  /** Null: it does not know, because it has asked nobody, or not for long enough. */
  get reachesServers(): boolean | null {
    if (this.#isUnreached) return false;
    return this.#isAnyAnswering ? true : null;
  }

  /** Whether another instance should lead: it reaches a server, and this one reaches none. */
  isOutdoneBy(instances: readonly Other[], self: InstanceId): boolean {
    if (!this.#isUnreached) return false;
    return instances.some(
      ({ id, isThere, reachesServers }) => id !== self && isThere && reachesServers,
    );
  }

  get #isUnreached(): boolean {
    const { clock, knowsServers } = this.#needs;
    if (this.#unansweredSinceMs === undefined || !knowsServers()) return false;
    if (clock.monotonicMs() - this.#unansweredSinceMs < unreachedMs) return false;
    return !this.#isAnyAnswering;
  }

  get #isAnyAnswering(): boolean {
    for (const server of this.#answering) {
      if (this.#needs.isKnown(server)) return true;
      this.#answering.delete(server);
    }
    return false;
  }
}
