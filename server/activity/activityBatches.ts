import type { ActivityEvent } from '../wire/activityEvent.js';
import { maxEvents } from './activity.js';

/** Gathers the events of one turn of the event loop: a network that fails makes many at once. */
export class ActivityBatches {
  readonly #send: (events: readonly ActivityEvent[]) => void;
  #waiting: ActivityEvent[] = [];
  #timer: NodeJS.Immediate | undefined;

  constructor(send: (events: readonly ActivityEvent[]) => void) {
    this.#send = send;
  }

  add(event: ActivityEvent): void {
    this.#waiting.push(event);
    this.#timer ??= setImmediate(() => {
      const events = this.#waiting.slice(-maxEvents);
      this.#waiting = [];
      this.#timer = undefined;
      this.#send(events);
    });
  }
}
