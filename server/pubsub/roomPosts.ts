import type { Connections, RoomName, ServerId } from '../../machines/ports.js';
import type { Delta } from '../../machines/tally.js';
import { LocalFollower } from './followedRoom.js';
import type { ContentEntry } from './parseContent.js';
import { PostedRoom, type PostedRoomEvents, type Told } from './postedRoom.js';
import { type DelayClock, ServerRoomList } from './serverRoomList.js';

/** What the posts of watched rooms need of the rest of the service. */
export interface RoomPostsNeeds {
  /** Tells a server which rooms to post. Rejects with an Error if it is not confirmed within a deadline. */
  send: (server: ServerId, rooms: readonly RoomName[], how: Sending) => Promise<void>;
  /** Whether a server can post rooms. */
  isAble: (server: ServerId) => boolean;
  /** How long a request without an answer may still be applied. */
  requestTimeoutMs: number;
  /** A server did not take its list. Called once until it takes one. */
  onFailed: (server: ServerId, cause: Error) => void;
  /** Default: the real one. */
  clock?: DelayClock | undefined;
}

/** How a list is sent. */
export interface Sending {
  signal: AbortSignal;
  /** Whether the last request to the server failed. */
  isRetry: boolean;
  /** A number for the URL in the list, see `ServerRoomListNeeds`. */
  receiver: number;
}

const realClock: DelayClock = { setTimeout, clearTimeout };

/**
 * Watched rooms that servers post by themselves. Each server that holds one and is able to is told its own list
 * of rooms, and nobody else is. Owns those lists, with their requests and timers.
 */
export class RoomPosts {
  readonly #needs: RoomPostsNeeds;
  readonly #rooms = new Map<RoomName, PostedRoom>();
  readonly #lists = new Map<ServerId, ServerRoomList>();
  readonly #stop = new AbortController();

  constructor(needs: RoomPostsNeeds) {
    this.#needs = needs;
  }

  /** Follows a room until the follower ends. The caller notes which servers hold it. */
  follow(room: RoomName, events: PostedRoomEvents): LocalFollower {
    const posted = this.#rooms.get(room) ?? new PostedRoom(room, this.#listsOfRooms);
    this.#rooms.set(room, posted);
    return new LocalFollower(posted, events, () => this.#end(posted));
  }

  /** A room that is followed; undefined: it is not. */
  get(room: RoomName): PostedRoom | undefined {
    return this.#rooms.get(room);
  }

  /** Connections opened on a server: it holds these rooms. */
  noteDeltas(server: ServerId, deltas: readonly Delta[]): void {
    if (this.#rooms.size === 0) return;
    for (const { room, add } of deltas) if (add > 0) this.#noteHolder(server, room);
  }

  /** A server reported its connections. */
  noteSnapshot(server: ServerId, snapshot: Connections): void {
    for (const room of this.#rooms.keys())
      if ((snapshot.get(room) ?? 0) > 0) this.#noteHolder(server, room);
  }

  /** What a server can do, or which process it is, may have changed. */
  noteAgent(server: ServerId, { hasRestarted }: { hasRestarted: boolean }): void {
    if (!this.#needs.isAble(server)) this.#drop(server);
    else if (hasRestarted) this.#lists.get(server)?.restart();
    this.#update(server);
  }

  /** A server posted about rooms. Those that it was not asked for, or that nobody watches any more, are ignored. */
  take(server: ServerId, entries: readonly ContentEntry[]): void {
    const dropped = new Set<PostedRoom>();
    for (const entry of entries) {
      const posted = this.#rooms.get(entry.room);
      if (!posted?.isHeldBy(server)) continue;
      if ('lost' in entry) dropped.add(posted);
      else posted.tell((events) => pass(entry, events));
    }
    for (const posted of dropped) posted.tell((events) => events.onDropped());
  }

  /** A post of a server was refused, so anything may be missing. */
  noteRefusedPost(server: ServerId): void {
    for (const posted of this.#rooms.values())
      if (posted.isHeldBy(server)) posted.tell((events) => events.onDropped());
  }

  /** Tells every server to stop. */
  silence(): void {
    for (const posted of this.#rooms.values()) posted.end();
    this.#rooms.clear();
  }

  /** Ends every request and timer, and forgets all rooms. No server is told. */
  close(): void {
    this.#stop.abort();
    for (const server of [...this.#lists.keys()]) this.#drop(server);
    for (const posted of this.#rooms.values()) posted.end();
    this.#rooms.clear();
  }

  #end(posted: PostedRoom): void {
    if (this.#rooms.get(posted.room) === posted) this.#rooms.delete(posted.room);
    posted.end();
  }

  readonly #listsOfRooms = {
    tell: (server: ServerId, room: RoomName) => this.#tell(server, room),
    untell: (server: ServerId, room: RoomName) => this.#lists.get(server)?.unwant(room),
    doubt: (server: ServerId) => this.#lists.get(server)?.renew(),
    repeatAwareness: (server: ServerId) => this.#lists.get(server)?.repeatAwareness(),
  };

  #tell(server: ServerId, room: RoomName): Told {
    if (!this.#needs.isAble(server)) {
      this.#drop(server);
      return 'unable';
    }
    const list = this.#lists.get(server) ?? this.#addList(server);
    if (!list.want(room)) return 'unable';
    if (list.isConfirmed(room)) return 'confirmed';
    return list.isFailing ? 'failing' : 'asked';
  }

  #addList(server: ServerId): ServerRoomList {
    const { send, clock = realClock, requestTimeoutMs, onFailed } = this.#needs;
    const { signal } = this.#stop;
    const list: ServerRoomList = new ServerRoomList({
      send: (rooms, receiver) => send(server, rooms, { signal, isRetry: list.isFailing, receiver }),
      clock,
      requestTimeoutMs,
      onChanged: () => this.#update(server),
      onFailed: (cause) => onFailed(server, cause),
      onIdle: () => this.#drop(server),
    });
    this.#lists.set(server, list);
    return list;
  }

  #drop(server: ServerId): void {
    this.#lists.get(server)?.close();
    this.#lists.delete(server);
  }

  #noteHolder(server: ServerId, room: RoomName): void {
    this.#rooms.get(room)?.note([server]);
  }

  #update(server: ServerId): void {
    for (const posted of [...this.#rooms.values()]) if (posted.isHeldBy(server)) posted.update();
  }
}

/** Each follower gets bytes of its own, because it may give them to a thread. */
function pass(
  entry: Exclude<ContentEntry, { lost: true }>,
  { onUpdate, onAwareness }: PostedRoomEvents,
): void {
  if ('update' in entry) onUpdate(Buffer.from(entry.update, 'base64'));
  else onAwareness(Buffer.from(entry.awareness, 'base64'));
}
