import type { ActivationEvent } from '../../../machines/activationSetup.js';
import type { DiscoveryRequest } from '../../../machines/ports.js';
import type { InstancesWorld } from './instancesWorld.js';
import type { SimulatedInstance } from './simulatedInstance.js';

const retryMs = 1000;

/** The slot `discovery` in a world where only Redis knows of servers that nobody configured. */
export class RememberedServers {
  readonly #world: InstancesWorld;
  readonly #instance: SimulatedInstance;
  readonly #tell: (event: ActivationEvent) => void;
  #isStopped = false;
  hasRecalled = false;

  constructor(
    world: InstancesWorld,
    instance: SimulatedInstance,
    tell: (event: ActivationEvent) => void,
  ) {
    this.#world = world;
    this.#instance = instance;
    this.#tell = tell;
    this.#recall();
  }

  take(request: DiscoveryRequest): void {
    const { remembered } = this.#world;
    if (request.type === 'server.proved') this.#write(() => remembered.add(request.server));
    else if (request.type === 'server.forgotten')
      this.#write(() => remembered.delete(request.server));
  }

  /** Until Redis has answered. */
  #write(execute: () => void): void {
    let isWritten = false;
    const write = () => {
      if (isWritten || this.#isStopped) return;
      this.#instance.clock.setTimeout(write, retryMs);
      this.#ask(() => {
        execute();
        this.#toInstance(() => {
          isWritten = true;
        });
      });
    };
    write();
  }

  stop(): void {
    this.#isStopped = true;
  }

  #recall(): void {
    if (this.#isStopped || this.hasRecalled) return;
    this.#instance.clock.setTimeout(() => this.#recall(), retryMs);
    this.#ask(() => {
      const servers = [...this.#world.remembered];
      this.#toInstance(() => {
        if (this.#isStopped || this.hasRecalled) return;
        this.hasRecalled = true;
        if (servers.length > 0) this.#tell({ type: 'servers.found', servers, standing: 'found' });
        this.#instance.publish();
      });
    });
  }

  #ask(execute: () => void): void {
    const { links, redis, time } = this.#world;
    const { name } = this.#instance.site;
    const deliver = () => redis.server.isDown || execute();
    time.outside(() =>
      links.carry({ from: name, to: 'redis', what: `servers of ${name}`, deliver }),
    );
  }

  #toInstance(deliver: () => void): void {
    const { links } = this.#world;
    const { clock, site } = this.#instance;
    links.carry({
      from: 'redis',
      to: site.name,
      what: `servers for ${site.name}`,
      deliver: () => clock.run(deliver),
    });
  }
}
