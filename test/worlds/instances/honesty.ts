import type { InstancesWorld } from './instancesWorld.js';
import type { Person } from './person.js';

/** How long a wrong number may be called complete. */
const noticeMs = 3000;
/** How long after the last fault all numbers must be right, and complete. */
const healMs = 5000;
/** A retry, its answer, and what evidence waits for, with servers that have faults of their own. */
const roughMs = 7000;
/** From a change on a server to what a viewer reads. */
const travelMs = 500;

/** Promise 3: never wrong unsaid, and right soon after the last fault. */
export class Honesty {
  readonly #world: InstancesWorld;
  /** Since when each viewer has read wrong numbers that are called complete. */
  readonly #wrongSinceMs = new Map<Person, number>();

  constructor(world: InstancesWorld) {
    this.#world = world;
  }

  afterStep(): void {
    const { attached } = this.#world.people;
    // An instance that stands still cannot tell its viewers anything.
    for (const person of this.#wrongSinceMs.keys())
      if (!attached.includes(person)) this.#wrongSinceMs.delete(person);
    if (attached.length === 0) return;
    const truth = this.#truth();
    const mustBeRight = this.#mustBeRight;
    for (const person of attached) {
      const difference = differenceOf(person, truth);
      this.#checkHonest(person, difference);
      if (mustBeRight && this.#world.nowMs - person.attachedAtMs > travelMs)
        this.#checkRight(person, difference);
    }
  }

  wrongNow(): string | undefined {
    const truth = this.#truth();
    for (const person of this.#world.people.present) {
      const difference = differenceOf(person, truth);
      if (!person.site) return `${person.name} has no stream`;
      if (difference !== undefined || !(isComplete(person) || this.#isDeafServer))
        return `${person.name} at ${person.site.name} ${difference ?? `is told ${person.state}, ${person.reason}`}`;
      this.#world.countCheck('right at the end');
    }
    return undefined;
  }

  #checkHonest(person: Person, difference: string | undefined): void {
    const { nowMs } = this.#world;
    if (difference === undefined || !person.isComplete || !this.#isJudged) {
      this.#wrongSinceMs.delete(person);
      return;
    }
    const sinceMs = this.#wrongSinceMs.get(person) ?? nowMs;
    this.#wrongSinceMs.set(person, sinceMs);
    this.#world.countCheck('wrong for a moment');
    if (nowMs - Math.max(sinceMs, person.attachedAtMs) > noticeMs)
      this.#world.fail('3: never wrong unsaid', `${this.#where(person)} ${difference}, complete`);
  }

  #checkRight(person: Person, difference: string | undefined): void {
    this.#world.countCheck('right after a fault');
    const { hosts } = this.#world;
    // A server that crashed is missing, so totals are incomplete.
    const isMissing = hosts.some((host) => !host.process && this.#world.isKnown(host));
    const mayMiss = isMissing || this.#isDeafServer;
    if (difference === undefined && (isComplete(person) || mayMiss)) return;
    const why = difference ?? `is told ${person.state}, ${person.reason}`;
    this.#world.fail('3: right in time', `${this.#where(person)} ${why}`);
  }

  /** Where servers have faults of their own, counts may be wrong until their next snapshot. */
  get #isJudged(): boolean {
    return this.#isSteady || this.#isOver(this.#roughMs);
  }

  get #mustBeRight(): boolean {
    const { nowMs, changedAtMs } = this.#world;
    if (nowMs - changedAtMs < travelMs) return false;
    return this.#isOver(this.#isSteady ? healMs : this.#roughMs + healMs);
  }

  /** Whether servers and their network have no faults of their own. */
  get #isSteady(): boolean {
    const { isRough, isLate } = this.#world.plan;
    return !isRough && !isLate;
  }

  /** Whether a server is called deaf whose last change no post has told. It is, until its next post. */
  get #isDeafServer(): boolean {
    const { hosts, sites } = this.#world;
    return hosts.some(
      ({ id, untoldSinceMs }) =>
        untoldSinceMs < Number.POSITIVE_INFINITY &&
        sites.some(({ process }) => process?.fleet?.isDeaf(id)),
    );
  }

  get #roughMs(): number {
    const { isRough, timing } = this.#world.plan;
    const { resyncIntervalMs, requestTimeoutMs } = timing;
    return roughMs + (isRough ? resyncIntervalMs : 0) + 3 * requestTimeoutMs;
  }

  /** Whether no fault goes on, and the last one ended so long ago. */
  #isOver(ms: number): boolean {
    const { nowMs, disturbedAtMs, ongoing, hosts, sites, network } = this.#world;
    if (ongoing.size > 0 || nowMs - disturbedAtMs <= ms) return false;
    if (sites.some(({ process }) => process?.isShuttingDown)) return false;
    return hosts.every(
      (host) =>
        nowMs - host.undisturbedSinceMs > ms && nowMs - network.deltasSince(host) > travelMs,
    );
  }

  /** What the servers hold that can be known. */
  #truth(): Map<string, number> {
    const truth = new Map<string, number>();
    for (const host of this.#world.hosts) {
      if (!host.process || !this.#world.isKnown(host)) continue;
      for (const [room, count] of host.process.rooms)
        truth.set(room, (truth.get(room) ?? 0) + count);
    }
    return truth;
  }

  #where({ name, site }: Person): string {
    return `${name} at ${site?.name}`;
  }
}

/** The stream of maps does not say whether they are complete. */
const isComplete = (person: Person) => person.kind === 'rooms' || person.isComplete;

function differenceOf({ rooms }: Person, truth: ReadonlyMap<string, number>): string | undefined {
  for (const [room, true_] of truth) {
    const shown = rooms.get(room) ?? 0;
    if (shown !== true_) return `sees ${shown} in "${room}", there are ${true_}`;
  }
  for (const [room, shown] of rooms)
    if (!truth.has(room)) return `sees ${shown} in "${room}", there are 0`;
  return undefined;
}
