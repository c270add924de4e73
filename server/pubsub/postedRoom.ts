import type { RoomName, ServerId } from '../../machines/ports.js';

/** What becomes of a watched room that its servers post. */
export interface PostedRoomEvents {
  /** All its servers post it. States that are requested from now on contain everything posted before. */
  onFollowed: () => void;
  /** A server that should post it does not answer. */
  onLost: () => void;
  /** No server holds it, or one that does cannot post it. */
  onMissing: () => void;
  onUpdate: (update: Uint8Array) => void;
  onAwareness: (update: Uint8Array) => void;
  /** A server dropped something, so the states have to be merged again. */
  onDropped: () => void;
}

/** What a server was told about a room. `unable`: it cannot post it. */
export type Told = 'unable' | 'asked' | 'confirmed' | 'failing';

/** The lists of the servers. */
export interface PostedRoomLists {
  /** Has the server told to post the room, and says how far that is. */
  tell: (server: ServerId, room: RoomName) => Told;
  untell: (server: ServerId, room: RoomName) => void;
  /** A server did not answer for a room: whether it is still there has to be found out. */
  doubt: (server: ServerId) => void;
}

/** What a server answered when it was asked for the state of a room. */
export type RoundAnswer = 'holds' | 'unreadable' | 'denies' | 'failed' | 'unasked';

/** As many as are asked for the state of one room. */
const maxHolders = 64;

/** A watched room that its servers post, and the servers that hold it. */
export class PostedRoom {
  readonly room: RoomName;
  readonly events: PostedRoomEvents;
  readonly #lists: PostedRoomLists;
  /** Servers that hold the room, each with the newest round that had begun when it was last seen to hold it. */
  readonly #holders = new Map<ServerId, number>();
  #round = 0;
  /** What was last told. */
  #standing: 'followed' | 'lost' | 'missing' | undefined;
  /** Whether updates may have been missed since `onFollowed`. */
  #mayHaveMissed = true;
  /** The holders at `onFollowed`, until the next round. */
  #justFollowed: readonly ServerId[] = [];
  #isEnded = false;

  constructor(room: RoomName, lists: PostedRoomLists, events: PostedRoomEvents) {
    this.room = room;
    this.#lists = lists;
    this.events = events;
  }

  isHeldBy(server: ServerId): boolean {
    return this.#holders.has(server);
  }

  /** These servers hold the room, as their counts, the store or they themselves say. */
  note(servers: readonly ServerId[]): void {
    if (this.#isEnded) return;
    for (const server of servers) {
      if (!this.#holders.has(server) && this.#holders.size >= maxHolders) continue;
      this.#holders.set(server, this.#round);
    }
    this.update();
  }

  /** A round begins, which asks servers for the room. */
  beginRound(): void {
    this.#round += 1;
  }

  /** The round has ended. Forgets servers that do not hold the room, unless they were noted since it began. */
  endRound(answers: ReadonlyMap<ServerId, RoundAnswer>): void {
    for (const [server, round] of this.#holders) {
      const answer = answers.get(server);
      if (answer === 'failed') this.#lists.doubt(server);
      else if (round < this.#round && !isHolding(answer)) this.#forget(server);
    }
    this.note([...answers.keys()].filter((server) => isHolding(answers.get(server))));
  }

  /** The servers to ask in the round after `onFollowed`; empty in later rounds. */
  takeJustFollowed(): readonly ServerId[] {
    const servers = this.#justFollowed;
    this.#justFollowed = [];
    return servers;
  }

  /** Finds out how the room stands, and tells that if it changed. */
  update(): void {
    const told = [...this.#holders.keys()].map((server) => this.#lists.tell(server, this.room));
    if (told.length === 0 || told.includes('unable')) this.#miss();
    else if (told.includes('failing')) this.#lose();
    else if (told.includes('asked')) this.#mayHaveMissed = true;
    else this.#follow();
  }

  end(): void {
    this.#isEnded = true;
    for (const server of this.#holders.keys()) this.#lists.untell(server, this.room);
    this.#holders.clear();
  }

  #forget(server: ServerId): void {
    this.#holders.delete(server);
    this.#lists.untell(server, this.room);
  }

  #follow(): void {
    if (this.#standing === 'followed' && !this.#mayHaveMissed) return;
    this.#standing = 'followed';
    this.#mayHaveMissed = false;
    this.#justFollowed = [...this.#holders.keys()];
    this.events.onFollowed();
  }

  #lose(): void {
    this.#mayHaveMissed = true;
    if (this.#standing === 'lost') return;
    this.#standing = 'lost';
    this.events.onLost();
  }

  #miss(): void {
    this.#mayHaveMissed = true;
    if (this.#standing === 'missing') return;
    // A room that was followed is lost first: see `RoomChannelEvent`.
    if (this.#standing === 'followed') this.events.onLost();
    this.#standing = 'missing';
    this.events.onMissing();
  }
}

const isHolding = (answer: RoundAnswer | undefined) =>
  answer === 'holds' || answer === 'unreadable';
