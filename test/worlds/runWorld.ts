import type { InspectionEvent } from 'xstate';
import { BrokenPromise } from './brokenPromise.js';
import { type ProgramClock, withSimulatedTime } from './simulatedTime.js';
import { World, type WorldOptions } from './world.js';

/** The result of one world. */
export interface WorldResult {
  readonly seed: number;
  /** The promise that it broke, if any. */
  readonly broken?: string;
  readonly faults: ReadonlyMap<string, number>;
  readonly checks: ReadonlyMap<string, number>;
  readonly steps: number;
}

/** The interface of every kind of world. */
interface AnyWorld {
  readonly clock: ProgramClock;
  readonly faults: ReadonlyMap<string, number>;
  readonly checks: ReadonlyMap<string, number>;
  readonly steps: number;
  live(): void;
  fail(promise: string, why: string): void;
}

/** A failed actor receives events until it is replaced. */
const expectedWarning = /was sent to stopped actor/;

/** Runs one world of the service. */
export function runWorld(seed: number, options: WorldOptions): WorldResult {
  return liveThrough(seed, new World(seed, options));
}

/** Runs a world in simulated time. `clock`: what its program sees; by default the clock of the world. */
export function liveThrough(
  seed: number,
  world: AnyWorld,
  clock: ProgramClock = world.clock,
): WorldResult {
  const warn = (warning: string) => {
    if (!expectedWarning.test(warning)) world.fail('a warning', warning);
  };
  const broken = withSimulatedTime(clock, warn, () => brokenIn(world));
  const { faults, checks, steps } = world;
  return { seed, ...(broken !== undefined && { broken }), faults, checks, steps };
}

function brokenIn(world: AnyWorld): string | undefined {
  try {
    world.live();
    return undefined;
  } catch (error) {
    if (error instanceof BrokenPromise) return error.message;
    // Any other error would have ended the process.
    return `7: unbreakable: ${error instanceof Error ? error.stack : String(error)}`;
  }
}

/** Lines of what the machines do, for a trace. */
export function traceInspector(note: (line: string) => void): (event: InspectionEvent) => void {
  return (inspected) => {
    if (inspected.type !== '@xstate.microstep' || inspected._transitions.length === 0) return;
    const actor = inspected.actorRef as { id?: string };
    const targets = inspected._transitions
      .flatMap(({ target }) => target ?? [])
      .map(({ id }) => id);
    if (targets.length > 0)
      note(`               ${actor.id}: ${inspected.event.type} → ${targets.join(', ')}`);
  };
}
