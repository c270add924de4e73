import { AtMostEvery } from '../timing/atMostEvery.js';
import { Pace } from '../timing/pace.js';
import { type InboxEntry, inboxText } from './inbox.js';

/** What the writer needs of the rest of the service. */
export interface InboxWriterNeeds {
  /** Writes entries to Redis. `done` is called once. */
  push: (entries: readonly string[], done: (error?: Error) => void) => void;
}

/** The newest are kept while Redis does not answer. */
const maxWaiting = 1000;
const maxPushed = 250;
const intervalMs = 100;
const retryMs = 1000;
/** The leader reads the inbox about once a second, and the same entry twice tells it nothing new. */
const repeatMs = 1000;

/** Writes what this instance has seen into the inbox of the leader: one request at a time, no entry twice in a second. */
export class InboxWriter {
  readonly #needs: InboxWriterNeeds;
  readonly #repeats = new AtMostEvery(repeatMs);
  readonly #pace = new Pace(
    () => this.#push(),
    () => (this.#isFailing ? retryMs : intervalMs),
  );
  #waiting: string[] = [];
  #isPushing = false;
  #isFailing = false;
  #isClosed = false;
  #onEnded: (() => void) | undefined;

  constructor(needs: InboxWriterNeeds) {
    this.#needs = needs;
  }

  write(entry: InboxEntry): void {
    const text = inboxText(entry);
    if (text === undefined || this.#isClosed || !this.#repeats.allows(text)) return;
    this.#waiting.push(text);
    if (this.#waiting.length > maxWaiting) this.#waiting.shift();
    this.#pace.touch();
  }

  /** Takes nothing more, and drops what waits. */
  close(): void {
    this.#isClosed = true;
    this.#pace.close();
  }

  /** Takes nothing more. `onEnded` is called once: Redis has what waited, or did not take it. */
  end(onEnded: () => void): void {
    this.close();
    this.#onEnded = onEnded;
    this.#push();
  }

  #push(): void {
    if (this.#isPushing) return;
    if (this.#waiting.length === 0) this.#onEnded?.();
    else this.#pushWaiting();
  }

  #pushWaiting(): void {
    const entries = this.#waiting.splice(0, maxPushed);
    const isLastAttempt = this.#onEnded !== undefined;
    this.#isPushing = true;
    this.#needs.push(entries, (error) => {
      this.#isPushing = false;
      this.#isFailing = error !== undefined;
      if (error) this.#waiting = [...entries, ...this.#waiting].slice(-maxWaiting);
      if (!this.#isClosed && this.#waiting.length > 0) this.#pace.touch();
      if (error && isLastAttempt) this.#onEnded?.();
      else if (this.#onEnded) this.#push();
    });
  }
}
