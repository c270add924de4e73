/** A queue in which hosts take turns: who asks for a thousand ports of one host waits behind itself. */
export class HostQueue<T extends { signal: AbortSignal }> {
  /** In the order of their turns; none without anything that waits. */
  readonly #byHost = new Map<string, T[]>();

  put(host: string, item: T): void {
    const waiting = this.#byHost.get(host);
    if (waiting) waiting.push(item);
    else this.#byHost.set(host, [item]);
  }

  /** The next one that was not aborted, and whose it is. */
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
