import type { InstancesWorld } from './instancesWorld.js';

/** An end of a link: an instance (`i1`), `redis`, `servers`, or `viewers`. */
export type End = string;

/** One message. `lost`: its sender learns that it did not get through; nobody does if it is lost in silence. */
export interface Message {
  readonly from: End;
  readonly to: End;
  readonly what: string;
  readonly deliver: () => void;
  readonly lost?: (() => void) | undefined;
  /** What it is sent on, if that keeps the order. */
  readonly connection?: object | undefined;
}

/** Kinds of faults of links. */
export const linkFaultKinds = ['link cut', 'message dropped', 'message late', 'message refused'];

/** The links between instances, Redis, servers and viewers. Each direction can be cut by itself. */
export class Links {
  readonly #world: InstancesWorld;
  readonly #cuts = new Set<string>();
  /** What waits for a link to heal, in order: of connections that are open. */
  #held: { readonly link: string; readonly deliver: () => void }[] = [];
  /** When the last message of each ordered connection arrives. */
  readonly #arrivals = new WeakMap<object, number>();

  constructor(world: InstancesWorld) {
    this.#world = world;
  }

  isOpen(from: End, to: End): boolean {
    return !this.#cuts.has(`${from}>${to}`);
  }

  cut(from: End, to: End): void {
    this.#world.note(() => `${from} no longer reaches ${to}`);
    this.#world.countFault('link cut');
    this.#cuts.add(`${from}>${to}`);
  }

  heal(from: End, to: End): void {
    if (this.#cuts.delete(`${from}>${to}`)) this.#world.note(() => `${from} reaches ${to} again`);
    this.#release();
  }

  healAll(): void {
    this.#cuts.clear();
    this.#release();
  }

  /** One message on a connection of its own. */
  carry({ from, to, what, deliver, lost, connection }: Message): void {
    const arrive = (ms: number) => this.#later(this.#inOrder(connection, ms), deliver);
    const { random, plan, isCalm } = this.#world;
    const { dropChance, refuseChance, lateChance, maxLateMs } = plan.links;
    if (!this.isOpen(from, to)) this.#world.note(() => `${what} is cut off`);
    else if (isCalm) arrive(this.#delay());
    else if (random.chance(dropChance)) this.#fault('message dropped', `${what} is dropped`);
    else if (random.chance(refuseChance)) {
      this.#fault('message refused', `${what} is refused`);
      if (lost) this.#later(this.#delay(), lost);
    } else if (random.chance(lateChance)) {
      this.#fault('message late', `${what} is late`);
      const arrives = this.#world.begin(`${what} is under way`);
      this.#later(this.#inOrder(connection, random.between(0, maxLateMs)), () => {
        arrives();
        deliver();
      });
    } else arrive(this.#delay());
  }

  /** The next message of a connection that is open: after those before it, and held while the link is cut. */
  carryInOrder(connection: object, from: End, to: End, deliver: () => void): void {
    const link = `${from}>${to}`;
    this.#later(this.#inOrder(connection, this.#delay()), () => {
      const isBehind = this.#held.some((each) => each.link === link);
      if (isBehind || !this.isOpen(from, to)) this.#held.push({ link, deliver });
      else deliver();
    });
  }

  /** After so long a message arrives that follows all others of its connection. */
  #inOrder(connection: object | undefined, ms: number): number {
    if (!connection) return ms;
    const { nowMs } = this.#world;
    const arrivesAtMs = Math.max(this.#arrivals.get(connection) ?? 0, nowMs + ms);
    this.#arrivals.set(connection, arrivesAtMs);
    return arrivesAtMs - nowMs;
  }

  #release(): void {
    const held = this.#held;
    this.#held = [];
    for (const each of held)
      if (this.#cuts.has(each.link)) this.#held.push(each);
      else this.#later(0, each.deliver);
  }

  #delay(): number {
    const { random, plan } = this.#world;
    return plan.links.baseMs + random.between(0, plan.links.spreadMs);
  }

  #later(ms: number, happen: () => void): void {
    this.#world.later(ms, happen);
  }

  #fault(kind: string, line: string): void {
    this.#world.countFault(kind);
    this.#world.disturb(() => line);
    this.#world.brokenOffAtMs = this.#world.nowMs;
  }
}
