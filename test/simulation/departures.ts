import type { ServerId } from '../../machines/ports.js';
import type { Member } from '../../machines/roster.js';
import type { SimulatedService } from './simulatedService.js';
import type { World } from './world.js';

const letGoMs = 10 * 60_000;
/** How often one may fail that is to be active, and one that is to be silent. */
const candidateFailures = { active: 3, silent: 5 };
/** Of sums of times. */
const roundingMs = 1;

/** Promises 5 and 7: whoever does not come back is let go, and whoever only claimed to be there is dropped. */
export class Departures {
  readonly #world: World;
  readonly #service: SimulatedService;
  readonly #unreachableSinceMs = new Map<ServerId, number>();

  constructor(world: World, service: SimulatedService) {
    this.#world = world;
    this.#service = service;
  }

  check(): void {
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
    if (nowMs - sinceMs <= letGoMs + roundingMs) return;
    this.#world.countCheck('a server that a source names still');
    if (member.naming !== 'named')
      this.#world.fail('5: honest', `${server} is away for ${nowMs - sinceMs} ms, and shown`);
  }

  #checkCandidate({ server, ref }: Member): void {
    const actor = ref.getSnapshot();
    const { failures } = actor.context;
    const isEngaged = actor.matches({ standing: 'engaged' });
    if (failures >= candidateFailures[isEngaged ? 'active' : 'silent'])
      this.#world.fail('7: unbreakable', `${server} failed ${failures} times, and is asked again`);
  }
}
