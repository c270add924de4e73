import { maxEvents } from '../activity/activity.js';
import type { ActivityEvent } from '../wire/activityEvent.js';
import type { ClusterConnection } from './connect.js';
import { clusterKeys } from './keys.js';
import { parseActivityEvent } from './passedActivity.js';

const keptSeconds = 7 * 24 * 60 * 60;

/** The activity of a cluster in its Redis, for the next leader: a list of at most 500 events, kept for a week. */
export class RedisActivity {
  readonly #connection: ClusterConnection;

  constructor(connection: ClusterConnection) {
    this.#connection = connection;
  }

  /** Oldest first. Rejects if Redis does not answer. */
  async load(): Promise<ActivityEvent[]> {
    const texts = await this.#connection.client.lrange(clusterKeys.activity, 0, -1);
    return texts.flatMap((text) => parseActivityEvent(text) ?? []);
  }

  /** Appends events. Rejects if Redis does not answer. */
  async save(events: readonly ActivityEvent[]): Promise<void> {
    if (events.length === 0) return;
    const { activity: key } = clusterKeys;
    const texts = events.map((event) => JSON.stringify(event));
    await this.#connection.client
      .multi()
      .rpush(key, ...texts)
      .ltrim(key, -maxEvents, -1)
      .expire(key, keptSeconds)
      .exec();
  }
}
