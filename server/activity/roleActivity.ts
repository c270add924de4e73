import type { ElectionEvent } from '../../machines/ports.js';
import type { ActivityKind, NotedEvent } from '../wire/activityEvent.js';

/** Notes events when this instance has another role. */
export class RoleActivity {
  readonly #url: string;
  readonly #note: (event: NotedEvent) => void;
  #isLeading = false;
  /** URL of the leader that was noted last. */
  #followed: string | undefined;
  /** Why Redis does not answer; undefined: it does. */
  #redisLost: string | undefined;

  /** `url`: of this instance. */
  constructor(url: string, note: (event: NotedEvent) => void) {
    this.#url = url;
    this.#note = note;
  }

  /** There is no cluster. */
  noteAlone(): void {
    this.#say('instance.alone', 'has started, and counts alone');
  }

  noteElection(event: ElectionEvent): void {
    switch (event.type) {
      case 'lease.taken':
        this.#isLeading = true;
        this.#followed = undefined;
        this.#say('instance.leading', 'leads');
        break;
      case 'lease.lost':
        this.#isLeading = false;
        if (this.#redisLost !== undefined) this.#sayIsolated(this.#redisLost);
        break;
      case 'leader.seen':
        this.#noteLeader(event.leader.url);
        break;
      case 'redis.lost':
        this.#redisLost = event.cause;
        // A leader leads until its lease ends.
        if (!this.#isLeading) this.#sayIsolated(event.cause);
        break;
      case 'redis.answered':
        this.#redisLost = undefined;
        break;
    }
  }

  /** A leader is seen again when its activity changes. */
  #noteLeader(url: string): void {
    if (url === this.#followed) return;
    this.#followed = url;
    this.#say('instance.following', `follows ${url}`);
  }

  #sayIsolated(cause: string): void {
    this.#followed = undefined;
    this.#say('instance.isolated', 'does not reach the Redis of the cluster', cause);
  }

  #say(kind: ActivityKind, words: string, cause: string | null = null): void {
    const level = kind === 'instance.isolated' ? 'warning' : 'info';
    const subject = { type: 'instance', name: this.#url } as const;
    this.#note({ kind, level, subject, message: `Instance ${this.#url} ${words}.`, cause });
  }
}
