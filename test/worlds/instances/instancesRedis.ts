import { type RedisLink, SimulatedClusterStore } from '../../support/simulatedClusterStore.js';
import { SimulatedRedis } from '../../support/simulatedRedis.js';
import { beginningMs } from '../simulatedTime.js';
import type { InstanceClock } from './instanceClock.js';
import type { InstancesWorld } from './instancesWorld.js';
import { LateTerms } from './lateTerms.js';
import type { Site } from './site.js';

/** How often a replica catches up with Redis. */
const replicationMs = 700;

/** The Redis of a world, with what can happen to it. */
export class InstancesRedis {
  readonly server: SimulatedRedis;
  /** For one of the mistakes. */
  readonly terms = new LateTerms();
  /** When it last lost what had come since the replica caught up. */
  lostTailAtMs = Number.NEGATIVE_INFINITY;
  /** When it last lost its terms. */
  lostTermsAtMs = Number.NEGATIVE_INFINITY;
  readonly #world: InstancesWorld;

  constructor(world: InstancesWorld) {
    this.#world = world;
    this.server = new SimulatedRedis(() => beginningMs + world.nowMs);
    this.#replicate();
  }

  /** The store of one process. */
  storeOf(site: Site, clock: InstanceClock): SimulatedClusterStore {
    const { links } = this.#world;
    const [there, back] = [{}, {}];
    const link: RedisLink = {
      toRedis: (deliver) =>
        links.carry({
          from: site.name,
          to: 'redis',
          what: `a request of ${site.name} to Redis`,
          deliver,
          connection: there,
        }),
      toInstance: (deliver) =>
        links.carry({
          from: 'redis',
          to: site.name,
          what: `an answer of Redis to ${site.name}`,
          deliver: () => clock.run(deliver),
          connection: back,
        }),
    };
    return new SimulatedClusterStore({ redis: this.server, link, clock: clock.forParts(false) });
  }

  goAway(): void {
    this.server.isDown = true;
  }

  comeBack(): void {
    this.server.isDown = false;
  }

  loseKeys(): void {
    this.#world.disturb(() => 'Redis loses its keys');
    this.lostTermsAtMs = this.#world.nowMs;
    this.server.loseKeys();
    this.terms.loseKeys();
  }

  loseTail(): void {
    this.#world.disturb(() => 'a replica takes over from Redis');
    this.lostTailAtMs = this.#world.nowMs;
    this.server.loseTail();
    this.terms.loseTail();
  }

  evict(): void {
    const key = this.#world.random.pick(['lease', 'instances', 'inbox', 'taken'] as const);
    this.#world.disturb(() => `Redis evicts ${key}`);
    this.server.evict(key);
    if (key === 'lease') this.terms.loseKeys();
  }

  jump(ms: number): void {
    this.#world.disturb(() => `the clock of Redis jumps by ${ms} ms`);
    this.server.timeOffsetMs += ms;
  }

  #replicate(): void {
    this.server.replicate();
    this.terms.replicate();
    this.#world.later(replicationMs, () => this.#replicate());
  }
}
