import type { Term } from '../../../machines/ports.js';
import { causeOf } from '../../causeOf.js';
import type { ResumeCounts, StreamKind } from '../../fleet/feed.js';
import type { StreamViewer } from '../../sse/channel.js';
import type { Clock, Timer } from '../../timing/clock.js';
import { ageOf, type Instant, instantOf } from '../../timing/instant.js';
import type { FleetStatus, LeaderStatus } from '../../wire/fleetEvents.js';
import { Audience } from './audience.js';
import { termOf } from './fleet.js';
import { Hold } from './hold.js';
import { Reception } from './reception.js';
import type { Upstream } from './upstream.js';
import { UpstreamLink } from './upstreamLink.js';

/** What a relay needs. */
export interface RelayNeeds {
  clock: Clock;
  /** Least time between two maps of `?stream=rooms`. */
  frameIntervalMs: number;
  /** How long the numbers are kept after the last viewer. */
  lingerMs: number;
  /** From 0 to 1; spreads reconnections. */
  random?: () => number;
  /** Called for each end of an upstream that is opened again. */
  onUpstreamEnded?: (cause: string) => void;
  /** Counts viewers that come back. */
  resumes?: ResumeCounts | undefined;
}

/** What a relay does now, for operators. */
export interface RelayStatus {
  /** Term of the upstream; null: there is none. */
  term: Term | null;
  /** Why there is none; null: there is one, or no reason was given. */
  why: string | null;
  viewers: number;
  /** `closed`: there is no viewer. `holding`: the numbers of an earlier term or activation are shown. */
  state: 'closed' | 'opening' | 'live' | 'holding' | 'lost';
  /** What viewers are told. */
  shown: FleetStatus;
  /** Milliseconds since the last beat of the upstream's term; null: none yet. */
  beatAgoMs: number | null;
}

/** How long a new viewer waits for an answer of the upstream before it gets the last numbers. */
const answerMs = 1000;

/**
 * Feeds all viewers of an instance in a cluster, from the leader's stream. The stream is open while there
 * are viewers. Numbers are never replaced by those of a leader that has not asked the servers yet.
 */
export class Relay {
  readonly #needs: RelayNeeds;
  readonly #audience: Audience;
  readonly #hold: Hold;
  #newestTerm: Term = Number.NEGATIVE_INFINITY;
  #upstream: Upstream | undefined;
  #why: string | undefined;
  #link: UpstreamLink | undefined;
  #reception: Reception | undefined;
  /** The last word of any leader. */
  #lastWord: LeaderStatus | undefined;
  /** When the numbers that are shown were last known to be current. */
  #currentAt: Instant | undefined;
  /** An event was wrong: the next reception begins with a snapshot. */
  #isDistrusting = false;
  #answerTimer: Timer;
  #lingerTimer: Timer;
  #isClosed = false;

  constructor(needs: RelayNeeds) {
    const { clock, frameIntervalMs, resumes } = needs;
    this.#needs = needs;
    this.#hold = new Hold(clock, () => this.#reception?.decide());
    const status = () => this.#status();
    this.#audience = new Audience({ clock, frameIntervalMs, status, resumes });
  }

  /**
   * Changes the upstream: call it when the term or the URL of the leader changes. Undefined: nobody leads,
   * or Redis does not say who. An older term than before is ignored. `why`: for operators.
   */
  follow(upstream: Upstream | undefined, why?: string): void {
    if (this.#isClosed || (upstream && upstream.term < this.#newestTerm)) return;
    this.#closeLink();
    if (upstream && upstream.term > this.#newestTerm) this.#hold.reset();
    if (upstream) this.#newestTerm = upstream.term;
    this.#upstream = upstream;
    this.#why = why;
    if (this.viewers > 0) this.#openLink();
    this.#audience.tellStatus();
  }

  /** Adds a viewer: it gets the frames that it missed, or a whole state, and the status. */
  add(viewer: StreamViewer, kind: StreamKind, lastEventId?: string): void {
    if (this.viewers > 0) {
      this.#audience.add(viewer, kind, lastEventId);
      return;
    }
    const { clock } = this.#needs;
    clock.clearTimeout(this.#lingerTimer);
    this.#audience.wait();
    this.#audience.add(viewer, kind, lastEventId);
    this.#answerTimer = clock.setTimeout(() => this.#audience.letIn(), answerMs);
    this.#openLink();
  }

  remove(viewer: StreamViewer): void {
    const before = this.viewers;
    this.#audience.remove(viewer);
    if (before > 0 && this.viewers === 0 && !this.#isClosed) this.#linger();
  }

  get viewers(): number {
    return this.#audience.size;
  }

  status(): RelayStatus {
    return {
      term: this.#upstream?.term ?? null,
      why: this.#why ?? null,
      viewers: this.viewers,
      state: this.#state,
      shown: this.#status(),
      beatAgoMs: this.#link?.beatAgoMs ?? null,
    };
  }

  /** Ends every stream. */
  close(): void {
    this.#isClosed = true;
    this.#closeLink();
    this.#hold.reset();
    this.#needs.clock.clearTimeout(this.#answerTimer);
    this.#needs.clock.clearTimeout(this.#lingerTimer);
    this.#audience.close();
  }

  get #state(): RelayStatus['state'] {
    if (!this.#link) return this.viewers > 0 ? 'lost' : 'closed';
    if (this.#isCurrent) return 'live';
    if (this.#reception?.isHolding) return 'holding';
    return this.#reception ? 'opening' : 'lost';
  }

  /** Whether what is shown is what the leader of the newest term says now. */
  get #isCurrent(): boolean {
    const { isAttached = false, word } = this.#reception ?? {};
    return isAttached && word !== undefined && this.#link?.isFresh === true;
  }

  #status(): FleetStatus {
    const { word = this.#lastWord } = this.#reception ?? {};
    const { state = 'inactive', complete = false, reason = null } = word ?? {};
    const { fleet } = this.#audience;
    const term = fleet ? termOf(fleet.position) : null;
    if (this.#isCurrent) return { state, complete, reason, term };
    const age = fleet &&
      this.#currentAt && { ageMs: Math.round(ageOf(this.#currentAt, this.#needs.clock)) };
    const lost = this.#upstream ? 'leader_lost' : 'no_leader';
    return { state, complete: false, reason: lost, term, ...age };
  }

  #openLink(): void {
    const { clock, random = Math.random, onUpstreamEnded } = this.#needs;
    const upstream = this.#upstream;
    if (!upstream) {
      this.#audience.letIn();
      return;
    }
    this.#link = new UpstreamLink({
      clock,
      random,
      upstream,
      lastEventId: () => this.#lastEventId(upstream),
      onOpening: () => {
        this.#reception = this.#newReception(upstream);
      },
      onEvent: (event) => this.#reception?.receive(event),
      onBeat: (isFresh) => this.#noteBeat(isFresh),
      onLost: (cause) => {
        this.#dropReception();
        this.#audience.tellStatus();
        onUpstreamEnded?.(cause);
      },
    });
    this.#link.open();
  }

  #lastEventId({ term }: Upstream): string | undefined {
    const { fleet } = this.#audience;
    const isKnown = fleet && termOf(fleet.position) === term && !this.#isDistrusting;
    this.#isDistrusting = false;
    return isKnown ? fleet.position.id : undefined;
  }

  #closeLink(): void {
    this.#link?.close();
    this.#link = undefined;
    this.#dropReception();
  }

  #newReception({ term }: Upstream): Reception {
    return new Reception({
      clock: this.#needs.clock,
      term,
      audience: this.#audience,
      hold: this.#hold,
      onShown: () => this.#noteShown(),
      onError: (error) => this.#distrust(error),
    });
  }

  #dropReception(): void {
    this.#lastWord = this.#reception?.word ?? this.#lastWord;
    this.#reception?.close();
    this.#reception = undefined;
  }

  /** The last viewer is gone: closes the stream, and keeps the numbers for viewers that return soon. */
  #linger(): void {
    const { clock, lingerMs } = this.#needs;
    clock.clearTimeout(this.#answerTimer);
    this.#closeLink();
    this.#hold.reset();
    this.#lingerTimer = clock.setTimeout(() => this.#audience.forget(), lingerMs);
  }

  #noteBeat(isFresh: boolean): void {
    if (this.#isCurrent) this.#currentAt = instantOf(this.#needs.clock);
    this.#audience.tellStatus();
    if (isFresh) this.#reception?.noteBeat();
  }

  #distrust(error: unknown): void {
    this.#isDistrusting = true;
    this.#link?.fail(causeOf(error));
  }

  /** What is shown is what the leader says. */
  #noteShown(): void {
    this.#needs.clock.clearTimeout(this.#answerTimer);
    if (this.#isCurrent) this.#currentAt = instantOf(this.#needs.clock);
    this.#audience.letIn();
    this.#audience.tellStatus();
  }
}
