/** Follows a Redis channel or pattern. Errors that its methods throw are caught and logged. */
export interface ChannelFollower {
  /** Messages may arrive before `onSubscribed`. The buffer is shared: copy it to change or transfer it. */
  onMessage: (message: Buffer, channel: string) => void;
  /** From now on no message is missed. */
  onSubscribed: () => void;
  /** Messages are missed until the next `onSubscribed`. Called once after each `onSubscribed`. */
  onLost: () => void;
  /** The subscription failed and is retried. Called again only when the cause changes. */
  onFailed?: (cause: ChannelFailure) => void;
}

/** `unreachable`: Redis does not answer. `refused`: Redis refuses the login or the subscription. */
export type ChannelFailure = 'unreachable' | 'refused';

/** The subscription of one follower. The same follower can have several. */
export interface Subscription {
  readonly follower: ChannelFollower;
  isSubscribed: boolean;
  /** Why it is not subscribed; undefined: it is, or the answer is pending. */
  failure: ChannelFailure | undefined;
}

/** The subscriptions of `RedisChannels`, by the name of their channel or pattern. */
export class Subscriptions {
  readonly #byName = new Map<string, Set<Subscription>>();

  get size(): number {
    return this.#byName.size;
  }

  names(): string[] {
    return [...this.#byName.keys()];
  }

  /** A copy: followers may add and remove subscriptions while they are called. */
  of(name: string): Subscription[] {
    return [...(this.#byName.get(name) ?? [])];
  }

  has(name: string, subscription: Subscription): boolean {
    return this.#byName.get(name)?.has(subscription) ?? false;
  }

  add(name: string, subscription: Subscription): void {
    const known = this.#byName.get(name);
    if (known) known.add(subscription);
    else this.#byName.set(name, new Set([subscription]));
  }

  /** Removes a subscription; true if it was the last of its name. */
  remove(name: string, subscription: Subscription): boolean {
    const known = this.#byName.get(name);
    if (!known?.delete(subscription) || known.size > 0) return false;
    this.#byName.delete(name);
    return true;
  }

  clear(): void {
    this.#byName.clear();
  }
}
