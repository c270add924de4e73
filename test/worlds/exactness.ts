import type { ServerId } from '../../machines/ports.js';
import type { Tally } from '../../machines/tally.js';
import { isRecurrencePausing } from './evidence.js';
import type { Host } from './pubSubHost.js';
import type { SimulatedService } from './simulatedService.js';
import type { World } from './world.js';

/** From the last attempt of a retry to its answer, and what evidence waits for. */
const retryMs = 6250;
const graceMs = 750;

/** How long after the last disturbance of a server its numbers may be wrong, but for evidence that recurs. */
export function promptMs({ plan: { timing, isLossy } }: World): number {
  const known = retryMs + graceMs + 3 * timing.requestTimeoutMs;
  return isLossy ? known + timing.resyncIntervalMs : known;
}

/** How the counts of a server differ from what it holds; nothing: they are the same, or said to be a part. */
export function differenceAt(
  world: World,
  { context: { tally } }: SimulatedService,
  host: Host,
): string | undefined {
  if (tally.overLimit.has(host.id)) {
    world.countCheck('a part, shown as such');
    return undefined;
  }
  world.countCheck(world.isCalm ? 'exact at the end' : 'exact under way');
  return wrongRoom(world, tally, host);
}

/** Whether the counts of a server are what it holds, or said to be a part. */
export const isShownRight = (world: World, { context }: SimulatedService, host: Host): boolean =>
  context.tally.overLimit.has(host.id) || wrongRoom(world, context.tally, host) === undefined;

function wrongRoom(world: World, tally: Tally, host: Host): string | undefined {
  for (const room of world.plan.rooms) {
    const shown = tally.countOn(host.id, room);
    const true_ = host.process?.rooms.get(room) ?? 0;
    // What its snapshots miss was counted by posts, or is not counted since the last one.
    const reported = true_ - (host.process?.forgotten.of(room) ?? 0);
    if (shown > true_ || shown < reported)
      return `${host.id} has ${true_} in "${room}", ${shown} are shown`;
  }
  return undefined;
}

/** Promises 3, 4 and 6 at every step: a server that nothing has been done to for long enough is right. */
export class Exactness {
  readonly #world: World;
  readonly #service: SimulatedService;
  /** Since when each server has been among those that are shown. */
  readonly #shownSinceMs = new Map<ServerId, number>();
  /** When recurring evidence against it last had to wait. */
  readonly #pausedAtMs = new Map<ServerId, number>();
  readonly #live = new Set<ServerId>();

  constructor(world: World, service: SimulatedService) {
    this.#world = world;
    this.#service = service;
  }

  check(): void {
    for (const host of this.#world.hosts) this.#follow(host);
  }

  #follow(host: Host): void {
    const { id } = host;
    const member = this.#service.context.roster.get(id);
    if (!member || member.standing === 'candidate') {
      this.#shownSinceMs.delete(id);
      if (this.#live.delete(id)) this.#world.fail('6: self-healing', `${id} was live, and let go`);
      return;
    }
    if (member.status === 'live') this.#live.add(id);
    else this.#live.delete(id);
    const { nowMs } = this.#world;
    if (!this.#shownSinceMs.has(id)) this.#shownSinceMs.set(id, nowMs);
    // Who goes on giving evidence is set right ever more rarely.
    if (isRecurrencePausing(this.#service, member)) this.#pausedAtMs.set(id, nowMs);
    if (this.#isQuiet(host)) this.#compare(host);
  }

  #isQuiet(host: Host): boolean {
    const { nowMs, network } = this.#world;
    const sinceMs = Math.max(
      this.#shownSinceMs.get(host.id) ?? nowMs,
      this.#pausedAtMs.get(host.id) ?? 0,
      host.undisturbedSinceMs,
      this.#service.activatedAtMs,
    );
    if (nowMs - sinceMs <= promptMs(this.#world)) return false;
    if (!this.#service.isCounting || !host.isUp || host.cuts.size > 0) return false;
    if (host.isMuted) return false;
    return !network.hasDeltasOf(host);
  }

  #compare(host: Host): void {
    const difference = differenceAt(this.#world, this.#service, host);
    if (difference) this.#world.fail('4: exact, whatever others do', difference);
  }
}
