/** A queue in which hosts take turns (round robin), so a host with a thousand items delays no other. */
export class HostQueue<T extends { signal: AbortSignal }> {
  /** In the order of their turns. No list is empty. */
  readonly #byHost = new Map<string, T[]>();

  put(host: string, item: T): void {
    const waiting = this.#byHost.get(host);
    if (waiting) waiting.push(item);
    else this.#byHost.set(host, [item]);
  }

  /** The next item that is not aborted, and its host. */
  take(): { host: string; item: T } | undefined {
    for (const [host, waiting] of this.#byHost) {
      this.#byHost.delete(host);
      let item = waiting.shift();
      while (item?.signal.aborted) item = waiting.shift();
      if (waiting.length > 0) this.#byHost.set(host, waiting);
      if (item) return { host, item };
    }
    return undefined;
  }

  get isEmpty(): boolean {
    return this.#byHost.size === 0;
  }
}
