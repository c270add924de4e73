import { type InboxEntry, parseInboxEntry } from './inbox.js';

/** What the reader needs of the rest of the service. */
export interface InboxReaderNeeds {
  /** Takes the entries from Redis, if this instance still leads. `done` is called once. */
  take: (done: (error?: Error, entries?: readonly string[]) => void) => void;
  handle: (entry: InboxEntry) => void;
  /** Entries that cannot be read were left out, for example those of another version. */
  onUnreadable: (count: number) => void;
  /** What was in the inbox has been handled. */
  onRead: () => void;
}

/** Redis may have moved the entries although its answer was lost; then the inbox looks empty. */
const retryMs = 1000;
/** Entries handled in one turn of the event loop. */
const perTurn = 20;

/** Reads the inbox for a leader: once at the beginning of its term, and after each `note`. */
export class InboxReader {
  readonly #needs: InboxReaderNeeds;
  #isTaking = false;
  #isDue = false;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(needs: InboxReaderNeeds) {
    this.#needs = needs;
  }

  /** The inbox is not empty, or may not be. */
  note(): void {
    if (this.#isClosed) return;
    this.#isDue = this.#isTaking;
    if (this.#isTaking) return;
    this.#isTaking = true;
    clearTimeout(this.#retry);
    this.#needs.take((error, entries = []) => {
      this.#handle(entries, !error);
      if (error && !this.#isClosed) this.#retry = setTimeout(() => this.note(), retryMs);
    });
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
  }

  /** In slices: after a takeover a thousand servers may have asked. */
  #handle(entries: readonly string[], wasTaken: boolean): void {
    if (this.#isClosed) return;
    this.#handleAll(entries.slice(0, perTurn));
    if (entries.length > perTurn) {
      setImmediate(() => this.#handle(entries.slice(perTurn), wasTaken));
      return;
    }
    this.#isTaking = false;
    if (wasTaken) this.#needs.onRead();
    if (this.#isDue) this.note();
  }

  #handleAll(texts: readonly string[]): void {
    let unreadable = 0;
    for (const text of texts) {
      const entry = parseInboxEntry(text);
      if (entry) this.#needs.handle(entry);
      else unreadable += 1;
    }
    if (unreadable > 0) this.#needs.onUnreadable(unreadable);
  }
}
