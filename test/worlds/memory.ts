import type { Epoch, ServerId } from '../../machines/ports.js';
import { privateState } from './privateState.js';
import type { SimulatedService } from './simulatedService.js';
import type { World } from './world.js';

interface Sums {
  readonly rooms: Map<string, number>;
  readonly namesLength: number;
}

/** The counts of one server in a tally: see `ServerCounts` in machines/tally.ts. */
export interface Remembered {
  readonly base?: Epoch;
  readonly attempt: Epoch;
  readonly counts: Sums;
  readonly pending: Sums;
}

/** The limit of candidates in docs/protocol.md. */
const maxCandidates = 1024;

/** The counts in a tally. Every `clear` makes a new map. */
export const rememberedBy = (tally: object) =>
  privateState<Map<ServerId, Remembered>>(tally, '#servers');

/** Checks that a tally has no counts of unknown servers, and no useless counts of known ones. */
export class MemoryCheck {
  readonly #world: World;
  readonly #service: SimulatedService;
  #servers: ReadonlyMap<ServerId, Remembered>;

  constructor(world: World, service: SimulatedService) {
    this.#world = world;
    this.#service = service;
    const { tally } = service.context;
    this.#servers = rememberedBy(tally);
    const clear = tally.clear.bind(tally);
    tally.clear = () => {
      clear();
      this.#servers = rememberedBy(tally);
    };
  }

  /** The present counts. */
  get servers(): ReadonlyMap<ServerId, Remembered> {
    return this.#servers;
  }

  check(): void {
    const { roster } = this.#service.context;
    for (const [server, remembered] of this.#servers) {
      if (!roster.get(server)) this.#fail(`counts of ${server} are kept, which is not known`);
      this.#checkServer(server, remembered);
    }
    if (roster.candidates > maxCandidates) this.#fail(`${roster.candidates} candidates`);
  }

  #checkServer(server: ServerId, { base, attempt, counts, pending }: Remembered): void {
    const { maxRooms, maxNamesLength } = this.#world.plan.limits;
    const isAwaiting = base === undefined || attempt > base;
    if (!isAwaiting && pending.rooms.size > 0)
      this.#fail(`deltas of ${server} are kept beside no request`);
    for (const { rooms, namesLength } of [counts, pending])
      if (rooms.size > maxRooms || namesLength > maxNamesLength)
        this.#fail(`${rooms.size} rooms of ${server}, ${namesLength} characters`);
  }

  #fail(why: string): void {
    this.#world.fail('7: bounded memory', why);
  }
}
