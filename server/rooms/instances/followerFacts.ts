import type { RoomName, ServerId } from '../../../machines/ports.js';
import { BoundedMap } from '../../boundedMap.js';
import { serverAt } from '../../discovery/roomAddresses.js';
import type { FleetFacts, KnownServer, RoomFacts } from '../lookup/fleetFacts.js';
import {
  type AnsweredServer,
  holdersPath,
  parseRoomFacts,
  parseServers,
  serversPath,
} from './factsAnswers.js';
import type { LeaderLink } from './leaderLink.js';

/** What facts of a fleet that another instance leads need. */
export interface FollowerFactsNeeds {
  /** Servers that are remembered without a leader. May reject. */
  remembered: () => Promise<readonly ServerId[]>;
  /** Whether a server told this instance that it takes all names, when this instance led. */
  takesNames: (server: ServerId) => boolean;
  pubSubPort: number;
  /** Milliseconds of a monotonic clock. */
  now: () => number;
}

/** How long the list of all servers is used, for all rooms together. */
const keptMs = 1000;
/** While rooms are watched, the list is refreshed this often. It is needed when the leader is lost. */
const refreshMs = 30_000;
const maxRooms = 500;
const maxServers = 20_000;

/**
 * The facts of a fleet that another instance leads. The leader is asked. If it does not answer, the servers of the
 * room are guessed: those that it named last, and all that are remembered. The holders are among them.
 */
export class FollowerFacts implements FleetFacts {
  readonly #needs: FollowerFactsNeeds;
  #leader: LeaderLink | undefined;
  readonly #rooms = new BoundedMap<RoomName, RoomFacts>(maxRooms);
  readonly #takesNames = new BoundedMap<ServerId, boolean>(maxServers);
  /** The servers of the last answer of a leader. */
  #answered: readonly AnsweredServer[] = [];
  /** The newest question for all servers. */
  #servers: { askedAtMs: number; answer: Promise<readonly AnsweredServer[]> } | undefined;

  constructor(needs: FollowerFactsNeeds) {
    this.#needs = needs;
  }

  /** Who leads now; undefined: nobody. */
  ask(leader: LeaderLink | undefined): void {
    this.#leader = leader;
    this.#servers = undefined;
  }

  /** This instance led until now, and knew these servers. */
  learn(servers: readonly AnsweredServer[]): void {
    for (const { server, takesNames } of servers) this.#takesNames.set(server, takesNames);
    this.#answered = servers;
  }

  async factsOf(room: RoomName, addresses: readonly string[]): Promise<RoomFacts> {
    const path = holdersPath(room, addresses);
    try {
      if (!this.#leader || path === undefined) throw new Error('nobody to ask');
      const facts = parseRoomFacts(await this.#leader.ask(path));
      for (const { server, takesNames } of facts.holders) this.#takesNames.set(server, takesNames);
      this.#rooms.set(room, facts);
      void this.#serversWithin(refreshMs);
      return facts;
    } catch {
      return this.#guess(room, addresses);
    }
  }

  async serversFor(room: RoomName): Promise<KnownServer[]> {
    const servers = await this.#serversWithin(keptMs);
    return servers.map(({ server, takesNames, isCounted }) => ({
      server,
      takesNames,
      // Servers written in JavaScript cannot report this room.
      connections: isCounted && room !== '__proto__' ? 0 : null,
    }));
  }

  about(server: ServerId, room: RoomName): KnownServer {
    const holders = this.#rooms.get(room)?.holders;
    const holder = holders?.find((each) => each.server === server);
    const connections = holder?.connections ?? null;
    return { server, connections, takesNames: this.#isTakingNames(server) };
  }

  /** True while nothing is known: the first round finds out. */
  isAnyTakingNames(): boolean {
    return this.#answered.length === 0 || this.#answered.some(({ takesNames }) => takesNames);
  }

  /** The servers as of so long ago at most. */
  #serversWithin(ms: number): Promise<readonly AnsweredServer[]> {
    const now = this.#needs.now();
    if (!this.#servers || now - this.#servers.askedAtMs >= ms)
      this.#servers = { askedAtMs: now, answer: this.#askServers() };
    return this.#servers.answer;
  }

  /** Never rejects. */
  async #askServers(): Promise<readonly AnsweredServer[]> {
    try {
      if (!this.#leader) throw new Error('nobody to ask');
      const servers = parseServers(await this.#leader.ask(serversPath));
      this.learn(servers);
      return servers;
    } catch {
      const remembered = await this.#needs.remembered().catch(() => []);
      const named = this.#answered.map(({ server }) => server);
      return [...new Set([...named, ...remembered])].map((server) => ({
        server,
        takesNames: this.#isTakingNames(server),
        isCounted: false,
      }));
    }
  }

  /** Servers at the addresses of the store, and those that the leader named last. */
  #guess(room: RoomName, addresses: readonly string[]): RoomFacts {
    const stored = addresses.flatMap((address) => serverAt(address, this.#needs.pubSubPort) ?? []);
    const named = this.#rooms.get(room)?.holders.filter(({ isGone }) => !isGone) ?? [];
    const servers = new Set([...stored, ...named.map(({ server }) => server)]);
    const holders = [...servers].map((server) => ({
      server,
      isStored: stored.includes(server),
      connections: null,
      takesNames: this.#isTakingNames(server),
      isGone: false,
    }));
    return { holders, connections: null, isComplete: false, seen: undefined };
  }

  #isTakingNames(server: ServerId): boolean {
    return this.#takesNames.get(server) ?? this.#needs.takesNames(server);
  }
}
