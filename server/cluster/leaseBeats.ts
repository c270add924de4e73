import type { Clock, Timer } from '../timing/clock.js';
import { type Instant, instantOf } from '../timing/instant.js';
import type { Beat, BeatResult, ClusterStore } from './clusterStore.js';

export interface LeaseBeatsNeeds {
  readonly store: Pick<ClusterStore, 'beat'>;
  readonly clock: Clock;
  readonly beatMs: number;
  /** What the next beat tells. */
  readonly tell: () => Omit<Beat, 'beats'>;
  /** It is time for the next regular beat. */
  readonly onTime: () => void;
  /** Each answer, also one that a later one has overtaken. */
  readonly onAnswer: (result: BeatResult, beat: Beat, sentAt: Instant) => void;
  /** The newest answer. */
  readonly onNews: (result: BeatResult) => void;
  readonly onFailure: (error: Error) => void;
}

const momentMs = 100;

/** Told when a beat has ended. Undefined: it failed. */
type Ended = (result: BeatResult | undefined) => void;

/** Sends the beats of an instance, and repeats a leader's that is not answered. Its owner stops it. */
export class LeaseBeats {
  readonly #needs: LeaseBeatsNeeds;
  /** Callers that wait for the newest renewal that is not answered yet. */
  #renewal: Ended[] | undefined;
  #sent = 0;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #answered = 0;
  /** When the last answered beat was sent, and how many have failed since. */
  #answeredAtMs: number;
  #failures = 0;
  #isStopped = false;
  #timer: Timer;
  #retry: Timer;
  #extra: Timer;
  #nextAtMs = Number.POSITIVE_INFINITY;

  constructor(needs: LeaseBeatsNeeds) {
    this.#needs = needs;
    this.#answeredAtMs = needs.clock.monotonicMs();
  }

  /** Sends the first one. */
  start(): void {
    const { clock, beatMs } = this.#needs;
    const nowMs = clock.monotonicMs();
    this.#needs.onTime();
    this.#nextAtMs = nowMs + beatMs;
    this.#timer = clock.setTimeout(() => this.start(), beatMs);
    this.send();
  }

  /** No further beat is sent. */
  stop(): void {
    this.#isStopped = true;
    this.#nextAtMs = Number.POSITIVE_INFINITY;
    for (const timer of [this.#timer, this.#retry, this.#extra])
      this.#needs.clock.clearTimeout(timer);
  }

  get hasAnswer(): boolean {
    return this.#answered > 0;
  }

  /** How long the next regular beat has been due: the event loop has stood still for that long. */
  get overdueMs(): number {
    return Math.max(0, this.#needs.clock.monotonicMs() - this.#nextAtMs);
  }

  /** How many have failed since the last answer, and how long ago the last answered beat was sent. */
  get silence(): { failures: number; ms: number } {
    const ms = this.#needs.clock.monotonicMs() - this.#answeredAtMs;
    return { failures: this.#failures, ms };
  }

  /** Sends one before the next regular one. */
  sendIn(ms: number): void {
    if (this.#isStopped) return;
    const { clock } = this.#needs;
    clock.clearTimeout(this.#extra);
    this.#extra = clock.setTimeout(() => this.send(), ms);
  }

  /**
   * Something has changed at the leader: sends one now, if none was sent a moment ago, and another one a moment
   * later, because the release may still be on its way.
   */
  hurry(): void {
    const { clock } = this.#needs;
    if (clock.monotonicMs() - this.#sentAtMs >= momentMs) this.send();
    this.sendIn(momentMs);
  }

  /** Waits for the renewal that is under way, or sends one. */
  share(ended: Ended): void {
    if (this.#renewal) this.#renewal.push(ended);
    else this.send(ended);
  }

  /** Sends one now. */
  send(ended?: Ended): void {
    if (this.#isStopped) {
      ended?.(undefined);
      return;
    }
    const { store, clock } = this.#needs;
    this.#sent += 1;
    const beat: Beat = { ...this.#needs.tell(), beats: this.#sent };
    const [sentAt, waiting] = [instantOf(clock), ended ? [ended] : []];
    this.#sentAtMs = sentAt.monotonicMs;
    if (beat.lease) this.#renewal = waiting;
    if (beat.lease) this.#repeatUnlessAnswered(beat);
    store.beat(beat, (error, result) => {
      if (this.#renewal === waiting) this.#renewal = undefined;
      if (result) this.#needs.onAnswer(result, beat, sentAt);
      if (error) this.#failed(error);
      else if (result && beat.beats > this.#answered) this.#news(result, beat, sentAt);
      // Last: a caller may ask at once which instances are there.
      for (const each of waiting) each(result);
    });
  }

  #news(result: BeatResult, { beats }: Beat, { monotonicMs }: Instant): void {
    this.#answered = beats;
    this.#answeredAtMs = monotonicMs;
    this.#failures = 0;
    this.#needs.onNews(result);
  }

  #failed(error: Error): void {
    this.#failures += 1;
    this.#needs.onFailure(error);
  }

  /** One lost renewal must not cost the lease. */
  #repeatUnlessAnswered({ beats }: Beat): void {
    const { clock, beatMs } = this.#needs;
    clock.clearTimeout(this.#retry);
    this.#retry = clock.setTimeout(() => {
      if (this.#answered < beats && this.#needs.tell().lease) this.send();
    }, beatMs / 2);
  }
}
