import { isLoopback, subscriberOf } from '../../addresses.js';

/** Counts what each subscriber has open: one address, or one /64 of IPv6. Loopback is not counted. */
export class OpenBySubscriber {
  readonly #open = new Map<string, number>();

  /** How many the subscriber of an address has open. */
  of(address: string): number {
    return this.#open.get(subscriberOf(address)) ?? 0;
  }

  /** Counts one more. The returned function must be called once, when it closes. */
  add(address: string): () => void {
    if (isLoopback(address)) return () => {};
    const subscriber = subscriberOf(address);
    this.#change(subscriber, 1);
    return () => this.#change(subscriber, -1);
  }

  #change(subscriber: string, by: 1 | -1): void {
    const open = (this.#open.get(subscriber) ?? 0) + by;
    if (open === 0) this.#open.delete(subscriber);
    else this.#open.set(subscriber, open);
  }
}
