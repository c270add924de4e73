import type { NetworkPlan } from './plan.js';
import type { Host } from './pubSubHost.js';
import type { Random } from './random.js';
import type { World } from './world.js';

/** What a network needs of its world. */
export interface NetworkWorld
  extends Pick<World, 'clock' | 'nowMs' | 'note' | 'countFault' | 'hosts'> {
  readonly random: Random;
  readonly plan: { readonly isLossy: boolean; readonly network: NetworkPlan };
}

export type Direction = 'toServer' | 'toService';

/** `query` and `startup`: a start-up query and its answer. */
const parcelKinds = ['request', 'answer', 'delta', 'query', 'startup'] as const;

/** What can become of a parcel. */
const networkFaults = ['cut off', 'dropped', 'duplicated', 'held', 'late', 'reset'] as const;

/** The faults of a network, as they are counted. */
export const networkFaultKinds = networkFaults.flatMap((fault) =>
  parcelKinds.map((kind) => `${fault} ${kind}`),
);

type Fault = (typeof networkFaults)[number];

/** One message on its way between the service and a place where a pub-sub server may run. */
export interface Parcel {
  readonly host: Host;
  readonly direction: Direction;
  readonly kind: (typeof parcelKinds)[number];
  readonly what: string;
  readonly deliver: () => void;
  /** The sender learns that it did not get through; nobody does when it is lost in silence. */
  readonly reset?: () => void;
}

/** What of it cannot be lost, doubled or held up for ever where no delta may be lost. */
const precious: readonly Parcel['kind'][] = ['delta', 'query', 'startup'];

/** What changes a server, or tells of its change, when it arrives: until then nobody can know. */
const untold: readonly Parcel['kind'][] = ['request', 'answer', 'query'];

/** So long the inbox of the service may keep a delta. */
export const inboxMs = 6;

/** Carries everything between the service and the servers, as badly as the plan of the world says. */
export class Network {
  readonly #world: NetworkWorld;
  /** From now on it does what it should. */
  isCalm = false;
  /** When the last of what is under way arrives. */
  lastDueMs = 0;
  /** Parcels that have neither arrived nor been lost. */
  #underWay = new Set<{ parcel: Parcel; timer: number; isLate: boolean }>();

  constructor(world: NetworkWorld) {
    this.#world = world;
  }

  carry(parcel: Parcel): void {
    const isPrecious = !this.#world.plan.isLossy && precious.includes(parcel.kind);
    if (parcel.kind === 'delta' && parcel.host.isMuted)
      this.#world.note(() => `${parcel.what} does not arrive`);
    else if (parcel.host.cuts.has(parcel.direction)) this.#cutOff(parcel, isPrecious);
    else if (this.isCalm) this.#arriveAt(parcel, this.#delay());
    else this.#carryBadly(parcel, isPrecious);
  }

  #carryBadly(parcel: Parcel, isPrecious: boolean): void {
    const { random, plan } = this.#world;
    const { dropChance, resetChance, duplicateChance, lateChance } = plan.network;
    if (!isPrecious && random.chance(dropChance)) this.#lose(parcel, 'dropped');
    else if (!isPrecious && random.chance(resetChance)) this.#reset(parcel);
    else {
      if (random.chance(duplicateChance)) this.#arriveLate(parcel, 'duplicated', 'again');
      if (random.chance(lateChance)) this.#arriveLate(parcel, 'late', 'late');
      else this.#arriveAt(parcel, this.#delay());
    }
  }

  /** How many parcels have neither arrived nor been lost. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Delivers what was held up by a partition that has been healed. */
  release(host: Host): void {
    for (const parcel of host.held.splice(0)) {
      if (host.cuts.has(parcel.direction)) host.held.push(parcel);
      else this.#arriveAt(parcel, this.#delay(), 'held');
    }
  }

  /** Forgets what is on its way to the servers: whoever sent it has gone, and its connections with it. */
  forgetSent(): void {
    for (const each of this.#underWay) {
      if (each.parcel.direction !== 'toServer') continue;
      this.#underWay.delete(each);
      if (each.isLate) each.parcel.host.lateUnderWay -= 1;
      this.#world.clock.clearTimeout(each.timer);
    }
    for (const host of this.#world.hosts)
      host.held = host.held.filter(({ direction }) => direction !== 'toServer');
  }

  /** Whether a delta of this host is still on its way. */
  hasDeltasOf(host: Host): boolean {
    if (host.held.some(({ kind }) => kind === 'delta')) return true;
    return host.deltasUnderWay > 0;
  }

  /** When the last delta of this host came to be counted; now, if one is still on its way. */
  deltasSince(host: Host): number {
    return this.hasDeltasOf(host) ? this.#world.nowMs : host.lastDeltaAtMs;
  }

  #delay(): number {
    const { random, plan } = this.#world;
    return plan.network.baseMs + random.between(0, this.isCalm ? 5 : plan.network.spreadMs);
  }

  #arriveLate(parcel: Parcel, fault: Fault, how: string): void {
    const { random, plan } = this.#world;
    this.#world.countFault(`${fault} ${parcel.kind}`);
    this.#arriveAt(parcel, random.between(0, plan.network.maxLateMs[parcel.kind]), how);
  }

  #arriveAt(parcel: Parcel, delayMs: number, how?: string): void {
    const { clock } = this.#world;
    this.lastDueMs = Math.max(this.lastDueMs, clock.nowMs + delayMs);
    const isLate = how !== undefined && untold.includes(parcel.kind);
    if (isLate) parcel.host.lateUnderWay += 1;
    if (parcel.kind === 'delta') parcel.host.deltasUnderWay += 1;
    const timer = clock.setTimeout(() => {
      this.#underWay.delete(each);
      if (isLate) parcel.host.lateUnderWay -= 1;
      if (how) {
        this.#world.note(() => `${parcel.what} arrives ${how}`);
        parcel.host.disturb();
      }
      parcel.deliver();
      if (parcel.kind === 'delta')
        clock.setTimeout(() => {
          parcel.host.deltasUnderWay -= 1;
          parcel.host.lastDeltaAtMs = clock.nowMs;
        }, inboxMs);
    }, delayMs);
    const each = { parcel, timer, isLate };
    this.#underWay.add(each);
  }

  #cutOff(parcel: Parcel, isPrecious: boolean): void {
    const { isLossy, network } = this.#world.plan;
    if (isPrecious || (isLossy && network.holdsPartitioned)) this.#hold(parcel);
    else this.#lose(parcel, 'cut off');
  }

  #hold(parcel: Parcel): void {
    this.#world.countFault(`held ${parcel.kind}`);
    this.#world.note(() => `${parcel.what} is held up`);
    parcel.host.held.push(parcel);
  }

  #lose({ kind, what, host }: Parcel, how: Fault): void {
    this.#world.countFault(`${how} ${kind}`);
    this.#world.note(() => `${what} is ${how}`);
    host.disturb();
  }

  #reset(parcel: Parcel): void {
    const { kind, what, host, reset } = parcel;
    this.#world.countFault(`reset ${kind}`);
    this.#world.note(() => `${what} is reset`);
    host.disturb();
    if (reset) this.#world.clock.setTimeout(reset, this.#delay());
  }
}
