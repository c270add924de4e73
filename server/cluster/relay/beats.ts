import type { Term } from '../../../machines/ports.js';
import type { Feed } from '../../fleet/feed.js';
import type { StreamViewer } from '../../sse/channel.js';
import { messageFrame } from '../../sse/frames.js';
import type { Clock, Timer } from '../../timing/clock.js';

/** Time between two beats of a leader. */
const beatMs = 500;

/** The event `beat`. */
export function beatFrame(term: Term): Buffer {
  return messageFrame(JSON.stringify({ term }), { event: 'beat' });
}

/** What a leader offers to the relays of all instances, its own too. */
export interface LeadingFeed {
  term: Term;
  /** With the option `forInstances`. */
  feed: Pick<Feed, 'add' | 'remove' | 'isBehind'>;
  /** Whether the lease is held now, by both clocks. */
  isHeld: () => boolean;
  /** An instance follows the feed, so it watches the fleet. */
  viewerConnected: () => void;
  viewerDisconnected: () => void;
}

/** Where the beats for one relay go. */
export interface BeatTarget {
  viewer: StreamViewer;
  /** The instance leads, and the viewer has been sent everything until now. */
  beat: (term: Term) => void;
  /** The instance is there, but the viewer waits for a whole state. */
  progress: () => void;
}

/** Sends a relay the beats of its leader until it is stopped. */
export class Beats {
  readonly #leading: LeadingFeed;
  readonly #clock: Clock;
  readonly #target: BeatTarget;
  #timer: Timer;

  constructor(leading: LeadingFeed, clock: Clock, target: BeatTarget) {
    this.#leading = leading;
    this.#clock = clock;
    this.#target = target;
  }

  /** Beats at once, and then every half second. */
  start(): void {
    const { feed, isHeld, term } = this.#leading;
    const { viewer, beat, progress } = this.#target;
    this.#timer = this.#clock.setTimeout(() => this.start(), beatMs);
    if (feed.isBehind(viewer)) progress();
    else if (isHeld()) beat(term);
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }
}
