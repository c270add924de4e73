import type { ActivationActor } from '../machines/activationMachine.js';
import type { RoomName, ServerId } from '../machines/ports.js';
import type { Tally } from '../machines/tally.js';
import { canAsk, type PubSubServers } from './adapters/pubSubServers.js';
import type { AddressBook } from './addressBook.js';
import { toServerId } from './addresses.js';
import { type Fresh, LastKnownGood } from './lastKnownGood.js';
import type { RoomsTable, StoredRoom } from './store.js';

/** What the room directory is made of. */
export interface RoomDirectoryNeeds {
  actor: () => ActivationActor;
  book: AddressBook;
  servers: PubSubServers;
  rooms: RoomsTable;
  pubSubPort: number;
  maxStateBytes: number;
}

/** A server that may hold a room, and who says so. */
export interface Holder {
  server: ServerId;
  /** The metadata store names its address. */
  isStored: boolean;
  /** Connections that it reported, if it reports now. */
  connections: number;
}

/** What a server says when it is asked for a room. */
export type Said =
  | { kind: 'holds'; state: Uint8Array }
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
  asked: Asked[];
}

/** Servers asked for one room, at the most. */
const maxAsked = 64;

/** Where rooms are: by the metadata store, by the live counts, and by asking the servers. */
export class RoomDirectory {
  readonly #needs: RoomDirectoryNeeds;
  readonly #known = new LastKnownGood();

  constructor(needs: RoomDirectoryNeeds) {
    this.#needs = needs;
  }

  /**
   * The first of some names that somebody knows a room of, with the states of all servers that answer
   * within the request timeout. Rejects with `StoreError` when only the store could have known.
   */
  async find(names: readonly RoomName[], signal: AbortSignal): Promise<FoundRoom | undefined> {
    const looked = await Promise.all(names.map((room) => this.#look(room)));
    for (const { room, item, holders } of looked) {
      if (holders.length === 0) continue;
      return { room, item, asked: await this.ask(room, holders, signal) };
    }
    for (const { room, item } of looked) {
      const asked = await this.ask(room, this.everybody(), signal);
      const holding = asked.filter(({ said }) => said.kind === 'holds');
      if (item?.value || holding.length > 0) return { room, item, asked: holding };
    }
    for (const { failure } of looked) if (failure) throw failure;
    return undefined;
  }

  /** Of the names that a path may mean, the one that a room is known by, or else would be. */
  async likeliest(names: readonly [RoomName, ...RoomName[]]): Promise<RoomName> {
    for (const room of names) {
      const { item, holders } = await this.#look(room);
      if (item?.value || holders.length > 0) return room;
    }
    const [raw, decoded] = names;
    return decoded !== undefined && canAsk(decoded) ? decoded : raw;
  }

  /** The servers that the store or the live counts name for a room. A failing store is passed over. */
  async holders(room: RoomName): Promise<Holder[]> {
    const { holders } = await this.#look(room);
    return holders;
  }

  /** All servers, as holders of a room that nothing names any for. */
  everybody(): Holder[] {
    const shown = [...this.#context.roster.shown()];
    return shown.map(({ server }) => ({ server, isStored: false, connections: 0 }));
  }

  /**
   * Asks servers for the state of a room, a bounded number of them. Each answers or fails within the
   * request timeout, and none waits for another.
   */
  async ask(room: RoomName, holders: readonly Holder[], signal: AbortSignal): Promise<Asked[]> {
    return Promise.all(
      holders.slice(0, maxAsked).map(async (holder) => {
        const said = await this.#askOne(holder.server, room, signal);
        return { ...holder, said };
      }),
    );
  }

  get tally(): Tally {
    return this.#context.tally;
  }

  async #look(room: RoomName) {
    const { roster, tally } = this.#context;
    let item: FoundRoom['item'] = null;
    let failure: unknown;
    try {
      item = await this.#known.read(`room ${room}`, () => this.#needs.rooms.get(room));
    } catch (error) {
      failure = error;
    }
    const holders = new Map<ServerId, Holder>();
    for (const address of item?.value?.addresses ?? [])
      for (const server of this.#serversAt(address))
        holders.set(server, { server, isStored: true, connections: tally.countOn(server, room) });
    for (const { server } of roster) {
      const connections = tally.countOn(server, room);
      if (connections > 0 && !holders.has(server))
        holders.set(server, { server, isStored: false, connections });
    }
    return { room, item, failure, holders: [...holders.values()] };
  }

  async #askOne(server: ServerId, room: RoomName, signal: AbortSignal): Promise<Said> {
    if (!canAsk(room)) return { kind: 'unasked' };
    try {
      const maxBytes = this.#needs.maxStateBytes;
      const state = await this.#needs.servers.roomState(server, room, { maxBytes, signal });
      return state ? { kind: 'holds', state } : { kind: 'denies' };
    } catch (error) {
      return { kind: 'failed', cause: error instanceof Error ? error.message : String(error) };
    }
  }

  /** The servers at an address of the store: the known ones, or the one that would be there. */
  #serversAt(address: string): ServerId[] {
    const { book, pubSubPort } = this.#needs;
    const known = book.serversAt(address, this.#context.roster);
    if (known.length > 0) return known;
    return book.mayContact(address, pubSubPort) ? [toServerId(address, pubSubPort)] : [];
  }

  get #context() {
    return this.#needs.actor().getSnapshot().context;
  }
}
