export type SubscriptionKind = 'channel' | 'pattern';

/** Slow enough for Redis, fast enough for an operator who has just granted a permission. */
const retryMs = { first: 500, max: 10_000 };

interface Refused {
  timer: NodeJS.Timeout;
  afterMs: number;
}

/** Subscriptions of `RedisChannels` that Redis refused. Retries each, with growing pauses. */
export class RefusedSubscriptions {
  readonly #retry: (kind: SubscriptionKind, name: string) => void;
  readonly #refused = new Map<string, Refused>();

  /** `retry` subscribes again; call `add` if it is refused again. */
  constructor(retry: (kind: SubscriptionKind, name: string) => void) {
    this.#retry = retry;
  }

  /** Notes a refusal and schedules the next retry. True for the first refusal. */
  add(kind: SubscriptionKind, name: string): boolean {
    const key = `${kind} ${name}`;
    const known = this.#refused.get(key);
    clearTimeout(known?.timer);
    const afterMs = known ? Math.min(retryMs.max, known.afterMs * 2) : retryMs.first;
    const timer = setTimeout(() => this.#retry(kind, name), afterMs);
    this.#refused.set(key, { timer, afterMs });
    return known === undefined;
  }

  /** Stops retrying: it is subscribed, or has no followers. True if it had been refused. */
  forget(kind: SubscriptionKind, name: string): boolean {
    const key = `${kind} ${name}`;
    clearTimeout(this.#refused.get(key)?.timer);
    return this.#refused.delete(key);
  }

  clear(): void {
    for (const { timer } of this.#refused.values()) clearTimeout(timer);
    this.#refused.clear();
  }
}
