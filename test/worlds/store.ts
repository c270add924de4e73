import type { ActivationEvent } from '../../machines/activationSetup.js';
import type { DiscoveryRequest, ServerId } from '../../machines/ports.js';
import type { World } from './world.js';

type Found = Extract<ActivationEvent, { type: 'servers.found' | 'servers.discovered' }>;

const intervalMs = 9000;
const answerMs = 20;
const retryMs = 60_000;
/** Nobody is there in any world. */
const leftOver = '10.0.0.68:8001' as ServerId;

/** What the sources of discovery know: it outlives the service, and may lie or stall. */
export class SimulatedStore {
  readonly #world: World;
  readonly remembered = new Set<ServerId>();
  isStalled = false;
  /** Servers that it names although they are not there, or keeps to itself although they are. */
  readonly lies = new Set<ServerId>();
  /** Addresses in the rooms table: of servers that run, and of all that ever crashed. Empty: nobody reads it. */
  readonly #inRooms = new Set<ServerId>();
  readonly #isRoomsTableRead: boolean;

  constructor(world: World) {
    this.#world = world;
    this.#isRoomsTableRead = world.plan.hasStore && world.leavings.chance(0.5);
    if (this.#isRoomsTableRead && world.leavings.chance(0.5)) this.#inRooms.add(leftOver);
  }

  /** The servers that the rooms table names. */
  inRooms(): ServerId[] {
    if (!this.#isRoomsTableRead) return [];
    const { hosts, configured } = this.#world;
    for (const { id, process } of hosts) if (process !== undefined) this.#inRooms.add(id);
    return [...this.#inRooms].filter((server) => !configured.includes(server));
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
  /** Servers that were let go, and when each was tried last. */
  readonly #gone = new Map<ServerId, number>();

  constructor(world: World, tell: (event: Found) => void) {
    this.#world = world;
    this.#tell = tell;
    this.#round();
  }

  take(request: DiscoveryRequest): void {
    const { store, nowMs } = this.#world;
    if (request.type === 'server.proved') {
      store.remembered.add(request.server);
      this.#gone.delete(request.server);
    } else if (request.type === 'server.forgotten') {
      store.remembered.delete(request.server);
      this.#gone.set(request.server, nowMs);
    } else {
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
    if (this.#isBegun) this.#retryGone();
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
    const named = new Set(store.named());
    for (const server of named) this.#gone.delete(server);
    const fromRooms = store
      .inRooms()
      .filter((server) => !named.has(server) && !this.#gone.has(server));
    this.#tell({ type: 'servers.discovered', servers: [...named, ...fromRooms], fromRooms });
  }

  #retryGone(): void {
    const { store, nowMs } = this.#world;
    for (const server of store.inRooms()) {
      if (nowMs - (this.#gone.get(server) ?? nowMs) < retryMs) continue;
      this.#gone.set(server, nowMs);
      this.#tell({ type: 'servers.found', servers: [server], standing: 'candidate' });
    }
  }
}
