/** Whoever follows a channel. What it throws is caught, and told to the log. */
export interface ChannelFollower {
  /** Messages may come before `onSubscribed`. The buffer is shared: copied by who changes or transfers it. */
  onMessage: (message: Buffer, channel: string) => void;
  /** From now on no message is missed. */
  onSubscribed: () => void;
  /** Messages are being missed, until it is subscribed again. Only after `onSubscribed`, once each. */
  onLost: () => void;
  /** It could not be subscribed, and is tried again. Told when the cause is another than before. */
  onFailed?: (cause: ChannelFailure) => void;
}

/** `away`: Redis does not answer. `refused`: it does not let this user in, or not subscribe. */
export type ChannelFailure = 'away' | 'refused';

/** One following: by the same follower twice it is two of them. */
export interface Following {
  readonly follower: ChannelFollower;
  isSubscribed: boolean;
  /** Why it is not subscribed; undefined: it is, or that is not known yet. */
  failure: ChannelFailure | undefined;
}

/** Followings by the name of their channel or pattern, for `RedisChannels`. */
export class Followings {
  readonly #byName = new Map<string, Set<Following>>();

  get size(): number {
    return this.#byName.size;
  }

  names(): string[] {
    return [...this.#byName.keys()];
  }

  /** A copy: whoever is told something may follow and leave while others are told. */
  of(name: string): Following[] {
    return [...(this.#byName.get(name) ?? [])];
  }

  has(name: string, following: Following): boolean {
    return this.#byName.get(name)?.has(following) ?? false;
  }

  add(name: string, following: Following): void {
    const known = this.#byName.get(name);
    if (known) known.add(following);
    else this.#byName.set(name, new Set([following]));
  }

  /** Whether it was the last of this name. */
  remove(name: string, following: Following): boolean {
    const known = this.#byName.get(name);
    if (!known?.delete(following) || known.size > 0) return false;
    this.#byName.delete(name);
    return true;
  }

  clear(): void {
    this.#byName.clear();
  }
}
