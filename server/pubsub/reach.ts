import type { InstanceId } from '../../machines/ports.js';
import type { InstanceInfo } from '../cluster/clusterStore.js';
import type { Clock } from '../timing/clock.js';

/** What a leader's reach needs of the rest of the service. */
export interface ReachNeeds {
  clock: Pick<Clock, 'monotonicMs'>;
  /** Whether a pub-sub server is known, apart from candidates. */
  knowsServers: () => boolean;
}

/** What is known of another instance. */
type Other = Pick<InstanceInfo, 'id' | 'reachesServers'> & { readonly isThere: boolean };

/** No server answers for this long. */
const unreachedMs = 5000;

/** Whether a leader reaches its pub-sub servers. They may be cut off from it, while other instances reach them. */
export class Reach {
  readonly #needs: ReachNeeds;
  /** Beginning of the first request since the last answer; undefined: there was none. */
  #unansweredSinceMs: number | undefined;
  #hasAnswered = false;

  constructor(needs: ReachNeeds) {
    this.#needs = needs;
  }

  /** A request to a server begins. */
  noteBegun(): void {
    this.#unansweredSinceMs ??= this.#needs.clock.monotonicMs();
  }

  /** A server has answered, with whatever status. */
  noteAnswered(): void {
    this.#unansweredSinceMs = undefined;
    this.#hasAnswered = true;
  }

  /** Null: it does not know, because it has asked nobody, or not for long enough. */
  get reachesServers(): boolean | null {
    if (this.#isUnreached) return false;
    return this.#hasAnswered ? true : null;
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
    return clock.monotonicMs() - this.#unansweredSinceMs >= unreachedMs;
  }
}
