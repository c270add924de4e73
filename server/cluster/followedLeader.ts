import type { Leader } from '../../machines/ports.js';
import type { Relay } from './relay/relay.js';
import type { Upstream } from './relay/upstream.js';

/** What following a leader needs of the rest of the instance. */
export interface FollowedLeaderNeeds {
  relay: Pick<Relay, 'follow'>;
  /** The stream of another instance. */
  upstreamOf: (leader: Leader) => Upstream;
  /** Called when the leader changes; undefined: none leads. Not called when this instance begins to lead. */
  onChanged: (leader: Leader | undefined) => void;
}

/** The leader that this instance follows, as its machine says. Switches the relay when the leader changes. */
export class FollowedLeader {
  readonly #needs: FollowedLeaderNeeds;
  #leader: Leader | undefined;
  #isStarting = true;

  constructor(needs: FollowedLeaderNeeds) {
    this.#needs = needs;
  }

  /** Another instance that leads; undefined: none is known, or this one leads. */
  get now(): Leader | undefined {
    return this.#leader;
  }

  /** Whether no leader was ever known. */
  get isStarting(): boolean {
    return this.#isStarting;
  }

  /** The machine's news, while this instance does not lead. A leader is told again when its activity changes. */
  note(leader: Leader | undefined): void {
    const before = this.#leader;
    this.#leader = leader;
    if (isSameLeadership(before, leader)) return;
    const { relay, upstreamOf, onChanged } = this.#needs;
    if (leader) this.#isStarting = false;
    relay.follow(leader && upstreamOf(leader), 'no instance leads');
    onChanged(leader);
  }

  /** This instance leads from now on. */
  lead(upstream: Upstream): void {
    this.#leader = undefined;
    this.#isStarting = false;
    this.#needs.relay.follow(upstream);
  }

  /** This instance no longer leads. Call it before its fleet is closed. */
  stopLeading(): void {
    this.#needs.relay.follow(undefined, 'this instance no longer leads');
    this.#needs.onChanged(undefined);
  }
}

/** Whether it is the same leadership, at the same URL. */
export const isSameLeadership = (one: Leader | undefined, other: Leader | undefined): boolean =>
  one?.instance === other?.instance && one?.term === other?.term && one?.url === other?.url;
