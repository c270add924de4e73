export type SubscriptionKind = 'channel' | 'pattern';

/** Long enough not to burden Redis, short enough for an operator who has just granted a permission. */
const retryMs = { first: 500, max: 10_000 };

interface Refused {
  timer: NodeJS.Timeout;
  afterMs: number;
}

/** What Redis refused to subscribe, each tried again after growing pauses; for `RedisChannels`. */
export class RefusedSubscriptions {
  readonly #again: (kind: SubscriptionKind, name: string) => void;
  readonly #refused = new Map<string, Refused>();

  /** `again` subscribes once more; a further refusal is told by `add`. */
  constructor(again: (kind: SubscriptionKind, name: string) => void) {
    this.#again = again;
  }

  /** Notes a refusal, and answers whether it is the first. One that waits already goes on waiting. */
  add(kind: SubscriptionKind, name: string): boolean {
    const key = `${kind} ${name}`;
    const known = this.#refused.get(key);
    clearTimeout(known?.timer);
    const afterMs = known ? Math.min(retryMs.max, known.afterMs * 2) : retryMs.first;
    const timer = setTimeout(() => this.#again(kind, name), afterMs);
    this.#refused.set(key, { timer, afterMs });
    return known === undefined;
  }

  /** It is subscribed, or nobody wants it any longer. Answers whether it was refused before. */
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
