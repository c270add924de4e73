import type { Pause } from './instanceClock.js';
import type { InstancesWorld } from './instancesWorld.js';
import type { End } from './links.js';
import type { SimulatedInstance } from './simulatedInstance.js';

/** A place where an instance runs, or not; its address stays, its process may be another one. */
export class Site {
  readonly name: End;
  readonly url: string;
  process: SimulatedInstance | undefined;
  /** What the last look of the balancer found. */
  isHealthy = false;
  readonly #world: InstancesWorld;

  constructor(world: InstancesWorld, name: End) {
    this.#world = world;
    this.name = name;
    this.url = `http://${name}:8000`;
  }

  get isRunning(): boolean {
    return this.process !== undefined && !this.process.clock.isPaused;
  }

  start(): void {
    if (this.process) return;
    this.process = this.#world.newProcess(this);
    const { process } = this;
    this.#world.disturb(() => `${this.name} starts: ${process.id}`);
    process.clock.run(() => process.start());
  }

  /** As by SIGKILL. */
  kill(): void {
    const { process } = this;
    if (!process) return;
    this.#world.disturb(() => `${this.name} is killed`);
    this.#world.forgetIntroductions(process);
    this.#end(process);
  }

  /** As by SIGTERM. */
  shutDown(): void {
    const { process } = this;
    if (!process || process.isShuttingDown) return;
    this.#world.disturb(() => `${this.name} shuts down`);
    process.clock.run(() =>
      process.shutDown(() => this.#world.time.outside(() => this.#end(process))),
    );
  }

  pause(kind: Pause): void {
    if (!this.isRunning) return;
    this.#world.disturb(() => `${this.name} is ${kind}`);
    this.process?.clock.pause(kind);
  }

  wake(): void {
    const { process } = this;
    if (!process?.clock.isPaused) return;
    this.#world.disturb(() => `${this.name} wakes`);
    process.clock.wake(this.#world.random.chance(0.5));
  }

  /** The connections of a process end with it. Readers learn that, unless the link is cut. */
  #end(process: SimulatedInstance): void {
    if (this.process !== process) return;
    this.process = undefined;
    this.isHealthy = false;
    this.#world.disturb(() => `${this.name} has ended`);
    process.end();
  }
}
