import type { ServerId } from '../../machines/ports.js';
import type { Member } from '../../machines/roster.js';
import type { SimulatedService } from './simulatedService.js';
import type { World } from './world.js';

const removeAfterMs = 10 * 60_000;
/** Until a round of discovery has been answered. */
const roundMs = 9020;
/** How often one may fail that is to be active, and one that is to be silent. */
const candidateFailures = { active: 3, silent: 5 };
/** Of sums of times. */
const roundingMs = 1;

/** Promises 5 and 7: whoever does not come back is let go, and whoever only claimed to be there is dropped. */
export class Departures {
  readonly #world: World;
  readonly #service: SimulatedService;
  readonly #unreachableSinceMs = new Map<ServerId, number>();
  #stalledAtMs = 0;

  constructor(world: World, service: SimulatedService) {
    this.#world = world;
    this.#service = service;
  }

  check(): void {
    if (this.#world.store.isStalled) this.#stalledAtMs = this.#world.nowMs;
    for (const member of this.#service.context.roster) this.#follow(member);
  }

  #follow(member: Member): void {
    const { server, standing, status } = member;
    if (standing === 'candidate') this.#checkCandidate(member);
    if (status !== 'unreachable' || standing === 'configured') {
      this.#unreachableSinceMs.delete(server);
      return;
    }
    const { nowMs } = this.#world;
    const sinceMs = this.#unreachableSinceMs.get(server) ?? nowMs;
    this.#unreachableSinceMs.set(server, sinceMs);
    if (member.naming === 'fromRooms' && !member.isProven) this.#checkLeftOver(member, sinceMs);
    if (nowMs - sinceMs <= removeAfterMs + roundingMs) return;
    this.#world.countCheck('a server that a source names still');
    if (member.naming !== 'named')
      this.#world.fail('5: honest', `${server} is away for ${nowMs - sinceMs} ms, and shown`);
  }

  /** What only the rooms table names, and never answered, is no server. */
  #checkLeftOver({ server }: Member, sinceMs: number): void {
    this.#world.countCheck('an address that a crash left');
    const awayMs = this.#world.nowMs - Math.max(sinceMs, this.#stalledAtMs);
    if (awayMs > roundMs + roundingMs)
      this.#world.fail('5: honest', `${server} never answered for ${awayMs} ms, and is shown`);
  }

  #checkCandidate({ server, ref }: Member): void {
    const actor = ref.getSnapshot();
    const { failures } = actor.context;
    const isEngaged = actor.matches({ standing: 'engaged' });
    if (failures >= candidateFailures[isEngaged ? 'active' : 'silent'])
      this.#world.fail('7: unbreakable', `${server} failed ${failures} times, and is asked again`);
  }
}
