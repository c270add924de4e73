import type { Term } from '../../../machines/ports.js';
import { maxRoomsPerFrame, type StreamKind } from '../../fleet/feed.js';
import { isSettled } from '../../fleet/statusEvents.js';
import type { StreamViewer } from '../../sse/channel.js';
import type { Clock, Timer } from '../../timing/clock.js';
import type { FleetStatus, LeaderStatus } from '../../wire/fleetEvents.js';
import { Audience } from './audience.js';
import { Difference } from './difference.js';
import { activationOf, applyChange, type Fleet, parseChange, termOf } from './fleet.js';
import { ageOf, type Instant, instantOf } from './instant.js';
import { eachOf, SlicedWork } from './slicedWork.js';
import { Snapshot } from './snapshot.js';
import type { Upstream, UpstreamEvent } from './upstream.js';
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
}

/** What a relay does now, for operators. */
export interface RelayStatus {
  /** Term of the upstream; null: there is none. */
  term: Term | null;
  /** Why there is none; null: there is one, or no reason was given. */
  why: string | null;
  viewers: number;
  /** `closed`: nobody looks. `holding`: the numbers of an earlier term or activation are shown. */
  state: 'closed' | 'opening' | 'live' | 'holding' | 'lost';
  /** What viewers are told. */
  shown: FleetStatus;
  /** Milliseconds since the last beat of the upstream's term; null: none yet. */
  beatAgoMs: number | null;
}

/** One opening of the upstream. */
interface Session {
  /** What the leader says of the fleet. */
  word: LeaderStatus | undefined;
  /** Whether the numbers that are shown continue by this session. */
  isAttached: boolean;
  /** A fleet that is not shown yet. */
  incoming: Fleet | undefined;
  /** The counts were too many for one event: the next one has more of the same moment. */
  isPartial: boolean;
  /** Counts have come since the last beat. */
  isChanging: boolean;
}

const newSession = (): Session => ({
  word: undefined,
  isAttached: false,
  incoming: undefined,
  isPartial: false,
  isChanging: false,
});

/** States of servers whose counts are in the totals. */
const countedStates = new Set(['live', 'stale', 'deaf']);
/** How long a new viewer waits for an answer of the upstream before it gets the last numbers. */
const answerMs = 1000;
/** How long the last numbers stay while a new leader asks the servers. */
const holdMs = 5000;

/**
 * Feeds all viewers of an instance in a cluster, from the leader's stream. The stream is open while there
 * are viewers. Numbers are never replaced by those of a leader that has not asked the servers yet.
 */
export class Relay {
  readonly #needs: RelayNeeds;
  readonly #audience: Audience;
  readonly #work: SlicedWork;
  #newestTerm: Term = Number.NEGATIVE_INFINITY;
  #upstream: Upstream | undefined;
  #why: string | undefined;
  #link: UpstreamLink | undefined;
  #session: Session | undefined;
  /** Events that wait for the work that is being done. */
  #events: UpstreamEvent[] = [];
  /** The last word of any leader. */
  #lastWord: LeaderStatus | undefined;
  /** When the numbers that are shown were last known to be current. */
  #currentAt: Instant | undefined;
  /** An event was wrong: the next session begins with a snapshot. */
  #isDistrusting = false;
  #isHoldOver = false;
  #holdTimer: Timer;
  #answerTimer: Timer;
  #lingerTimer: Timer;
  #isClosed = false;

  constructor(needs: RelayNeeds) {
    const { clock, frameIntervalMs } = needs;
    this.#needs = needs;
    this.#work = new SlicedWork({
      clock,
      onIdle: () => this.#takeAll(),
      onError: (error) => this.#distrust(error),
    });
    this.#audience = new Audience({ clock, frameIntervalMs, status: () => this.#status() });
  }

  /**
   * Changes the upstream: call it when the term or the URL of the leader changes. Undefined: nobody leads,
   * or Redis does not say who. An older term than before is ignored. `why`: for operators.
   */
  follow(upstream: Upstream | undefined, why?: string): void {
    if (this.#isClosed || (upstream && upstream.term < this.#newestTerm)) return;
    this.#closeLink();
    if (upstream && upstream.term > this.#newestTerm) this.#endHold();
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
    this.#endHold();
    this.#needs.clock.clearTimeout(this.#answerTimer);
    this.#needs.clock.clearTimeout(this.#lingerTimer);
    this.#audience.close();
  }

  get #state(): RelayStatus['state'] {
    if (!this.#link) return this.viewers > 0 ? 'lost' : 'closed';
    if (this.#isCurrent) return 'live';
    if (this.#session?.incoming) return 'holding';
    return this.#session ? 'opening' : 'lost';
  }

  /** Whether what is shown is what the leader of the newest term says now. */
  get #isCurrent(): boolean {
    const { isAttached = false, word } = this.#session ?? {};
    return isAttached && word !== undefined && this.#link?.isFresh === true;
  }

  #status(): FleetStatus {
    const { word = this.#lastWord } = this.#session ?? {};
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
        this.#session = newSession();
      },
      onEvent: (event) => this.#receive(event),
      onBeat: () => this.#noteBeat(),
      onLost: (cause) => {
        this.#dropSession();
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
    this.#dropSession();
  }

  #dropSession(): void {
    this.#work.cancel();
    this.#events = [];
    this.#session = undefined;
  }

  /** Nobody looks: the leader is left alone, and the numbers are kept for those who come back. */
  #linger(): void {
    const { clock, lingerMs } = this.#needs;
    clock.clearTimeout(this.#answerTimer);
    this.#closeLink();
    this.#endHold();
    this.#lingerTimer = clock.setTimeout(() => this.#audience.forget(), lingerMs);
  }

  #noteBeat(): void {
    if (this.#isCurrent) this.#currentAt = instantOf(this.#needs.clock);
    this.#audience.tellStatus();
    const session = this.#session;
    if (!session?.incoming || this.#work.isBusy) return;
    session.isPartial &&= session.isChanging;
    session.isChanging = false;
    if (!session.isPartial) this.#decide(session);
  }

  #receive(event: UpstreamEvent): void {
    this.#events.push(event);
    this.#takeAll();
  }

  #takeAll(): void {
    try {
      while (!this.#work.isBusy) {
        const event = this.#events.shift();
        if (!event || !this.#session) return;
        this.#take(event, this.#session);
      }
    } catch (error) {
      this.#distrust(error);
    }
  }

  #distrust(error: unknown): void {
    this.#isDistrusting = true;
    this.#link?.fail(error instanceof Error ? error.message : String(error));
  }

  #take(event: UpstreamEvent, session: Session): void {
    if (event.id !== '' && termOf(event) !== this.#upstream?.term)
      throw new Error(`${event.id} is of another term`);
    if (event.name === 'snapshot') {
      const snapshot = new Snapshot(event);
      this.#work.do(snapshot.step, () => {
        session.incoming = snapshot.fleet();
        this.#decide(session);
      });
    } else if (event.name === 'status') {
      session.word = JSON.parse(event.data.toString()) as LeaderStatus;
      this.#lastWord = session.word;
      this.#decide(session);
    } else if (event.name === 'resumed') {
      session.isAttached = true;
    } else if (event.name === 'changes' || event.name === 'servers') {
      const change = parseChange(event);
      if (session.incoming) applyChange(session.incoming, change);
      else if (session.isAttached) this.#audience.pass(change, event.frame);
      else throw new Error(`${event.id} came before a snapshot`);
      // After `servers`, the counts of these servers follow.
      if (event.name === 'servers') return;
      session.isChanging = true;
      session.isPartial = change.rooms.length >= maxRoomsPerFrame;
      if (session.incoming && !session.isPartial) this.#decide(session);
    }
  }

  /** Decides whether the numbers of the session are shown now. */
  #decide(session: Session): void {
    const { incoming, word } = session;
    if (!word) return;
    if (incoming && this.#mustHold(incoming, word, session)) {
      this.#holdTimer ??= this.#needs.clock.setTimeout(() => this.#endWaiting(), holdMs);
      this.#audience.tellStatus();
    } else if (incoming) {
      this.#adopt(incoming, word, session);
    } else if (session.isAttached) {
      this.#noteCurrent();
    }
  }

  /**
   * Whether viewers would see rooms vanish that are only not counted yet. A restart within a session is
   * shown: there, the leader has silenced the servers.
   */
  #mustHold(incoming: Fleet, word: LeaderStatus, { isAttached }: Session): boolean {
    if (word.complete || this.#isHoldOver || isAttached) return false;
    if (this.#continues(incoming)) return false;
    if (!isSettled(word)) return this.#audience.isShowing || word.isTakeover;
    return this.#audience.isShowing && this.#lacksServers(incoming);
  }

  /** Whether a server that was counted is not counted yet: its first answer may only be late. */
  #lacksServers({ servers }: Fleet): boolean {
    const before = this.#audience.fleet?.servers.values() ?? [];
    return [...before].some(
      ({ id, state }) => countedStates.has(state) && servers.get(id)?.state !== 'live',
    );
  }

  #endWaiting(): void {
    this.#isHoldOver = true;
    const session = this.#session;
    if (session && !session.isPartial && !this.#work.isBusy) this.#decide(session);
  }

  #endHold(): void {
    this.#needs.clock.clearTimeout(this.#holdTimer);
    this.#holdTimer = undefined;
    this.#isHoldOver = false;
  }

  /** Whether a fleet is a later version of what is shown. */
  #continues({ position }: Fleet): boolean {
    const { fleet } = this.#audience;
    return fleet !== undefined && activationOf(fleet.position) === activationOf(position);
  }

  #adopt(incoming: Fleet, word: LeaderStatus, session: Session): void {
    const { fleet, isShowing } = this.#audience;
    const isLater = !session.isAttached && (isShowing || isSettled(word));
    if (!fleet || !(this.#continues(incoming) || isLater)) {
      this.#replace(incoming, session);
      return;
    }
    const difference = new Difference(fleet, incoming);
    this.#work.do(difference.step, () => {
      if (difference.isTooLarge) this.#replace(incoming, session);
      else this.#finish(session, () => this.#audience.leadOver(incoming, difference));
    });
  }

  #replace(incoming: Fleet, session: Session): void {
    const shown = this.#audience.wholeStatesOf(incoming);
    const noting = eachOf(incoming.rooms.keys(), (room) => shown.wholeStates.noteRooms([room]));
    this.#work.do(noting, () => {
      session.isAttached = true;
      this.#finish(session, () => this.#audience.show(shown));
    });
  }

  #finish(session: Session, show: () => void): void {
    this.#endHold();
    session.incoming = undefined;
    show();
    session.isAttached = true;
    this.#noteCurrent();
  }

  /** What is shown is what the leader says. */
  #noteCurrent(): void {
    this.#needs.clock.clearTimeout(this.#answerTimer);
    if (this.#isCurrent) this.#currentAt = instantOf(this.#needs.clock);
    this.#audience.letIn();
    this.#audience.tellStatus();
  }
}
