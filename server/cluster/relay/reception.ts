import { maxRoomsPerFrame } from '../../fleet/feed.js';
import { isSettled } from '../../fleet/statusEvents.js';
import type { Clock } from '../../timing/clock.js';
import type { LeaderStatus } from '../../wire/fleetEvents.js';
import type { Audience } from './audience.js';
import { Difference } from './difference.js';
import { activationOf, applyChange, type Fleet, parseChange, termOf } from './fleet.js';
import type { Hold } from './hold.js';
import { eachOf, SlicedWork } from './slicedWork.js';
import { Snapshot } from './snapshot.js';
import type { UpstreamEvent } from './upstream.js';

/** What a reception needs, and whom it tells. */
export interface ReceptionNeeds {
  clock: Clock;
  /** The term of the leader. */
  term: number;
  audience: Audience;
  hold: Hold;
  /** The numbers that are shown are the leader's. */
  onShown: () => void;
  /** An event is invalid, or does not follow the one before. */
  onError: (error: unknown) => void;
}

/** Collects the events of one opening of the upstream, and decides when the audience gets them. */
export class Reception {
  readonly #needs: ReceptionNeeds;
  readonly #work: SlicedWork;
  /** Events that wait for the work that is being done. */
  #events: UpstreamEvent[] = [];
  #word: LeaderStatus | undefined;
  #isAttached = false;
  /** A fleet that is not shown yet. */
  #incoming: Fleet | undefined;
  /** The counts were too many for one event: the next one has more of the same moment. */
  #isPartial = false;
  /** Counts have come since the last beat. */
  #isChanging = false;

  constructor(needs: ReceptionNeeds) {
    this.#needs = needs;
    this.#work = new SlicedWork({
      clock: needs.clock,
      onIdle: () => this.#takeAll(),
      onError: needs.onError,
    });
  }

  /** What the leader says of its fleet. */
  get word(): LeaderStatus | undefined {
    return this.#word;
  }

  /** Whether the numbers that are shown are those that this reception has read. */
  get isAttached(): boolean {
    return this.#isAttached;
  }

  /** Whether there are numbers that are held back. */
  get isHolding(): boolean {
    return this.#incoming !== undefined;
  }

  receive(event: UpstreamEvent): void {
    this.#events.push(event);
    this.#takeAll();
  }

  /** A beat: all that the leader has sent until now was received. */
  noteBeat(): void {
    this.#isPartial &&= this.#isChanging;
    this.#isChanging = false;
    if (this.#incoming) this.decide();
  }

  /** Drops what is not shown. Nothing is received afterwards. */
  close(): void {
    this.#work.cancel();
    this.#events = [];
  }

  /** Decides whether the numbers are shown now. */
  decide(): void {
    const { audience, onShown } = this.#needs;
    if (!this.#word || this.#work.isBusy || this.#isPartial) return;
    if (!this.#incoming) {
      if (this.#isAttached) onShown();
    } else if (this.#mustHold(this.#incoming, this.#word)) {
      audience.tellStatus();
    } else {
      this.#adopt(this.#incoming, this.#word);
    }
  }

  #takeAll(): void {
    try {
      while (!this.#work.isBusy) {
        const event = this.#events.shift();
        if (!event) return;
        this.#take(event);
      }
    } catch (error) {
      this.#needs.onError(error);
    }
  }

  #take(event: UpstreamEvent): void {
    if (event.id !== '' && termOf(event) !== this.#needs.term)
      throw new Error(`${event.id} is of another term`);
    switch (event.name) {
      case 'snapshot':
        this.#readSnapshot(event);
        break;
      case 'resumed':
        this.#isAttached = true;
        break;
      case 'status':
        this.#word = JSON.parse(event.data.toString()) as LeaderStatus;
        this.decide();
        break;
      case 'activity':
        this.#needs.audience.tell(event.frame);
        break;
      case 'servers':
      case 'changes':
        this.#takeChange(event);
        break;
    }
  }

  #readSnapshot(event: UpstreamEvent): void {
    const snapshot = new Snapshot(event);
    this.#work.do(snapshot.step, () => {
      this.#incoming = snapshot.fleet();
      this.decide();
    });
  }

  #takeChange(event: UpstreamEvent): void {
    const change = parseChange(event);
    if (this.#incoming) applyChange(this.#incoming, change);
    else if (this.#isAttached) this.#needs.audience.pass(change, event.frame);
    else throw new Error(`${event.id} came before a snapshot`);
    // After `servers`, the counts of these servers follow.
    if (event.name === 'servers') return;
    this.#isChanging = true;
    this.#isPartial = change.rooms.length >= maxRoomsPerFrame;
    if (this.#incoming) this.decide();
  }

  /** A restart of an attached leader is shown: it has silenced the servers. */
  #mustHold(incoming: Fleet, word: LeaderStatus): boolean {
    const { audience, hold } = this.#needs;
    if (this.#isAttached || this.#continuesShown(incoming)) return false;
    const shown = audience.isShowing ? audience.fleet : undefined;
    return hold.holds({ incoming, word, shown });
  }

  /** Whether a fleet is a later version of what is shown. */
  #continuesShown({ position }: Fleet): boolean {
    const { fleet } = this.#needs.audience;
    return fleet !== undefined && activationOf(fleet.position) === activationOf(position);
  }

  #adopt(incoming: Fleet, word: LeaderStatus): void {
    const { fleet, isShowing } = this.#needs.audience;
    const isLater = !this.#isAttached && (isShowing || isSettled(word));
    if (fleet && (isLater || this.#continuesShown(incoming))) this.#leadOver(fleet, incoming);
    else this.#replace(incoming);
  }

  #leadOver(fleet: Fleet, incoming: Fleet): void {
    const difference = new Difference(fleet, incoming);
    this.#work.do(difference.step, () => {
      if (difference.isTooLarge) this.#replace(incoming);
      else this.#finish(() => this.#needs.audience.leadOver(incoming, difference));
    });
  }

  #replace(incoming: Fleet): void {
    const shown = this.#needs.audience.wholeStatesOf(incoming);
    const noting = eachOf(incoming.rooms.keys(), (room) => shown.wholeStates.noteRooms([room]));
    this.#work.do(noting, () => {
      this.#isAttached = true;
      this.#finish(() => this.#needs.audience.show(shown));
    });
  }

  #finish(show: () => void): void {
    this.#needs.hold.reset();
    this.#incoming = undefined;
    show();
    this.#isAttached = true;
    this.#needs.onShown();
  }
}
