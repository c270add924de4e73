import type { RoomName, ServerId } from '../../../machines/ports.js';
import type { Roster } from '../../../machines/roster.js';
import type { Tally } from '../../../machines/tally.js';
import { normalizeAddress } from '../../addresses.js';
import { serverAt } from '../../discovery/roomAddresses.js';
import type { KnownCounts } from '../../fleet/knownCounts.js';
import type { SeenRoom } from '../../observations/seenRooms.js';
import type { AddressBook } from '../../pubsub/addressBook.js';
import type { FleetFacts, Holder, KnownServer, ListedCounts, RoomFacts } from './fleetFacts.js';

/** The parts of the fleet's scope that know servers and counts. */
export interface LocalFleetFactsNeeds {
  fleet: () => { roster: Roster; tally: Tally };
  book: AddressBook;
  counts: () => KnownCounts;
  /** Whether a server was removed because it did not answer. */
  isGone: (server: ServerId) => boolean;
  /** Whether a server announced that it takes all names. */
  takesNames: (server: ServerId) => boolean;
  roomSeen: (room: RoomName) => SeenRoom | undefined;
  pubSubPort: number;
}

/** The facts of the instance that counts: everything is known here. */
export class LocalFleetFacts implements FleetFacts, ListedCounts {
  readonly #needs: LocalFleetFactsNeeds;

  constructor(needs: LocalFleetFactsNeeds) {
    this.#needs = needs;
  }

  async factsOf(room: RoomName, addresses: readonly string[]): Promise<RoomFacts> {
    const counts = this.counts();
    return {
      holders: this.#holders(room, addresses, counts).map((holder) => ({
        ...holder,
        isGone: this.#needs.isGone(holder.server),
      })),
      connections: counts.of(room),
      isComplete: counts.isCompleteFor(room),
      seen: this.#needs.roomSeen(room),
    };
  }

  async serversFor(room: RoomName): Promise<KnownServer[]> {
    const counts = this.counts();
    const shown = [...this.#needs.fleet().roster.shown()];
    return shown.map(({ server }) => this.#known(server, room, counts));
  }

  about(server: ServerId, room: RoomName): KnownServer {
    return this.#known(server, room, this.counts());
  }

  isAnyTakingNames(): boolean {
    const { fleet, takesNames } = this.#needs;
    return [...fleet().roster.shown()].some(({ server }) => takesNames(server));
  }

  counts(): KnownCounts {
    return this.#needs.counts();
  }

  totals(): ReadonlyMap<RoomName, number> {
    return this.#needs.fleet().tally.totals;
  }

  /** Whether no server answers at an address of the store. A crashed server leaves its address there. */
  isGone(address: string): boolean {
    const { pubSubPort, isGone } = this.#needs;
    const server = serverAt(address, pubSubPort);
    return server !== undefined && isGone(server) && this.#knownAt(address).length === 0;
  }

  #holders(room: RoomName, addresses: readonly string[], counts: KnownCounts): Holder[] {
    const { roster, tally } = this.#needs.fleet();
    const holders = new Map<ServerId, Holder>();
    const add = (server: ServerId, isStored: boolean) =>
      holders.set(server, { ...this.#known(server, room, counts), isStored });
    for (const address of addresses)
      for (const server of this.#serversAt(address)) add(server, true);
    for (const { server } of roster)
      if (tally.countOn(server, room) > 0 && !holders.has(server)) add(server, false);
    return [...holders.values()];
  }

  /**
   * The known servers at an address of the store, or else the server that would be there. Requests to forbidden
   * addresses fail.
   */
  #serversAt(address: string): ServerId[] {
    const known = this.#knownAt(address);
    const server = known.length > 0 ? undefined : serverAt(address, this.#needs.pubSubPort);
    return server === undefined ? known : [server];
  }

  #knownAt(address: string): ServerId[] {
    const { book, fleet } = this.#needs;
    return book.serversAt(normalizeAddress(address), fleet().roster);
  }

  #known(server: ServerId, room: RoomName, counts: KnownCounts): KnownServer {
    return {
      server,
      connections: counts.on(server, room),
      takesNames: this.#needs.takesNames(server),
    };
  }
}
