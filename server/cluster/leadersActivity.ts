import { type Activity, maxEvents } from '../activity/activity.js';
import { type Clock, systemClock, type Timer } from '../timing/clock.js';
import type { ActivityEvent } from '../wire/activityEvent.js';
import type { RedisActivity } from './redisActivity.js';

/** What keeping the activity of a cluster needs. */
export interface LeadersActivityNeeds {
  activity: Pick<Activity, 'since' | 'restore'>;
  /** Where the leaders keep it. */
  store: Pick<RedisActivity, 'load' | 'save'>;
  clock?: Clock;
}

const retryMs = 1000;

/** Hands the activity of a cluster from one leader to the next: loads it, and saves what is new. */
export class LeadersActivity {
  readonly #needs: LeadersActivityNeeds;
  readonly #clock: Clock;
  /** One for each leadership; undefined: this instance does not lead. */
  #leadership: object | undefined;
  #isLoaded = false;
  #unsaved: ActivityEvent[] = [];
  #isSaving = false;
  #timer: Timer;

  constructor(needs: LeadersActivityNeeds) {
    this.#needs = needs;
    this.#clock = needs.clock ?? systemClock;
  }

  /** This instance leads: it takes over what the leaders before it knew. */
  lead(): void {
    this.#leadership = {};
    void this.#load(this.#leadership);
  }

  stopLeading(): void {
    this.#leadership = undefined;
    this.#isLoaded = false;
    this.#unsaved = [];
    this.#clock.clearTimeout(this.#timer);
  }

  /** Saves an event, if this instance leads. */
  add(event: ActivityEvent): void {
    if (!this.#isLoaded) return;
    this.#unsaved = [...this.#unsaved, event].slice(-maxEvents);
    void this.#save();
  }

  /** Retries until Redis answers. */
  async #load(leadership: object): Promise<void> {
    const { activity, store } = this.#needs;
    const events = await store.load().catch(() => undefined);
    if (leadership !== this.#leadership) return;
    if (!events) {
      this.#timer = this.#clock.setTimeout(() => void this.#load(leadership), retryMs);
      return;
    }
    const saved = new Set(events.map(({ id }) => id));
    activity.restore(events);
    this.#unsaved = activity.since().filter(({ id }) => !saved.has(id));
    this.#isLoaded = true;
    void this.#save();
  }

  /** What cannot be saved now is saved with the next event. */
  async #save(): Promise<void> {
    if (this.#isSaving || this.#unsaved.length === 0) return;
    const leadership = this.#leadership;
    const events = this.#unsaved;
    this.#unsaved = [];
    this.#isSaving = true;
    const isSaved = await this.#needs.store.save(events).then(
      () => true,
      () => false,
    );
    this.#isSaving = false;
    if (leadership !== this.#leadership) return;
    if (!isSaved) this.#unsaved = [...events, ...this.#unsaved].slice(-maxEvents);
    else if (this.#unsaved.length > 0) void this.#save();
  }
}
