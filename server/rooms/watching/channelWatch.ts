import type { ServerId } from '../../../machines/ports.js';
import type { AddedRanges } from '../../documents/documentProtocol.js';
import { Unheard } from './unheard.js';

/** Whom it is told to. */
export interface ChannelWatchEvents {
  /** A round found on a server what the channel has not brought so far. */
  onMissed: () => void;
  /** The channel brought something new or missed, and nothing is missed now; once until it is `onMissed` or begun. */
  onHeard: () => void;
}

/** Compares what rounds find on a room's servers with what its channel brings. */
export class ChannelWatch {
  readonly #events: ChannelWatchEvents;
  readonly #unheard: Unheard;
  /** Servers whose states came in the round before: what is new there is newer than that. */
  #servers: ReadonlySet<ServerId> = new Set();
  #isHeard = false;
  /** Whether an update was let go here: what a round finds may be just that. */
  #isExcused = false;
  /** Whether an update came since the last round. */
  #hasUpdate = false;

  /** `now`: milliseconds of any clock that only grows. */
  constructor(now: () => number, events: ChannelWatchEvents) {
    this.#unheard = new Unheard(now);
    this.#events = events;
  }

  /** The channel is subscribed anew. */
  begin(): void {
    this.#unheard.clear();
    this.#isHeard = false;
  }

  /** The document is empty again. */
  reset(): void {
    this.#unheard.clear();
    this.#servers = new Set();
  }

  /** An update of the channel was let go here. */
  excuse(): void {
    this.#isExcused = true;
  }

  /** A server had what the document did not: after a round it should have come by the channel. */
  noteNews(server: ServerId, news: AddedRanges): void {
    if (this.#servers.has(server)) this.#unheard.add(news);
  }

  /** The same, without a document that could tell what it is. */
  noteUnknownNews(server: ServerId): void {
    if (this.#servers.has(server) && !this.#hasUpdate) this.#unheard.add(undefined);
  }

  noteUpdate(update: Uint8Array, isNew: boolean): void {
    this.#hasUpdate = true;
    const wasMissed = this.#unheard.hear(update);
    if (this.#isHeard || !this.#unheard.isEmpty || !(isNew || wasMissed)) return;
    this.#isHeard = true;
    this.#events.onHeard();
  }

  /** A round has ended that read the states of these servers, and everything of it is noted. */
  judge(servers: Iterable<ServerId>, isJudged: boolean): void {
    this.#servers = new Set(servers);
    this.#unheard.dropOld();
    if (!isJudged || this.#isExcused) this.#unheard.clear();
    this.#isExcused = false;
    this.#hasUpdate = false;
    if (this.#unheard.isEmpty) return;
    this.#isHeard = false;
    this.#events.onMissed();
  }
}
