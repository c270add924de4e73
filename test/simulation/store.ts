import type { ActivationEvent } from '../../machines/activationSetup.js';
import type { DiscoveryRequest, ServerId } from '../../machines/ports.js';
import type { World } from './world.js';

type Found = Extract<ActivationEvent, { type: 'servers.found' | 'servers.discovered' }>;

const intervalMs = 9000;
const answerMs = 20;

/** What the sources of discovery know: it outlives the service, and may lie or stall. */
export class SimulatedStore {
  readonly #world: World;
  readonly remembered = new Set<ServerId>();
  isStalled = false;
  /** Servers that it names although they are not there, or keeps to itself although they are. */
  readonly lies = new Set<ServerId>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The servers that register themselves, and what is made of that. */
  named(): ServerId[] {
    const there = this.#world.hosts.filter(({ process }) => process !== undefined);
    const named = new Set(there.map(({ id }) => id));
    for (const lie of this.lies) if (!named.delete(lie)) named.add(lie);
    const isConfigured = new Set(this.#world.configured);
    return [...named].filter((server) => !isConfigured.has(server));
  }
}

/** The rounds of one run of the service, timed as `server/discovery/discovery.ts` does. */
export class DiscoveryRounds {
  readonly #world: World;
  readonly #tell: (event: Found) => void;
  #isBegun = false;
  #hasNamed = false;
  #hasRecalled = false;
  #timer = 0;
  #isStopped = false;

  constructor(world: World, tell: (event: Found) => void) {
    this.#world = world;
    this.#tell = tell;
    this.#round();
  }

  take(request: DiscoveryRequest): void {
    const { store } = this.#world;
    if (request.type === 'server.proved') store.remembered.add(request.server);
    else if (request.type === 'server.forgotten') store.remembered.delete(request.server);
    else {
      this.#isBegun = request.type === 'discovery.begun';
      if (this.#isBegun) this.#round();
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  #round(): void {
    const { clock, plan } = this.#world;
    clock.clearTimeout(this.#timer);
    if (!this.#hasRecalled) clock.setTimeout(() => this.#recall(), answerMs);
    if (plan.hasStore && (this.#isBegun || !this.#hasNamed))
      clock.setTimeout(() => this.#name(), answerMs);
    const isOver = !this.#isBegun && this.#hasRecalled && (this.#hasNamed || !plan.hasStore);
    if (!isOver && !this.#isStopped)
      this.#timer = clock.setTimeout(() => this.#round(), intervalMs);
  }

  #recall(): void {
    const { store, configured } = this.#world;
    if (this.#isStopped || this.#hasRecalled || store.isStalled) return;
    this.#hasRecalled = true;
    const servers = [...store.remembered].filter((server) => !configured.includes(server));
    if (servers.length > 0) this.#tell({ type: 'servers.found', servers, standing: 'found' });
  }

  #name(): void {
    const { store } = this.#world;
    if (this.#isStopped || store.isStalled) return;
    this.#hasNamed = true;
    this.#tell({ type: 'servers.discovered', servers: store.named() });
  }
}
