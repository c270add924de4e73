import { useEffect, useRef, useState } from 'preact/hooks';
import { type ApiFailure, getJson } from './api.js';
import { steadyNow } from './steadyNow.js';

/** What a path answered last, and why it did not answer since. */
export interface Polled<T> {
  readonly value: T | undefined;
  readonly failure: ApiFailure | undefined;
  /** When it answered last, in milliseconds since 1970. */
  readonly atMs: number | undefined;
}

const nothing = { value: undefined, failure: undefined, atMs: undefined };

/**
 * Asks a path again and again while the tab is visible, one request at a time; undefined: nothing is
 * asked. The second value asks at once.
 */
export function usePolled<T>(
  path: string | undefined,
  intervalMs: number,
): [Polled<T>, () => void] {
  const [polled, setPolled] = useState<Polled<T>>(nothing);
  const ask = useRef<() => void>(() => undefined);
  useEffect(() => {
    if (path === undefined) return;
    const poll = new Poll(path, intervalMs, setPolled);
    ask.current = () => poll.hasten();
    return () => poll.end();
  }, [path, intervalMs]);
  return [polled, () => ask.current()];
}

/** One path, asked until `end`. */
class Poll<T> {
  readonly #path: string;
  readonly #intervalMs: number;
  readonly #tell: (change: (before: Polled<T>) => Polled<T>) => void;
  readonly #noteVisibility = () => document.visibilityState === 'visible' && this.hasten();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAsking = false;
  #isOver = false;

  constructor(
    path: string,
    intervalMs: number,
    tell: (change: (before: Polled<T>) => Polled<T>) => void,
  ) {
    this.#path = path;
    this.#intervalMs = intervalMs;
    this.#tell = tell;
    document.addEventListener('visibilitychange', this.#noteVisibility);
    this.hasten();
  }

  /** Asks now. */
  hasten(): void {
    clearTimeout(this.#timer);
    if (!this.#isAsking && !this.#isOver) void this.#ask();
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    document.removeEventListener('visibilitychange', this.#noteVisibility);
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    const news = await getJson<T>(this.#path).then(
      (value): Polled<T> => ({ value, failure: undefined, atMs: steadyNow() }),
      (failure: ApiFailure) => ({ failure }),
    );
    this.#isAsking = false;
    if (this.#isOver) return;
    this.#tell((before) => ({ ...before, ...news }));
    // Whoever looks again asks at once.
    if (document.visibilityState === 'visible')
      this.#timer = setTimeout(() => this.hasten(), this.#intervalMs);
  }
}
