import type { RoomName, ServerId } from '../../machines/ports.js';

/** What becomes of a watched room that its servers post. */
export interface PostedRoomEvents {
  /**
   * All these servers, which hold it, post it. States that are requested from now on contain everything posted
   * before. Repeated when something may have been missed.
   */
  onFollowed: (servers: readonly ServerId[]) => void;
  /** A server that should post it does not answer. */
  onLost: () => void;
  /** No server holds it, or one that does cannot post it. */
  onMissing: () => void;
  onUpdate: (update: Uint8Array) => void;
  onAwareness: (update: Uint8Array) => void;
  /** A server dropped something, so the states have to be merged again. */
  onDropped: () => void;
}

/** A watched room as its follower sees it. Rounds ask the room's servers. */
export interface FollowedRoom {
  /** A round begins, which asks servers for the room. */
  beginRound(): void;
  /** The round has ended. Forgets servers that do not hold the room, unless they were noted since it began. */
  endRound(answers: RoundAnswers): void;
  /** The servers to ask in the round after `onFollowed`; empty in later rounds. */
  takeJustFollowed(): readonly ServerId[];
  /** The room is no longer followed. */
  end(): void;
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
  /** Has the server post the whole awareness of its rooms. */
  repeatAwareness: (server: ServerId) => void;
}

/** What a server answered when it was asked for the state of a room. */
export type RoundAnswer = 'holds' | 'unreadable' | 'denies' | 'failed' | 'unasked';

/** The answers of a round. */
export type RoundAnswers = ReadonlyMap<ServerId, RoundAnswer>;

/** As many as are asked for the state of one room. */
const maxHolders = 64;

/** A watched room that its servers post, with the servers that hold it, and its followers. */
export class PostedRoom {
  readonly room: RoomName;
  readonly #lists: PostedRoomLists;
  /** Servers that hold the room, each with the number of the note that last named it. */
  readonly #holders = new Map<ServerId, number>();
  readonly #followers = new Set<PostedRoomEvents>();
  #notes = 0;
  /** What was last told. */
  #standing: 'followed' | 'lost' | 'missing' | undefined;
  /** Whether updates may have been missed since `onFollowed`, or that was never told. */
  #mayHaveMissed = true;
  #isEnded = false;

  constructor(room: RoomName, lists: PostedRoomLists) {
    this.room = room;
    this.#lists = lists;
  }

  isHeldBy(server: ServerId): boolean {
    return this.#holders.has(server);
  }

  /** Number of the last note of servers. A round that began then forgets none that is noted later. */
  get notes(): number {
    return this.#notes;
  }

  /** Adds a follower, and tells it how the room stands. */
  add(events: PostedRoomEvents): void {
    // A server posts all awareness when it is first asked for the room, which was before this follower.
    for (const server of this.#holders.keys()) this.#lists.repeatAwareness(server);
    this.#followers.add(events);
    if (this.#standing === 'lost') events.onLost();
    else if (this.#standing === 'missing') events.onMissing();
    else if (!this.#mayHaveMissed) events.onFollowed([...this.#holders.keys()]);
  }

  /** Removes a follower. Returns whether there are others. */
  remove(events: PostedRoomEvents): boolean {
    this.#followers.delete(events);
    return this.#followers.size > 0;
  }

  /** Tells all followers. */
  tell(say: (events: PostedRoomEvents) => void): void {
    for (const events of [...this.#followers]) say(events);
  }

  /** These servers hold the room, as their counts, the store or they themselves say. */
  note(servers: readonly ServerId[]): void {
    if (this.#isEnded) return;
    this.#notes += 1;
    for (const server of servers) {
      if (!this.#holders.has(server) && this.#holders.size >= maxHolders) continue;
      this.#holders.set(server, this.#notes);
    }
    this.update();
  }

  /** A round has ended that began when `notes` had this value. */
  endRound(answers: RoundAnswers, notes: number): void {
    for (const [server, note] of this.#holders) {
      const answer = answers.get(server);
      if (answer === 'failed') this.#lists.doubt(server);
      else if (note <= notes && !isHolding(answer)) this.#forget(server);
    }
    this.note([...answers.keys()].filter((server) => isHolding(answers.get(server))));
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
    this.#followers.clear();
  }

  #forget(server: ServerId): void {
    this.#holders.delete(server);
    this.#lists.untell(server, this.room);
  }

  #follow(): void {
    if (!this.#mayHaveMissed) return;
    this.#standing = 'followed';
    this.#mayHaveMissed = false;
    const holders = [...this.#holders.keys()];
    this.tell((events) => events.onFollowed(holders));
  }

  #lose(): void {
    this.#mayHaveMissed = true;
    if (this.#standing === 'lost') return;
    this.#standing = 'lost';
    this.tell((events) => events.onLost());
  }

  #miss(): void {
    this.#mayHaveMissed = true;
    if (this.#standing === 'missing') return;
    const wasFollowed = this.#standing === 'followed';
    this.#standing = 'missing';
    // A room that was followed is lost first: see `RoomChannelEvent`.
    this.tell((events) => {
      if (wasFollowed) events.onLost();
      events.onMissing();
    });
  }
}

const isHolding = (answer: RoundAnswer | undefined) =>
  answer === 'holds' || answer === 'unreadable';
