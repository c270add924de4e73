import { setMaxListeners } from 'node:events';
import type { ActivationActor } from '../../../machines/activationMachine.js';
import type { RoomName, ServerId } from '../../../machines/ports.js';
import { normalizeAddress } from '../../addresses.js';
import { serverAt } from '../../discovery/roomAddresses.js';
import type { KnownCounts } from '../../fleet/knownCounts.js';
import type { AddressBook } from '../../pubsub/addressBook.js';
import { canAsk, type PubSubServers } from '../../pubsub/pubSubServers.js';
import { isStorable, type RoomsTable, type StoredRoom } from '../../store/store.js';
import type { MissingRanges } from '../../wire/divergence.js';
import { type Fresh, LastKnownGood } from './lastKnownGood.js';

/** What the room directory is made of. */
export interface RoomDirectoryNeeds {
  actor: () => ActivationActor;
  book: AddressBook;
  servers: PubSubServers;
  rooms: RoomsTable;
  /** The live counts of now. */
  counts: () => KnownCounts;
  /** Whether the store lacks rooms that pub-sub servers hold because they do not write to it. */
  isStorePartial: boolean;
  pubSubPort: number;
  maxStateBytes: number;
  /** Whether a server was let go because it did not answer. */
  isGone: (server: ServerId) => boolean;
}

/** A server that may hold a room, and who says so. */
export interface Holder {
  server: ServerId;
  /** The metadata store names its address. */
  isStored: boolean;
  /** Connections that it reported; null: unknown. */
  connections: number | null;
}

/** What a server says when it is asked for a room. */
export type Said =
  /** `waiting`: what it waits for to apply updates that it has; known once the state was read. */
  | { kind: 'holds'; state: Uint8Array; waiting?: MissingRanges | undefined }
  /** It sent something that is no document. */
  | { kind: 'unreadable'; cause: string }
  | { kind: 'denies' }
  /** It did not answer, or not as the contract has it. */
  | { kind: 'failed'; cause: string }
  /** It would answer for another room: see `canAsk`. */
  | { kind: 'unasked' };

export interface Asked extends Holder {
  said: Said;
}

/** A room that somebody knows of. */
export interface FoundRoom {
  room: RoomName;
  /** What the store says of it; null: the store did not answer, and never has. */
  item: Fresh<StoredRoom | undefined> | null;
  /** Whether servers can be asked for it; see `canAsk`. */
  isAskable: boolean;
  /** Whether it would be in the store if a server held it. */
  isStorable: boolean;
  /** The servers that are said to hold it, and those that do. */
  asked: Asked[];
  /** Servers that may hold it and were not asked, being too many. */
  notAsked: number;
}

interface Looked extends Pick<FoundRoom, 'room' | 'item'> {
  /** Why the store could not say anything of it. */
  failure: unknown;
  holders: Holder[];
}

/** Servers asked for one room, at the most. */
export const maxAsked = 64;

/** Of so many servers those that are not asked. */
export const beyondAsked = (servers: number): number => Math.max(0, servers - maxAsked);

/** Where rooms are: by the metadata store, by the live counts, and by asking the servers. */
export class RoomDirectory {
  readonly #needs: RoomDirectoryNeeds;
  readonly #known = new LastKnownGood();

  constructor(needs: RoomDirectoryNeeds) {
    this.#needs = needs;
  }

  /**
   * The first of some names that somebody knows a room of, with the states of the servers that hold it:
   * of those that are said to, or of others when none of them does; of all when the search is thorough.
   * Rejects with `StoreError` when only the store could have known.
   */
  async find(
    names: readonly RoomName[],
    { signal, isThorough = false }: { signal: AbortSignal; isThorough?: boolean },
  ): Promise<FoundRoom | undefined> {
    const looked = await Promise.all(names.map((room) => this.#look(room)));
    const known = looked.find(isKnown);
    const rounds = (known ? [known] : looked).map(async (room): Promise<FoundRoom | undefined> => {
      const around = await this.#askAround(room, isThorough, signal);
      return isKnown(room) || around.asked.length > 0 ? this.#found(room, around) : undefined;
    });
    for (const found of await Promise.all(rounds)) if (found) return found;
    for (const { failure } of looked) if (failure) throw failure;
    return undefined;
  }

  /** Of the names that a path may mean, the one that a room is known by, or else would be. */
  async likeliest(names: readonly [RoomName, ...RoomName[]]): Promise<RoomName> {
    for (const room of names) if (isKnown(await this.#look(room))) return room;
    const [raw, decoded] = names;
    return decoded !== undefined && canAsk(decoded) ? decoded : raw;
  }

  /**
   * The servers that the store or the live counts name for a room, but for those that are gone. A
   * failing store is passed over.
   */
  async holders(room: RoomName): Promise<Holder[]> {
    const { holders } = await this.#look(room);
    return holders.filter(({ server }) => !this.#needs.isGone(server));
  }

  /** All servers, as holders of a room. */
  everybody(room: RoomName): Holder[] {
    const counts = this.counts();
    const shown = [...this.#context.roster.shown()];
    return shown.map(({ server }) => ({
      server,
      isStored: false,
      connections: counts.on(server, room),
    }));
  }

  /**
   * Asks servers for the state of a room, a bounded number of them. Each answers or fails within the
   * request timeout, and none waits for another.
   */
  async ask(room: RoomName, holders: readonly Holder[], signal: AbortSignal): Promise<Asked[]> {
    // Every request listens to it, those for two names at the same time: that many are no leak.
    setMaxListeners(2 * maxAsked, signal);
    return Promise.all(
      holders.slice(0, maxAsked).map(async (holder) => {
        const said = await this.#askOne(holder.server, room, signal);
        return { ...holder, said };
      }),
    );
  }

  /**
   * Asks the named servers, and if none of their answers is enough, all other servers. `notAsked`: how many
   * there were no requests for.
   */
  async askNamedFirst(
    room: RoomName,
    named: readonly Holder[],
    { signal, isEnough }: { signal: AbortSignal; isEnough: (asked: Asked) => boolean },
  ): Promise<Pick<FoundRoom, 'asked' | 'notAsked'>> {
    const asked = await this.ask(room, named, signal);
    const notAsked = beyondAsked(named.length);
    if (asked.some(isEnough)) return { asked, notAsked };
    const others = this.#othersThan(named, room);
    return {
      asked: [...asked, ...(await this.ask(room, others, signal))],
      notAsked: notAsked + beyondAsked(others.length),
    };
  }

  #othersThan(named: readonly Holder[], room: RoomName): Holder[] {
    const known = new Set(named.map(({ server }) => server));
    return this.everybody(room).filter(({ server }) => !known.has(server));
  }

  /** Whether nothing answers at an address that the store names: a crash left it there. */
  isGone(address: string): boolean {
    const { book, pubSubPort, isGone } = this.#needs;
    const server = serverAt(address, pubSubPort);
    if (server === undefined || !isGone(server)) return false;
    return book.serversAt(normalizeAddress(address), this.#context.roster).length === 0;
  }

  /** The live counts of now. */
  counts(): KnownCounts {
    return this.#needs.counts();
  }

  async #askAround(
    { room, holders }: Looked,
    isThorough: boolean,
    signal: AbortSignal,
  ): Promise<Pick<FoundRoom, 'asked' | 'notAsked'>> {
    const first = isThorough ? [...holders, ...this.#othersThan(holders, room)] : holders;
    const isEnough = (each: Asked) => isThorough || holds(each);
    const { asked, notAsked } = await this.askNamedFirst(room, first, { signal, isEnough });
    const named = new Set(holders.map(({ server }) => server));
    return { asked: asked.filter((each) => named.has(each.server) || holds(each)), notAsked };
  }

  #found({ room, item }: Looked, around: Pick<FoundRoom, 'asked' | 'notAsked'>): FoundRoom {
    const isInStore = isStorable(room) && !this.#needs.isStorePartial;
    return { room, item, ...around, isAskable: canAsk(room), isStorable: isInStore };
  }

  async #look(room: RoomName): Promise<Looked> {
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

  async #askOne(server: ServerId, room: RoomName, signal: AbortSignal): Promise<Said> {
    if (!canAsk(room)) return { kind: 'unasked' };
    try {
      const maxBytes = this.#needs.maxStateBytes;
      const state = await this.#needs.servers.roomState(server, room, { maxBytes, signal });
      if (!state) return { kind: 'denies' };
      // Not even an empty document has no bytes.
      if (state.byteLength === 0) return { kind: 'unreadable', cause: 'answered no document' };
      return { kind: 'holds', state };
    } catch (error) {
      return { kind: 'failed', cause: error instanceof Error ? error.message : String(error) };
    }
  }

  /**
   * The servers at an address of the store: the known ones, or the one that would be there. Requests to
   * addresses that are not allowed fail.
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

/** Whether anybody says that there is such a room. */
function isKnown({ item, holders }: Looked): boolean {
  return item?.value !== undefined || holders.length > 0;
}

function holds({ said }: Asked): boolean {
  return said.kind === 'holds' || said.kind === 'unreadable';
}
