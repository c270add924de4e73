import type { InstancesWorld } from './instancesWorld.js';
import type { Site } from './site.js';

const lookMs = 1000;

/** Leads viewers, and posts where servers reach nothing else, to instances that are ready, in turn. */
export class Balancer {
  readonly #world: InstancesWorld;
  #turn = 0;

  constructor(world: InstancesWorld) {
    this.#world = world;
    this.#look();
  }

  pick(): Site | undefined {
    const healthy = this.#world.sites.filter(({ isHealthy, process }) => isHealthy && process);
    this.#turn += 1;
    return healthy[this.#turn % Math.max(1, healthy.length)];
  }

  /** Asks every instance whether it is ready, as `/ready` says. */
  #look(): void {
    for (const site of this.#world.sites ?? []) {
      const isReached = this.#world.links.isOpen('viewers', site.name) && site.isRunning;
      site.isHealthy = isReached && site.process?.isReady === true;
    }
    this.#world.later(lookMs, () => this.#look());
  }
}
