import type { ServerId, ServerRequest } from '../../../machines/ports.js';
import { Honesty } from './honesty.js';
import type { InstancesWorld } from './instancesWorld.js';
import { OneVoice } from './oneVoice.js';
import type { Person, StreamEvent } from './person.js';
import { Quiet } from './quiet.js';
import { SameEverywhere } from './sameEverywhere.js';
import type { SimulatedInstance } from './simulatedInstance.js';

/** Holds the promises of many instances against the truth of a world, at every step. */
export class InstancesOracle {
  readonly #world: InstancesWorld;
  readonly #voice: OneVoice;
  readonly #quiet: Quiet;
  readonly #honesty: Honesty;
  readonly #same: SameEverywhere;

  constructor(world: InstancesWorld) {
    this.#world = world;
    this.#voice = new OneVoice(world);
    this.#quiet = new Quiet(world);
    this.#honesty = new Honesty(world);
    this.#same = new SameEverywhere(world);
  }

  /** The body of a request to a server goes out. */
  atBody(instance: SimulatedInstance, server: ServerId, request: ServerRequest): void {
    this.#voice.atBody(instance, server, request);
    this.#quiet.atBody(instance, server, request);
  }

  /** An instance has taken the lease. */
  atTakeover(instance: SimulatedInstance, term: number): void {
    this.#voice.atTakeover(instance, term);
    this.#quiet.atTakeover();
  }

  /** Somebody has read an event of a stream. */
  atRead(person: Person, event: StreamEvent): void {
    this.#same.atRead(person, event);
  }

  /** A request that another instance has passed on. */
  atPassedOn(hops: number, what: string): void {
    this.#world.countCheck('passed on to the leader');
    if (hops > 1) this.#world.fail('4: anywhere', `${what} is passed on for the ${hops}th time`);
  }

  afterStep(): void {
    this.#quiet.afterStep();
    this.#honesty.afterStep();
  }

  /** A viewer that is wrong now, in words; undefined: all are right. */
  wrongNow(): string | undefined {
    return this.#honesty.wrongNow();
  }

  /** Requests whose bodies have gone out. */
  get bodies(): number {
    return this.#voice.bodies;
  }
}
