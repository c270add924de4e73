import { z } from 'zod';
import type { Leader } from '../../machines/ports.js';
import { maxEvents } from '../activity/activity.js';
import { parseJson } from '../parseJson.js';
import { type Clock, systemClock, type Timer } from '../timing/clock.js';
import type { ActivityEvent } from '../wire/activityEvent.js';

/** Where the leader takes events of other instances. */
export const passedActivityPath = '/api/instances/activity';

/** What passing events on needs. */
export interface PassedActivityNeeds {
  /** Whether this instance leads, so nobody has to be told. */
  isLeading: () => boolean;
  /** Another instance that leads. */
  leader: () => Leader | undefined;
  /** Posts JSON to the leader. Rejects without an answer. */
  ask: (to: Leader, path: string, body: string) => Promise<{ status: number }>;
  clock?: Clock;
}

/** Events in one request. */
const maxPassed = 50;
const retryMs = 1000;

/** Passes the events of an instance that follows on to the leader. They wait while nobody leads; at most 500. */
export class PassedActivity {
  readonly #needs: PassedActivityNeeds;
  readonly #clock: Clock;
  #waiting: ActivityEvent[] = [];
  #timer: Timer;
  #isPassing = false;
  #isClosed = false;

  constructor(needs: PassedActivityNeeds) {
    this.#needs = needs;
    this.#clock = needs.clock ?? systemClock;
  }

  /** Passes an event on, after this turn of the event loop: it may be about the role of this instance. */
  add(event: ActivityEvent): void {
    this.#waiting = [...this.#waiting, event].slice(-maxEvents);
    if (this.#timer === undefined && !this.#isPassing) this.#passAfter(0);
  }

  close(): void {
    this.#isClosed = true;
    this.#clock.clearTimeout(this.#timer);
  }

  #passAfter(ms: number): void {
    if (this.#isClosed) return;
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      void this.#pass();
    }, ms);
  }

  async #pass(): Promise<void> {
    if (this.#needs.isLeading()) this.#waiting = [];
    const events = this.#waiting.slice(0, maxPassed);
    if (events.length === 0) return;
    this.#isPassing = true;
    const isTaken = await this.#send(events);
    this.#isPassing = false;
    if (isTaken) this.#waiting = this.#waiting.filter((event) => !events.includes(event));
    if (this.#waiting.length > 0) this.#passAfter(isTaken ? 0 : retryMs);
  }

  async #send(events: readonly ActivityEvent[]): Promise<boolean> {
    const { leader, ask } = this.#needs;
    const to = leader();
    if (!to) return false;
    try {
      const { status } = await ask(to, passedActivityPath, JSON.stringify({ events }));
      return status === 204;
    } catch {
      return false;
    }
  }
}

const eventShape = z.object({
  id: z.string().regex(/^\d{1,16}-[0-9a-f]{1,16}$/),
  at: z.iso.datetime(),
  // A newer version may have more kinds.
  kind: z.string().max(64),
  level: z.enum(['info', 'warning']),
  subject: z.object({
    type: z.enum(['server', 'room', 'instance', 'dependency']),
    name: z.string(),
  }),
  message: z.string(),
  cause: z.string().nullable(),
  instance: z.string(),
});
const passedShape = z.object({ events: z.array(eventShape).max(maxPassed) });

/** Reads the body of a request that passes events on; undefined: it is none. */
export function parsePassedActivity(body: string): ActivityEvent[] | undefined {
  return passedShape.safeParse(parseJson(body)).data?.events as ActivityEvent[] | undefined;
}

/** Reads one event; undefined: it is none. */
export function parseActivityEvent(text: string): ActivityEvent | undefined {
  return eventShape.safeParse(parseJson(text)).data as ActivityEvent | undefined;
}
