import { type Clock, systemClock, type Timer } from '../timing/clock.js';

/** A fleet that can be watched. */
export interface WatchableFleet {
  viewerConnected: () => void;
  viewerDisconnected: () => void;
}

/**
 * The viewer that scrapes stand for: a scrape that asks for it watches the fleet for a while, so the fleet stays
 * active between scrapes. All scrapers of an instance are one viewer. A follower remembers its scrapes, and
 * watches the fleet at once when it begins to lead.
 */
export class ScrapeViewer {
  readonly #clock: Clock;
  #timer: Timer;
  #isLooking = false;
  #fleet: WatchableFleet | undefined;
  /** The fleet that was told of the viewer. */
  #watched: WatchableFleet | undefined;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** A scrape counts as a viewer for `ms` from now on. */
  look(ms: number): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.#lookAway(), ms);
    this.#isLooking = true;
    this.#watch();
  }

  /** This instance leads a fleet from now on. Undefined: it no longer does. */
  lead(fleet: WatchableFleet | undefined): void {
    this.#fleet = fleet;
    this.#watched = undefined;
    if (this.#isLooking) this.#watch();
  }

  close(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#fleet = undefined;
    this.#watched = undefined;
  }

  #watch(): void {
    if (this.#watched === this.#fleet) return;
    this.#watched = this.#fleet;
    this.#watched?.viewerConnected();
  }

  #lookAway(): void {
    this.#isLooking = false;
    this.#watched?.viewerDisconnected();
    this.#watched = undefined;
  }
}
