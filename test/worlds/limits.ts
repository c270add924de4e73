import type { ServerId } from '../../machines/ports.js';
import type { TallyLimits } from '../../machines/tally.js';
import type { Host } from './pubSubHost.js';
import type { SimulatedService } from './simulatedService.js';
import type { World } from './world.js';

function exceeds({ maxRooms, maxNamesLength }: TallyLimits, { process }: Host): boolean {
  const names = [...(process?.rooms.keys() ?? [])];
  return names.length > maxRooms || names.join('').length > maxNamesLength;
}

/** Servers that report more than is remembered of one: said to be so, until a snapshot within the limits. */
export class LimitCheck {
  readonly #world: World;
  readonly #service: SimulatedService;
  /** When each server last held more than the limits let it. */
  readonly #exceededAtMs = new Map<ServerId, number>();
  readonly #over = new Set<ServerId>();

  constructor(world: World, service: SimulatedService) {
    this.#world = world;
    this.#service = service;
  }

  check(): void {
    const { plan, hosts, nowMs } = this.#world;
    if (!plan.isLimited) return;
    for (const host of hosts) {
      if (exceeds(plan.limits, host)) this.#exceededAtMs.set(host.id, nowMs);
      this.#follow(host);
    }
    if (this.#over.size > 0 && this.#service.view.state().complete)
      this.#world.fail('5: honest', `complete, and ${[...this.#over]} are over the limit`);
  }

  #follow(host: Host): void {
    const isOver = this.#service.context.tally.overLimit.has(host.id);
    if (!isOver) {
      if (this.#over.delete(host.id)) this.#world.countCheck('within the limits again');
      return;
    }
    if (!this.#over.has(host.id)) this.#world.countCheck('over the limits');
    this.#over.add(host.id);
    const snapshotMs = this.#service.requests.snapshotSentAtMs.get(host.id) ?? 0;
    const exceededMs = this.#exceededAtMs.get(host.id) ?? 0;
    // Deltas that overtake each other can exceed what the server itself never did.
    if (snapshotMs > exceededMs && snapshotMs > this.#deltasSinceMs(host))
      this.#world.fail('5: honest', `${host.id} is within the limits, shown to be over them`);
  }

  /** When the last delta came to be counted for a server: its own, or one that a neighbour at its address posted in its name. */
  #deltasSinceMs({ plan: { address } }: Host): number {
    const { hosts, network } = this.#world;
    const same = hosts.filter(({ plan }) => plan.address === address);
    return Math.max(...same.map((host) => network.deltasSince(host)));
  }
}
