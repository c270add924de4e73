import { setMaxListeners } from 'node:events';
import type { ActivationActor } from '../../../machines/activationMachine.js';
import type { RoomName, ServerId } from '../../../machines/ports.js';
import { normalizeAddress } from '../../addresses.js';
import { serverAt } from '../../discovery/roomAddresses.js';
import type { KnownCounts } from '../../fleet/knownCounts.js';
import type { AddressBook } from '../../pubsub/addressBook.js';
import { isRawName, type PubSubServers } from '../../pubsub/pubSubServers.js';
import { isStorable, type RoomsTable, type StoredRoom } from '../../store/store.js';
import type { MissingRanges } from '../../wire/divergence.js';
import { type Fresh, LastKnownGood } from './lastKnownGood.js';

/** The parts of the service that the room directory uses. */
export interface RoomDirectoryNeeds {
  actor: () => ActivationActor;
  book: AddressBook;
  servers: PubSubServers;
  rooms: RoomsTable;
  /** The current counts. */
  counts: () => KnownCounts;
  /** True if the pub-sub servers do not write to the store, so that rooms may be missing from it. */
  isStorePartial: boolean;
  pubSubPort: number;
  maxStateBytes: number;
  /** Whether a server was removed because it did not answer. */
  isGone: (server: ServerId) => boolean;
}

/** A server that may hold a room. */
export interface Holder {
  server: ServerId;
  /** Whether the metadata store names its address. */
  isStored: boolean;
  /** Connections that it reported; null: unknown. */
  connections: number | null;
}

/** The answer of a server that was asked for a room. */
export type ServerAnswer =
  /** `waiting`: what it lacks to apply updates that it keeps back; known once the state was read. */
  | { kind: 'holds'; state: Uint8Array; waiting?: MissingRanges | undefined }
  /** The answer is not a Yjs document. */
  | { kind: 'unreadable'; cause: string }
  | { kind: 'denies' }
  /** No answer, or one that breaks the contract. */
  | { kind: 'failed'; cause: string }
  /** Not asked, because it might answer for another room: see `PubSubServers.canAsk`. */
  | { kind: 'unasked' };

/** A server and its answer. */
export interface AskedServer extends Holder {
  answer: ServerAnswer;
}

/** A room that the store, the live counts or a server knows. */
export interface FoundRoom {
  room: RoomName;
  /** Its item in the store; null: the store never answered. */
  item: Fresh<StoredRoom | undefined> | null;
  /** Whether the servers that seem to hold it can be asked for it; if none seems to, whether any can. */
  isAskable: boolean;
  /** Whether the store should have it if a server holds it. */
  isStorable: boolean;
  /** The servers that should hold it, and those that do. */
  asked: AskedServer[];
  /** Servers that may hold it but were not asked, because they are too many. */
  notAsked: number;
}

/** What the store and the live counts know of a room. */
interface KnownRoom extends Pick<FoundRoom, 'room' | 'item'> {
  /** Why the store did not answer. */
  failure: unknown;
  holders: Holder[];
}

/** What servers answered for a room. */
type Answers = Pick<FoundRoom, 'asked' | 'notAsked' | 'isAskable'>;

/** Most servers that are asked for one room. */
export const maxAsked = 64;

/** How many of so many servers are not asked. */
export function countNotAsked(servers: number): number {
  return Math.max(0, servers - maxAsked);
}

/** Finds rooms: in the metadata store, in the live counts, and by asking the servers. */
export class RoomDirectory {
  readonly #needs: RoomDirectoryNeeds;
  readonly #known = new LastKnownGood();

  constructor(needs: RoomDirectoryNeeds) {
    this.#needs = needs;
  }

  /**
   * Finds the first of these names that is a known room, with the states of the servers that hold it. Asks the
   * servers that should hold it, and all others if none of them does; with `isThorough` always all. Rejects with
   * `StoreError` if no room was found and the store did not answer.
   */
  async find(
    names: readonly RoomName[],
    { signal, isThorough = false }: { signal: AbortSignal; isThorough?: boolean },
  ): Promise<FoundRoom | undefined> {
    const rooms = await Promise.all(names.map((room) => this.#lookUp(room)));
    const known = rooms.find(isKnown);
    const searches = (known ? [known] : rooms).map(async (room): Promise<FoundRoom | undefined> => {
      const answers = await this.#askServers(room, isThorough, signal);
      return isKnown(room) || answers.asked.length > 0 ? this.#found(room, answers) : undefined;
    });
    for (const found of await Promise.all(searches)) if (found) return found;
    for (const { failure } of rooms) if (failure) throw failure;
    return undefined;
  }

  /** Picks the name of a known room among those that a path may mean; without one, the most likely name. */
  async likeliest(names: readonly [RoomName, ...RoomName[]]): Promise<RoomName> {
    for (const room of names) if (isKnown(await this.#lookUp(room))) return room;
    const [raw, decoded] = names;
    return decoded !== undefined && this.mayAsk(decoded) ? decoded : raw;
  }

  /** Whether any server can be asked for a room of this name. */
  mayAsk(room: RoomName): boolean {
    const { servers } = this.#needs;
    if (isRawName(room)) return true;
    return [...this.#context.roster.shown()].some(({ server }) => servers.canAsk(server, room));
  }

  /** The servers that the store or the live counts name for a room, without those that are gone. */
  async holders(room: RoomName): Promise<Holder[]> {
    const { holders } = await this.#lookUp(room);
    return holders.filter(({ server }) => !this.#needs.isGone(server));
  }

  /** All servers, as possible holders of a room. */
  allServers(room: RoomName): Holder[] {
    const counts = this.counts();
    const shown = [...this.#context.roster.shown()];
    return shown.map(({ server }) => ({
      server,
      isStored: false,
      connections: counts.on(server, room),
    }));
  }

  /**
   * Asks servers for the state of a room, at most `maxAsked` at once. Each answers or fails within the request
   * timeout.
   */
  async ask(
    room: RoomName,
    holders: readonly Holder[],
    signal: AbortSignal,
  ): Promise<AskedServer[]> {
    // Every request adds a listener, for two names at once: Node would report a leak.
    setMaxListeners(2 * maxAsked, signal);
    return Promise.all(
      holders.slice(0, maxAsked).map(async (holder) => {
        const answer = await this.#askOne(holder.server, room, signal);
        return { ...holder, answer };
      }),
    );
  }

  /**
   * Asks the named servers, and if none of their answers is enough, all other servers. `notAsked`: servers that
   * were left out because they are too many.
   */
  async askNamedFirst(
    room: RoomName,
    named: readonly Holder[],
    { signal, isEnough }: { signal: AbortSignal; isEnough: (asked: AskedServer) => boolean },
  ): Promise<Pick<FoundRoom, 'asked' | 'notAsked'>> {
    const asked = await this.ask(room, named, signal);
    const notAsked = countNotAsked(named.length);
    if (asked.some(isEnough)) return { asked, notAsked };
    const others = this.#othersThan(named, room);
    return {
      asked: [...asked, ...(await this.ask(room, others, signal))],
      notAsked: notAsked + countNotAsked(others.length),
    };
  }

  #othersThan(named: readonly Holder[], room: RoomName): Holder[] {
    const known = new Set(named.map(({ server }) => server));
    return this.allServers(room).filter(({ server }) => !known.has(server));
  }

  /** Whether no server answers at an address of the store. A crashed server leaves its address there. */
  isGone(address: string): boolean {
    const { book, pubSubPort, isGone } = this.#needs;
    const server = serverAt(address, pubSubPort);
    if (server === undefined || !isGone(server)) return false;
    return book.serversAt(normalizeAddress(address), this.#context.roster).length === 0;
  }

  /** The current counts. */
  counts(): KnownCounts {
    return this.#needs.counts();
  }

  async #askServers(
    { room, holders }: KnownRoom,
    isThorough: boolean,
    signal: AbortSignal,
  ): Promise<Answers> {
    const first = isThorough ? [...holders, ...this.#othersThan(holders, room)] : holders;
    const isEnough = (each: AskedServer) => isThorough || holds(each);
    const { asked, notAsked } = await this.askNamedFirst(room, first, { signal, isEnough });
    const named = new Set(holders.map(({ server }) => server));
    const shown = asked.filter((each) => named.has(each.server) || holds(each));
    return { asked: shown, notAsked, isAskable: isAskable(room, asked) };
  }

  #found({ room, item }: KnownRoom, answers: Answers): FoundRoom {
    const isInStore = isStorable(room) && !this.#needs.isStorePartial;
    return { room, item, ...answers, isStorable: isInStore };
  }

  async #lookUp(room: RoomName): Promise<KnownRoom> {
    let item: FoundRoom['item'] = null;
    let failure: unknown;
    try {
      item = await this.#known.read(`room ${room}`, () => this.#needs.rooms.get(room));
    } catch (error) {
      failure = error;
    }
    return { room, item, failure, holders: this.#holders(room, item?.value?.addresses ?? []) };
  }

  #holders(room: RoomName, addresses: readonly string[]): Holder[] {
    const { roster, tally } = this.#context;
    const counts = this.counts();
    const holders = new Map<ServerId, Holder>();
    const add = (server: ServerId, isStored: boolean) => {
      holders.set(server, { server, isStored, connections: counts.on(server, room) });
    };
    for (const address of addresses)
      for (const server of this.#serversAt(address)) add(server, true);
    for (const { server } of roster)
      if (tally.countOn(server, room) > 0 && !holders.has(server)) add(server, false);
    return [...holders.values()];
  }

  async #askOne(server: ServerId, room: RoomName, signal: AbortSignal): Promise<ServerAnswer> {
    if (!this.#needs.servers.canAsk(server, room)) return { kind: 'unasked' };
    try {
      const maxBytes = this.#needs.maxStateBytes;
      const state = await this.#needs.servers.roomState(server, room, { maxBytes, signal });
      if (!state) return { kind: 'denies' };
      // Even an empty document has some bytes.
      if (state.byteLength === 0) return { kind: 'unreadable', cause: 'the answer is empty' };
      return { kind: 'holds', state };
    } catch (error) {
      return { kind: 'failed', cause: error instanceof Error ? error.message : String(error) };
    }
  }

  /**
   * The known servers at an address of the store, or else the server that would be there. Requests to forbidden
   * addresses fail.
   */
  #serversAt(address: string): ServerId[] {
    const { book, pubSubPort } = this.#needs;
    const known = book.serversAt(normalizeAddress(address), this.#context.roster);
    const server = known.length > 0 ? undefined : serverAt(address, pubSubPort);
    return server === undefined ? known : [server];
  }

  get #context() {
    return this.#needs.actor().getSnapshot().context;
  }
}

/**
 * Whether the servers that seem to hold a room could be asked for it. If none seems to, one that could be
 * asked is enough.
 */
export function isAskable(room: RoomName, asked: readonly AskedServer[]): boolean {
  if (isRawName(room)) return true;
  const seems = (each: AskedServer) => holds(each) || each.isStored || (each.connections ?? 0) > 0;
  const holding = asked.filter(seems);
  return (holding.length > 0 ? holding : asked).some(({ answer }) => answer.kind !== 'unasked');
}

/** Whether the store or the live counts have the room. */
function isKnown({ item, holders }: KnownRoom): boolean {
  return item?.value !== undefined || holders.length > 0;
}

function holds({ answer }: AskedServer): boolean {
  return answer.kind === 'holds' || answer.kind === 'unreadable';
}
