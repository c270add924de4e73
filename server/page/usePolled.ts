import { useEffect, useRef, useState } from 'preact/hooks';
import { type ApiFailure, getJson } from './api.js';
import { steadyNow } from './steadyNow.js';

/** The last answer of a path, and the failure of the last request. */
export interface Polled<T> {
  readonly value: T | undefined;
  readonly failure: ApiFailure | undefined;
  /** Time of the last answer, in milliseconds since 1970. */
  readonly atMs: number | undefined;
}

const nothing = { value: undefined, failure: undefined, atMs: undefined };

/**
 * Polls a path while the tab is visible, one request at a time. An undefined path sends nothing. The
 * returned function polls immediately.
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
    ask.current = () => poll.pollNow();
    return () => poll.end();
  }, [path, intervalMs]);
  return [polled, () => ask.current()];
}

/** Polls one path until `end`. */
class Poll<T> {
  readonly #path: string;
  readonly #intervalMs: number;
  readonly #update: (change: (before: Polled<T>) => Polled<T>) => void;
  readonly #noteVisibility = () => document.visibilityState === 'visible' && this.pollNow();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAsking = false;
  #isOver = false;

  constructor(
    path: string,
    intervalMs: number,
    update: (change: (before: Polled<T>) => Polled<T>) => void,
  ) {
    this.#path = path;
    this.#intervalMs = intervalMs;
    this.#update = update;
    document.addEventListener('visibilitychange', this.#noteVisibility);
    this.pollNow();
  }

  /** Polls immediately. */
  pollNow(): void {
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
    const answer = await getJson<T>(this.#path).then(
      (value): Polled<T> => ({ value, failure: undefined, atMs: steadyNow() }),
      (failure: ApiFailure) => ({ failure }),
    );
    this.#isAsking = false;
    if (this.#isOver) return;
    this.#update((before) => ({ ...before, ...answer }));
    // A hidden tab polls again when it becomes visible.
    if (document.visibilityState === 'visible')
      this.#timer = setTimeout(() => this.pollNow(), this.#intervalMs);
  }
}
