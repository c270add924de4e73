import { setMaxListeners } from 'node:events';
import type { RoomName, ServerId } from '../../../machines/ports.js';
import { causeOf } from '../../causeOf.js';
import { canAsk, isRawName, type RoomStates } from '../../pubsub/roomStates.js';
import { isStorable, type RoomsTable, type StoredRoom } from '../../store/store.js';
import type { MissingRanges } from '../../wire/divergence.js';
import type { FleetFacts, Holder, KnownServer, RoomFacts } from './fleetFacts.js';
import { type Fresh, LastKnownGood } from './lastKnownGood.js';

/** The parts of the service that the room directory uses. */
export interface RoomDirectoryNeeds {
  facts: FleetFacts;
  /** Asks servers for the state of a room; undefined: none is asked, because content is hidden. */
  states: Pick<RoomStates, 'roomState'> | undefined;
  rooms: RoomsTable;
  /** True if the pub-sub servers do not write to the store, so that rooms may be missing from it. */
  isStorePartial: boolean;
  maxStateBytes: number;
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
  /** Not asked, because it might answer for another room (see `canAsk`), or because content is hidden. */
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
  /** Its counts, and when it was observed. */
  facts: Omit<RoomFacts, 'holders'>;
  /** The servers that should hold it, and those that do. */
  asked: AskedServer[];
  /** Servers that may hold it but were not asked, because they are too many. */
  notAsked: number;
}

/** What the store and the live counts know of a room. */
interface KnownRoom extends Pick<FoundRoom, 'room' | 'item'> {
  /** Why the store did not answer. */
  failure: unknown;
  facts: RoomFacts;
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
   * `StoreError` if no room was found and the store did not answer. If content is hidden no server is asked, so
   * only rooms of the store and of the live counts are found.
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
    if (!this.#needs.states) return false;
    return canAsk(false, room) || (canAsk(true, room) && this.#needs.facts.isAnyTakingNames());
  }

  /** The servers that the store or the live counts name for a room, without those that are gone. */
  async holders(room: RoomName): Promise<Holder[]> {
    const { facts } = await this.#lookUp(room);
    return facts.holders.filter(({ isGone }) => !isGone);
  }

  /** All servers, as possible holders of a room. */
  async allServers(room: RoomName): Promise<Holder[]> {
    const servers = await this.#needs.facts.serversFor(room);
    return servers.map((server) => ({ ...server, isStored: false }));
  }

  /** A server that was named as a holder a moment ago. */
  about(server: ServerId, room: RoomName): Holder {
    return { ...this.#needs.facts.about(server, room), isStored: false };
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
        const answer = await this.#askOne(holder, room, signal);
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
    const others = await this.#othersThan(named, room);
    return {
      asked: [...asked, ...(await this.ask(room, others, signal))],
      notAsked: notAsked + countNotAsked(others.length),
    };
  }

  async #othersThan(named: readonly Holder[], room: RoomName): Promise<Holder[]> {
    const known = new Set(named.map(({ server }) => server));
    const servers = await this.allServers(room);
    return servers.filter(({ server }) => !known.has(server));
  }

  async #askServers(
    { room, facts: { holders } }: KnownRoom,
    isThorough: boolean,
    signal: AbortSignal,
  ): Promise<Answers> {
    if (!this.#needs.states) return unaskedOf(holders);
    const first = isThorough ? [...holders, ...(await this.#othersThan(holders, room))] : holders;
    const isEnough = (each: AskedServer) => isThorough || holds(each);
    const { asked, notAsked } = await this.askNamedFirst(room, first, { signal, isEnough });
    const named = new Set(holders.map(({ server }) => server));
    const shown = asked.filter((each) => named.has(each.server) || holds(each));
    return { asked: shown, notAsked, isAskable: isAskable(room, asked) };
  }

  #found({ room, item, facts }: KnownRoom, answers: Answers): FoundRoom {
    const isInStore = isStorable(room) && !this.#needs.isStorePartial;
    return { room, item, facts, ...answers, isStorable: isInStore };
  }

  async #lookUp(room: RoomName): Promise<KnownRoom> {
    let item: FoundRoom['item'] = null;
    let failure: unknown;
    try {
      item = await this.#known.read(`room ${room}`, () => this.#needs.rooms.get(room));
    } catch (error) {
      failure = error;
    }
    const facts = await this.#needs.facts.factsOf(room, item?.value?.addresses ?? []);
    return { room, item, failure, facts };
  }

  async #askOne(
    { server, takesNames }: KnownServer,
    room: RoomName,
    signal: AbortSignal,
  ): Promise<ServerAnswer> {
    const { states, maxStateBytes: maxBytes } = this.#needs;
    if (!states || !canAsk(takesNames, room)) return { kind: 'unasked' };
    try {
      const state = await states.roomState(server, room, { takesNames, maxBytes, signal });
      if (!state) return { kind: 'denies' };
      // Even an empty document has some bytes.
      if (state.byteLength === 0) return { kind: 'unreadable', cause: 'the answer is empty' };
      return { kind: 'holds', state };
    } catch (error) {
      return { kind: 'failed', cause: causeOf(error) };
    }
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

/** Answers when content is hidden. */
function unaskedOf(holders: readonly Holder[]): Answers {
  const asked = holders.map((holder) => ({ ...holder, answer: { kind: 'unasked' as const } }));
  return { asked, notAsked: 0, isAskable: false };
}

/** Whether the store or the live counts have the room. */
function isKnown({ item, facts }: KnownRoom): boolean {
  return item?.value !== undefined || facts.holders.length > 0;
}

function holds({ answer }: AskedServer): boolean {
  return answer.kind === 'holds' || answer.kind === 'unreadable';
}
