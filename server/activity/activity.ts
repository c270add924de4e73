import { randomBytes } from 'node:crypto';
import type { ActivityEvent, NotedEvent } from '../wire/activityEvent.js';

/** What the activity of one instance is made of. */
export interface ActivityNeeds {
  /** URL of this instance. */
  instance: string;
  /** Milliseconds since 1970. Default: `Date.now`. */
  now?: () => number;
}

/** Called with an event. `isOwn`: this instance noted it; if not, another one of the cluster did. */
export type ActivityListener = (event: ActivityEvent, isOwn: boolean) => void;

/** The number in the id. */
const numberOf = ({ id }: ActivityEvent) => Number.parseInt(id, 10);

/** Events that are kept. */
export const maxEvents = 500;

/** The last 500 events: what happened to servers, rooms, instances and dependencies. In memory only. */
export class Activity {
  readonly #instance: string;
  readonly #now: () => number;
  readonly #suffix = randomBytes(4).toString('hex');
  readonly #listeners: ActivityListener[] = [];
  /** By id, oldest first. */
  readonly #events = new Map<string, ActivityEvent>();
  /** Number of the newest own event, in microseconds since 1970: larger than those of earlier runs. */
  #number = 0;

  constructor({ instance, now = Date.now }: ActivityNeeds) {
    this.#instance = instance;
    this.#now = now;
  }

  /** Adds an event that happened just now. */
  note(noted: NotedEvent): void {
    const nowMs = this.#now();
    this.#number = Math.max(this.#number + 1, nowMs * 1000);
    const id = `${this.#number}-${this.#suffix}`;
    const at = new Date(nowMs).toISOString();
    this.#add({ id, at, ...noted, instance: this.#instance }, true);
  }

  /** Adds an event of another instance, unless it is known. */
  take(event: ActivityEvent): void {
    if (!this.#events.has(event.id)) this.#add(event, false);
  }

  /** Adds events of earlier leaders, in the order of time. No listener is told: they are not new. */
  restore(events: readonly ActivityEvent[]): void {
    const all = new Map([...events, ...this.#events.values()].map((event) => [event.id, event]));
    const sorted = [...all.values()].sort((one, other) => numberOf(one) - numberOf(other));
    this.#events.clear();
    for (const event of sorted.slice(-maxEvents)) this.#events.set(event.id, event);
  }

  /** The events after an id, oldest first; all that are kept if the id is undefined or not kept any more. */
  since(id?: string): ActivityEvent[] {
    const events = [...this.#events.values()];
    const at = id === undefined ? -1 : events.findIndex((event) => event.id === id);
    return events.slice(at + 1);
  }

  /** Adds a listener for all events from now on. */
  onEvent(listener: ActivityListener): void {
    this.#listeners.push(listener);
  }

  #add(event: ActivityEvent, isOwn: boolean): void {
    this.#events.set(event.id, event);
    const oldest = this.#events.keys().next().value;
    if (this.#events.size > maxEvents && oldest !== undefined) this.#events.delete(oldest);
    for (const listener of this.#listeners) listener(event, isOwn);
  }
}
