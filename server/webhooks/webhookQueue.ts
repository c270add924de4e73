import { type Clock, systemClock, type Timer } from '../timing/clock.js';
import type { ActivityEvent } from '../wire/activityEvent.js';
import { WebhookFailure } from './webhookFailure.js';

/** What a queue needs, and whom it tells. */
export interface WebhookQueueNeeds {
  /** One attempt. Rejects with the reason if the receiver did not accept the event; `WebhookFailure` says when to retry. */
  deliver: (event: ActivityEvent) => Promise<void>;
  onDelivered: () => void;
  /** An attempt failed. The next one follows. */
  onFailed: (cause: string) => void;
  /** An event was given up: it waited for an hour, or too many are waiting. */
  onDropped: (event: ActivityEvent) => void;
  clock?: Clock;
  /** From 0 to 1. Default: `Math.random`. */
  random?: () => number;
}

interface Waiting {
  event: ActivityEvent;
  sinceMs: number;
}

const maxWaiting = 500;
const maxAgeMs = 60 * 60_000;
const firstPauseMs = 1000;
const maxPauseMs = 5 * 60_000;

/** Delivers events one after the other, and tries each again until it is accepted. At most 500 wait. */
export class WebhookQueue {
  readonly #needs: WebhookQueueNeeds;
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  #failures = 0;
  #isDelivering = false;
  #timer: Timer;
  #isClosed = false;

  constructor(needs: WebhookQueueNeeds) {
    this.#needs = needs;
    this.#clock = needs.clock ?? systemClock;
  }

  add(event: ActivityEvent): void {
    if (this.#isClosed) return;
    this.#waiting.push({ event, sinceMs: this.#clock.monotonicMs() });
    // The first one may be under way.
    if (this.#waiting.length > maxWaiting) this.#drop(1);
    if (this.#timer === undefined) void this.#deliver();
  }

  /** Delivers nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#clock.clearTimeout(this.#timer);
  }

  async #deliver(): Promise<void> {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    this.#dropOld();
    for (let first = this.#waiting[0]; first && !this.#isClosed; first = this.#waiting[0]) {
      const failure = await this.#attempt(first);
      if (this.#isClosed) return;
      if (failure) {
        this.#needs.onFailed(failure.message);
        this.#pause(failure);
        break;
      }
      this.#failures = 0;
      this.#waiting.shift();
      this.#needs.onDelivered();
    }
    this.#isDelivering = false;
  }

  /** Why it failed; undefined: it did not. */
  #attempt({ event }: Waiting): Promise<Error | undefined> {
    return this.#needs.deliver(event).then(
      () => undefined,
      (error: Error) => error,
    );
  }

  /**
   * Doubles with each failure, and is never shorter than the receiver asks for. Random, because several instances send
   * to the same receiver.
   */
  #pause(failure: Error): void {
    const random = (this.#needs.random ?? Math.random)();
    const ms = Math.min(maxPauseMs, firstPauseMs * 2 ** this.#failures) * (0.5 + random / 2);
    const { retryAfterMs } = failure instanceof WebhookFailure ? failure : {};
    const asked = retryAfterMs === undefined ? 0 : retryAfterMs + random * firstPauseMs;
    this.#failures += 1;
    this.#timer = this.#clock.setTimeout(
      () => {
        this.#timer = undefined;
        void this.#deliver();
      },
      Math.max(ms, asked),
    );
  }

  #dropOld(): void {
    const oldest = this.#clock.monotonicMs() - maxAgeMs;
    while ((this.#waiting[0]?.sinceMs ?? oldest) < oldest) this.#drop(0);
  }

  #drop(at: number): void {
    for (const { event } of this.#waiting.splice(at, 1)) this.#needs.onDropped(event);
  }
}
