import type { ServerId, ServerRequest, Term } from '../../../machines/ports.js';
import type { InstancesWorld } from './instancesWorld.js';
import type { SimulatedInstance } from './simulatedInstance.js';

/** How long an instance may act wrongly after both its clocks stood still: docs/decisions/many-instances.md. */
const unknowingMs = 2000;
/** How long a leader may act whose lease was lost in a failover of Redis just after it was taken. */
const forgottenMs = 2000;

/** Promise 1: nobody acts under a term when another instance has begun to act under a later one. */
export class OneVoice {
  readonly #world: InstancesWorld;
  /** Who acted under the latest term, and since when. */
  #latest: { term: Term; instance: SimulatedInstance; sinceMs: number } | undefined;
  readonly #terms = new Map<Term, SimulatedInstance>();
  /** Terms that Redis lost while their leaders were away. Nobody may act under them again. */
  readonly #forgotten = new Set<Term>();
  bodies = 0;

  constructor(world: InstancesWorld) {
    this.#world = world;
  }

  atTakeover(instance: SimulatedInstance, term: Term): void {
    const other = this.#terms.get(term);
    if (other && other !== instance)
      this.#fail(`${instance.name} and ${other.name} both lead in term ${term}`);
    this.#terms.set(term, instance);
    this.#world.countCheck('a takeover');
  }

  atBody(instance: SimulatedInstance, server: ServerId, { type }: ServerRequest): void {
    this.bodies += 1;
    const { term } = instance;
    if (term === undefined) {
      this.#fail(`${instance.name} asks ${server} and has no lease`);
      return;
    }
    const { nowMs } = this.#world;
    const latest = this.#latest;
    const isForgotten = this.#forgotten.has(term);
    if (!latest || (term > latest.term && !isForgotten)) {
      this.#latest = { term, instance, sinceMs: nowMs };
      return;
    }
    if (latest.instance === instance && latest.term === term) return;
    const { hasEnded, isPaused } = latest.instance.clock;
    const isAway = hasEnded || isPaused;
    if (isAway && !isForgotten && this.#world.redis.lostTermsAtMs > latest.sinceMs) {
      // Nobody knows that there were later terms.
      this.#forgotten.add(latest.term);
      this.#latest = { term, instance, sinceMs: nowMs };
      return;
    }
    this.#world.countCheck('a late request');
    if (nowMs - this.#world.redis.lostTailAtMs <= forgottenMs) return;
    const isUnknowing = nowMs - instance.clock.stoodStillAtMs <= unknowingMs;
    if (isUnknowing && instance.clock.stoodStillAtMs > 0) return;
    const lateMs = nowMs - latest.sinceMs;
    this.#fail(
      `${instance.name} sends ${type} to ${server} under term ${term}, ` +
        `${lateMs} ms after ${latest.instance.name} began under term ${latest.term}`,
    );
  }

  #fail(why: string): void {
    this.#world.fail('1: one voice', why);
  }
}
