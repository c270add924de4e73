import type { Term } from '../../../machines/ports.js';
import type { Clock, Timer } from '../../timing/clock.js';
import { ageOf, type Instant, instantOf } from '../../timing/instant.js';
import type { OpenUpstream, Upstream, UpstreamEvent } from './upstream.js';

/** A beat is sent every half second. Without one for this long, numbers may be out of date. */
const freshMs = 2000;
/** After this silence the stream is opened again: its connection may be half open. */
const silentMs = 5000;
const firstRetryMs = 100;
const maxRetryMs = 1000;

/** What a link needs, and whom it tells. */
export interface LinkNeeds {
  clock: Clock;
  /** From 0 to 1. */
  random: () => number;
  upstream: Upstream;
  /** Where to resume; undefined: from a snapshot. */
  lastEventId: () => string | undefined;
  /** The stream is about to be opened. */
  onOpening: () => void;
  onEvent: (event: UpstreamEvent) => void;
  /** The leader was heard, or has not been heard for too long. */
  onBeat: (isFresh: boolean) => void;
  /** The stream has ended. It will be opened again. */
  onLost: (cause: string) => void;
}

/** Keeps an upstream open until it is closed: opens it again after an end or a silence. */
export class UpstreamLink {
  readonly #needs: LinkNeeds;
  /** One for each opening: events of earlier ones are ignored. */
  #session: object | undefined;
  #open: OpenUpstream | undefined;
  #lastBeat: Instant | undefined;
  #heardAt: Instant;
  #watchTimer: Timer;
  #retryTimer: Timer;
  #failures = 0;

  constructor(needs: LinkNeeds) {
    this.#needs = needs;
    this.#heardAt = instantOf(needs.clock);
  }

  open(): void {
    const { clock, upstream, lastEventId, onOpening, onEvent } = this.#needs;
    const session = {};
    this.#session = session;
    this.#heardAt = instantOf(clock);
    onOpening();
    this.#watch();
    const only =
      <Args extends unknown[]>(report: (...args: Args) => void) =>
      (...args: Args) => {
        if (this.#session !== session) return;
        this.#heardAt = instantOf(clock);
        report(...args);
      };
    const reports = {
      onEvent: only(onEvent),
      onBeat: only((term: Term) => this.#beat(term)),
      onProgress: only(() => {}),
      onEnd: only((cause: string) => this.fail(cause)),
    };
    const opened = upstream.open(reports, lastEventId());
    if (this.#session === session) this.#open = opened;
    else opened.close();
  }

  /** Whether the leader was heard in the last two seconds, by both clocks. */
  get isFresh(): boolean {
    return this.#lastBeat !== undefined && ageOf(this.#lastBeat, this.#needs.clock) < freshMs;
  }

  /** Milliseconds since the last beat of this opening; null: none yet. */
  get beatAgoMs(): number | null {
    return this.#lastBeat ? ageOf(this.#lastBeat, this.#needs.clock) : null;
  }

  /** Ends the stream, and opens it again after a pause. */
  fail(cause: string): void {
    const { clock, random, onLost } = this.#needs;
    this.#end();
    const pauseMs = Math.min(maxRetryMs, firstRetryMs * 2 ** this.#failures);
    this.#failures += 1;
    this.#retryTimer = clock.setTimeout(() => this.open(), pauseMs * (0.5 + random() / 2));
    onLost(cause);
  }

  close(): void {
    this.#end();
    this.#needs.clock.clearTimeout(this.#retryTimer);
  }

  #end(): void {
    const open = this.#open;
    this.#session = undefined;
    this.#open = undefined;
    this.#lastBeat = undefined;
    this.#needs.clock.clearTimeout(this.#watchTimer);
    open?.close();
  }

  /** A beat of another term says nothing: an earlier leader may not know yet that it is replaced. */
  #beat(term: Term): void {
    if (term !== this.#needs.upstream.term) return;
    this.#lastBeat = instantOf(this.#needs.clock);
    this.#failures = 0;
    this.#needs.onBeat(true);
  }

  #watch(): void {
    const { clock, onBeat } = this.#needs;
    const waitMs = this.isFresh ? freshMs - (this.beatAgoMs ?? 0) : freshMs / 4;
    this.#watchTimer = clock.setTimeout(() => {
      if (ageOf(this.#heardAt, clock) > silentMs) this.fail(`silent for ${silentMs} ms`);
      else this.#watch();
      if (!this.isFresh) onBeat(false);
    }, waitMs);
  }
}
