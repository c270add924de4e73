import type { ServerId } from '../../machines/ports.js';
import type { Member } from '../../machines/roster.js';
import { Tally } from '../../machines/tally.js';
import { Dips } from './dips.js';
import { correctionIntervalMs } from './evidence.js';
import type { MemoryCheck } from './memory.js';
import type { SimulatedService } from './simulatedService.js';
import type { World } from './world.js';

/** The time in which the answer to a start-up query is applied, and what sums of times are rounded by. */
const slackMs = 51;

/** Promise 4: a server whose numbers cannot be right is asked for others, and not only by a resync. */
export class Doubts {
  readonly #world: World;
  readonly #service: SimulatedService;
  readonly #dips: Dips;
  /** Since when there is a doubt that no request answers. */
  readonly #sinceMs = new Map<ServerId, number>();

  constructor(world: World, service: SimulatedService, memory: MemoryCheck) {
    this.#world = world;
    this.#service = service;
    this.#dips = new Dips(world, service, () => memory.servers);
  }

  check(): void {
    for (const member of this.#service.context.roster.shown()) this.#follow(member);
  }

  #follow(member: Member): void {
    const { server } = member;
    if (!this.#isStanding(member)) {
      this.#sinceMs.delete(server);
      return;
    }
    const { nowMs } = this.#world;
    const sinceMs = this.#sinceMs.get(server) ?? nowMs;
    this.#sinceMs.set(server, sinceMs);
    this.#world.countCheck('a doubt');
    if (nowMs - sinceMs > this.#allowedMs(member))
      this.#world.fail(
        '4: exact',
        `${server} is doubtful for ${nowMs - sinceMs} ms, and not asked`,
      );
  }

  #isStanding({ server, ref, isTold }: Member): boolean {
    const { tally, roster } = this.#service.context;
    if (roster.wished !== 'activity' || !isTold) return false;
    // A request is under way, or waits for its retry: what it brings answers the doubt.
    if (!ref.getSnapshot().matches({ request: 'resting', standing: 'engaged' })) return false;
    return Tally.prototype.isDoubtful.call(tally, server) || this.#dips.mustDoubt(server);
  }

  /** A late delta may explain it; and whoever has just been set right is not asked again at once. */
  #allowedMs({ ref }: Member): number {
    const { requestTimeoutMs, resyncIntervalMs } = this.#world.plan.timing;
    const { recurrences } = ref.getSnapshot().context;
    const longestMs = Math.max(resyncIntervalMs, correctionIntervalMs);
    const coolingMs = Math.min(longestMs, correctionIntervalMs * 2 ** recurrences);
    return requestTimeoutMs + coolingMs + slackMs;
  }
}
