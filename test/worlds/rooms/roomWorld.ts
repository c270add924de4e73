import { createActor, type InspectionEvent } from 'xstate';
import type {
  RoomChannelEvent,
  RoomChannelStanding,
  RoomDocumentCommand,
  RoomDocumentEvent,
  RoomSourceAnswer,
  RoomSourceRequest,
  RoomStanding,
  ServerId,
} from '../../../machines/ports.js';
import type { roomMachine } from '../../../machines/roomMachine.js';
import { HeapClock } from '../../unit/machines/heapClock.js';
import { BrokenPromise } from '../brokenPromise.js';
import { Random } from '../random.js';
import { Content, garbled } from './content.js';
import { judgeRoom } from './roomEnding.js';
import {
  drawRoomPlan,
  lostUpdate,
  type RoomPlan,
  requestMs,
  roomHappenings,
  roomTiming,
} from './roomPlan.js';
import { residents } from './roomSlots.js';

export type Tell<Event> = (event: Event) => void;

/** A place that may hold the room: the updates in its memory, or nothing. */
export interface Holder {
  readonly server: ServerId;
  updates: Set<string> | undefined;
  isUp: boolean;
  isHung: boolean;
  /** Whether it hears what the others publish. */
  isLinked: boolean;
  /** Whether what it answers cannot be read. */
  isGarbled: boolean;
}

export interface RoomWorldOptions {
  readonly machine: typeof roomMachine;
  readonly trace?: (line: string) => void;
  readonly inspect?: (event: InspectionEvent) => void;
}

const maxSteps = 50_000;

/** One room, the servers that hold it, their channel and the store; and the actor that watches it. */
export class RoomWorld {
  readonly clock = new HeapClock();
  readonly random: Random;
  readonly plan: RoomPlan;
  readonly faults = new Map<string, number>();
  readonly checks = new Map<string, number>();
  readonly holders: Holder[];
  readonly content = new Content(() => this.clock.nowMs);
  /** All updates that were ever made. */
  readonly made = new Set<string>();
  isChannelUp = true;
  isStoreStalled = false;
  /** The one server that the store names wrongly, or not at all. */
  lie: ServerId | undefined;
  isCalm = false;
  steps = 0;
  standing: RoomStanding | undefined;
  channel: RoomChannelStanding | undefined;
  /** Updates that were made while the channel was up, and that it did not bring. */
  unpublished = 0;
  readonly #options: RoomWorldOptions;
  #broken: BrokenPromise | undefined;
  #stop: (() => void) | undefined;
  #toChannel: Tell<RoomChannelEvent> | undefined;
  #toDocument: Tell<RoomDocumentEvent> | undefined;
  #lastNamed: readonly ServerId[] = [];
  #isAsking = false;
  #roundBeganMs = Number.NEGATIVE_INFINITY;

  constructor(seed: number, options: RoomWorldOptions) {
    this.#options = options;
    this.random = new Random(seed);
    this.plan = drawRoomPlan(this.random);
    this.holders = Array.from({ length: this.plan.servers }, (_, i) => ({
      server: `10.0.0.${i + 1}:8001` as ServerId,
      updates: undefined,
      isUp: true,
      isHung: false,
      isLinked: true,
      isGarbled: false,
    }));
    this.clock.afterFiring = () => this.#afterStep();
  }

  live(): void {
    this.note(() => `plan ${JSON.stringify(this.plan)}`);
    this.watch();
    for (let i = 0; i < this.plan.happenings; i += 1) this.#happen();
    judgeRoom(this);
    this.#throwBroken();
    this.#stop?.();
  }

  note(line: () => string): void {
    this.#options.trace?.(`${this.clock.nowMs.toFixed(3).padStart(11)}  ${line()}`);
  }

  countFault(kind: string): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
  }

  countCheck(kind: string): void {
    this.checks.set(kind, (this.checks.get(kind) ?? 0) + 1);
  }

  fail(promise: string, why: string): void {
    this.#broken ??= new BrokenPromise(`${promise} (at ${this.clock.nowMs} ms): ${why}`);
  }

  later(ms: number, happen: () => void): void {
    this.clock.setTimeout(happen, ms);
  }

  advance(ms: number): void {
    this.clock.advance(ms);
    this.#afterStep();
  }

  /** Somebody watches, for the first time or again. */
  watch(): void {
    if (this.#stop) return;
    const { machine, inspect } = this.#options;
    this.content.reset();
    this.standing = undefined;
    this.#isAsking = false;
    this.#roundBeganMs = Number.NEGATIVE_INFINITY;
    const input = { room: 'notes', timing: roomTiming };
    const actor = createActor(machine, {
      id: 'room',
      clock: this.clock,
      input,
      ...(inspect && { inspect }),
    });
    actor.subscribe({ error: (error) => this.fail('7: unbreakable', String(error)) });
    residents.set(actor.system, this);
    this.#stop = () => actor.stop();
    actor.start();
  }

  unwatch(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.note(() => 'nobody watches');
  }

  /** One editor of a server writes; the server tells the channel. */
  edit(holder: Holder): void {
    if (!holder.isUp || holder.isHung) return;
    holder.updates ??= new Set();
    const update = `u${this.made.size}`;
    this.made.add(update);
    holder.updates.add(update);
    this.note(() => `${holder.server} makes ${update}`);
    if (!this.isChannelUp) return;
    if (!holder.isLinked) {
      this.unpublished += 1;
      return;
    }
    for (const other of this.holders)
      if (other !== holder) this.later(this.#delay(), () => this.#hear(other, update));
    const isLost = this.random.chance(this.plan.loseChance) && !this.isCalm;
    if (isLost) {
      this.unpublished += 1;
      this.countFault(lostUpdate);
    } else this.later(this.#delay(), () => this.#publish(update));
  }

  setChannel(isUp: boolean): void {
    if (!this.plan.hasChannel || this.isChannelUp === isUp) return;
    this.isChannelUp = isUp;
    this.note(() => `the channel is ${isUp ? 'up' : 'lost'}`);
    if (isUp) {
      if (this.#toChannel) this.#subscribe(this.#toChannel);
      return;
    }
    this.#toChannel?.({ type: 'channel.lost' });
    if (this.plan.isPosted && this.random.chance(0.5))
      this.#toChannel?.({ type: 'channel.missing' });
  }

  /** A server that posts got the room, or has restarted. */
  subscribeAgain(): void {
    const { hasChannel, isPosted } = this.plan;
    if (hasChannel && isPosted && this.isChannelUp && this.#toChannel)
      this.#subscribe(this.#toChannel);
  }

  loseDocument(): void {
    this.content.reset();
    this.note(() => 'the document is lost');
    this.#toDocument?.({ type: 'document.lost' });
  }

  /** The slot `roomChannel`. */
  openChannel(tell: Tell<RoomChannelEvent>): () => void {
    this.#toChannel = tell;
    if (!this.plan.hasChannel)
      this.later(0, () => this.#toChannel === tell && tell({ type: 'channel.missing' }));
    else if (this.isChannelUp) this.#subscribe(tell);
    return () => {
      this.#toChannel = undefined;
    };
  }

  /** The slot `roomSources`: nothing is asked of a server but its state, so nobody joins. */
  ask(request: RoomSourceRequest, answer: Tell<RoomSourceAnswer>): void {
    if (this.#isAsking) this.fail('one round at a time', `${request.type} beside another request`);
    this.#isAsking = true;
    const end = (last: RoomSourceAnswer) => {
      this.#isAsking = false;
      answer(last);
    };
    if (request.type === 'location.requested') this.#locate(end);
    else this.#collect(request.servers, answer, end);
  }

  /** The slot `roomDocument`. */
  openDocument(tell: Tell<RoomDocumentEvent>): (command: RoomDocumentCommand) => void {
    this.#toDocument = tell;
    return (command) => {
      for (const type of this.content.take(command)) this.later(0, () => tell({ type }));
      if (command.type !== 'round.ended') return;
      const round = this.content.takeRound();
      this.later(this.random.between(0, 3), () => tell({ type: 'round.merged', ...round }));
    };
  }

  publishStanding(standing: RoomStanding): void {
    this.standing = standing;
    this.note(() => `it is ${standing}`);
  }

  publishChannel(channel: RoomChannelStanding): void {
    this.channel = channel;
    this.note(() => `its channel is ${channel}`);
    if (channel === 'silent' && this.unpublished === 0)
      this.fail('5: honest', 'the channel is said to be silent, and brought everything');
  }

  #happen(): void {
    const gap = this.random.weighted(this.plan.gaps);
    if (gap === 'atOnce') this.advance(this.random.between(0, 3));
    else
      this.advance(gap === 'soon' ? this.random.between(1, 600) : this.random.between(600, 8000));
    const kind = this.random.weighted(this.plan.weights);
    this.note(() => `* ${kind}`);
    if (roomHappenings[kind].isFault) this.countFault(kind);
    roomHappenings[kind].happen(this);
    this.#afterStep();
  }

  #delay(): number {
    return this.random.between(0, this.isCalm ? 5 : this.plan.spreadMs);
  }

  #hear(holder: Holder, update: string): void {
    if (holder.isUp && holder.isLinked) holder.updates?.add(update);
  }

  #publish(update: string): void {
    if (!this.isChannelUp || !this.plan.hasChannel) return;
    this.#toChannel?.({ type: 'update.received', update: Content.encode([update]) });
  }

  #subscribe(tell: Tell<RoomChannelEvent>): void {
    this.later(this.#delay() * this.random.pick([1, 1, 20]), () => {
      if (this.isChannelUp && this.#toChannel === tell) tell({ type: 'channel.subscribed' });
    });
  }

  #locate(end: Tell<RoomSourceAnswer>): void {
    const { nowMs } = this.clock;
    if (nowMs - this.#roundBeganMs < 250) this.fail('8: unseen', 'a round follows another at once');
    this.#roundBeganMs = nowMs;
    const still = this.#stop;
    this.later(this.#delay(), () => {
      if (this.#stop !== still && still !== undefined) return;
      if (!this.isStoreStalled) this.#lastNamed = this.#named();
      end({ type: 'servers.located', servers: this.#lastNamed });
    });
  }

  /** Where the store says the room is; servers that were let go of may be named for ever. */
  #named(): ServerId[] {
    const named = new Set(
      this.holders.filter(({ updates }) => updates).map(({ server }) => server),
    );
    if (this.lie && !named.delete(this.lie)) named.add(this.lie);
    return [...named];
  }

  #collect(
    servers: readonly ServerId[],
    answer: Tell<RoomSourceAnswer>,
    end: Tell<RoomSourceAnswer>,
  ): void {
    let waiting = servers.length;
    let holders = 0;
    let failures = 0;
    const still = this.#stop;
    const settle = () => {
      waiting -= 1;
      if (waiting === 0) end({ type: 'states.completed', holders, failures });
    };
    for (const server of servers) {
      const holder = this.holders.find((each) => each.server === server);
      const isSilent = holder?.isHung === true;
      this.later(isSilent ? requestMs : this.#delay(), () => {
        if (this.#stop !== still) return;
        if (!holder?.isUp || isSilent) failures += 1;
        else if (holder.updates) {
          holders += 1;
          const state = holder.isGarbled ? [garbled] : [...holder.updates];
          answer({ type: 'state.received', server, state: Content.encode(state) });
        }
        settle();
      });
    }
  }

  #afterStep(): void {
    this.steps += 1;
    if (this.steps > maxSteps) this.fail('7: unbreakable', `${maxSteps} steps, and no end`);
    if (this.clock.pending > 400) this.fail('7: unbreakable', `${this.clock.pending} timers`);
    this.#throwBroken();
  }

  #throwBroken(): void {
    if (this.#broken) throw this.#broken;
  }
}
