import { type Clock, systemClock, type Timer } from '../timing/clock.js';
import type { StreamViewer } from './channel.js';

/** Not every drain is announced, so viewers that are behind are looked at this often. */
const catchUpMs = 1000;
/** A comment to every viewer, after so many of these looks: every 15 s. */
const beatEvery = 15;
/** A viewer that has left bytes unread for so long is disconnected. */
const maxPendingMs = 60_000;

/** Event streams that a heartbeat keeps alive. */
export interface LiveStreams {
  /** Brings viewers that are behind up to date. */
  catchUp: () => void;
  viewers: () => Iterable<StreamViewer>;
}

/** Keeps event streams alive: viewers catch up every second and get a comment every 15 s. */
export class Heartbeat {
  readonly #streams: LiveStreams;
  readonly #clock: Clock;
  #timer: Timer;
  #looks = 0;

  constructor(streams: LiveStreams, clock: Clock = systemClock) {
    this.#streams = streams;
    this.#clock = clock;
  }

  start(): void {
    this.#timer ??= this.#clock.setTimeout(() => this.#look(), catchUpMs);
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    this.#timer = this.#clock.setTimeout(() => this.#look(), catchUpMs);
    this.#looks += 1;
    this.#streams.catchUp();
    if (this.#looks % beatEvery !== 0) return;
    for (const viewer of this.#streams.viewers()) viewer.heartbeatOrDisconnect(maxPendingMs);
  }
}
