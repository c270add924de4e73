import type { RoomName } from '../../machines/ports.js';
import { appendJsonField, openJsonField } from '../appendJsonField.js';
import { Channel } from '../sse/channel.js';
import { type Frame, messageFrame } from '../sse/frames.js';
import { Heartbeat } from '../sse/heartbeat.js';
import type { Viewer } from '../sse/viewer.js';
import { Pace } from '../timing/pace.js';
import type { FeedStatus } from '../wire/fleetEvents.js';
import type { ServerView } from '../wire/serverView.js';
import { Ring } from './ring.js';
import { type Standpoint, StateEncoder } from './stateEncoder.js';

/** What the feed shows, asked for when it is about to show it. */
export interface FeedSource {
  readonly totals: ReadonlyMap<RoomName, number>;
  /** The set is the feed's from then on. */
  takeChangedRooms(): Set<RoomName>;
  takeChangedServers(): ServerView[];
  servers(): ServerView[];
  status(): FeedStatus;
}

/** The streams of `GET /api/events`: the whole map of rooms (`rooms`), or what changed (`changes`). */
export type StreamKind = 'rooms' | 'changes';

/** What can be encoded in a turn of the event loop without holding it up. */
const maxRoomsPerFrame = 10_000;
/** What the stream of whole maps may cost a viewer. */
const maxWholeBytesPerMs = 1000;

/**
 * Turns the tally into frames and sends them to the viewers: each frame is encoded once, changes are
 * gathered for a frame interval, and nothing is queued for a viewer that does not read.
 */
export class Feed {
  readonly #source: FeedSource;
  readonly #run: string;
  readonly #rooms = new Channel(() => this.#whole('rooms'));
  readonly #changes = new Channel(() => this.#whole('changes'));
  readonly #ring = new Ring();
  readonly #changesPace: Pace;
  readonly #roomsPace: Pace;
  readonly #heartbeat = new Heartbeat({
    catchUp: () => this.#catchUp(),
    viewers: () => this.#viewers(),
  });
  /** Rooms that changed and that no frame has told of. */
  #untold = new Set<RoomName>();
  /** The map of rooms as whole states have it. */
  readonly #encoder: StateEncoder;
  /** Whole states that are being encoded, for all who wait for them. */
  readonly #coming = new Map<StreamKind, Promise<Frame>>();
  #activation = 1;
  #version = 0;
  #shown: FeedStatus;
  #isRestarted = false;
  #wholeMapCache: Buffer | undefined;
  /** Of the last whole map, which is what the next one will be about as big as. */
  #wholeMapBytes = 0;
  #snapshotCache: Buffer | undefined;
  #isClosed = false;

  constructor(
    source: FeedSource,
    { run, frameIntervalMs }: { run: string; frameIntervalMs: number },
  ) {
    this.#source = source;
    this.#run = run;
    this.#shown = source.status();
    this.#encoder = new StateEncoder(() => source.totals);
    this.#encoder.note(source.totals.keys());
    this.#changesPace = new Pace(
      () => this.#flush(),
      () => frameIntervalMs,
    );
    this.#roomsPace = new Pace(
      () => this.#sendWholeMaps(),
      () => Math.max(frameIntervalMs, this.#wholeMapBytes / maxWholeBytesPerMs),
    );
    this.#heartbeat.start();
  }

  /** Something that viewers see may have changed. */
  publish(): void {
    if (!this.#isClosed) this.#changesPace.touch();
  }

  /** All counts are gone. Everybody gets the whole state next, and nobody resumes over this. */
  restart(): void {
    this.#activation += 1;
    this.#isRestarted = true;
    this.publish();
  }

  /** Sends a viewer where the stream is, and from then on what comes. */
  add(viewer: Viewer, kind: StreamKind, lastEventId?: string): void {
    // What is about to be flushed comes as the next frame, to all. But what is gone is not shown again.
    if (this.#isRestarted) this.#flush();
    if (kind === 'rooms') {
      this.#rooms.addBehind(viewer);
      return;
    }
    const missed = this.#resume(lastEventId);
    if (missed?.every((frame) => viewer.send(frame))) this.#changes.add(viewer);
    else this.#changes.addBehind(viewer);
  }

  remove(viewer: Viewer): void {
    this.#rooms.remove(viewer);
    this.#changes.remove(viewer);
  }

  get viewers(): number {
    return this.#rooms.size + this.#changes.size;
  }

  /** Where the stream is: `<run>.<activation>-<version>`. */
  get id(): string {
    return this.#idOf(this.#version);
  }

  /** Ends every stream. */
  close(): void {
    this.#isClosed = true;
    this.#heartbeat.stop();
    this.#changesPace.close();
    this.#roomsPace.close();
    this.#encoder.close();
    for (const viewer of this.#viewers()) viewer.end();
  }

  #flush(): void {
    const status = this.#source.status();
    this.#addUntold(this.#source.takeChangedRooms());
    const servers = this.#source.takeChangedServers();
    const { state, complete, reason } = this.#shown;
    const isNewStatus =
      status.state !== state || status.complete !== complete || status.reason !== reason;
    const isRestarted = this.#isRestarted;
    this.#isRestarted = false;
    this.#shown = status;
    if (isRestarted) this.#encoder.clear();
    const rooms = this.#takeUntold(isRestarted ? Number.POSITIVE_INFINITY : maxRoomsPerFrame);
    this.#encoder.note(rooms);
    if (isRestarted || rooms.length > 0) {
      this.#wholeMapCache = undefined;
      // To encode every frame's worth for nobody would be a fifth of an activation.
      if (this.#rooms.size > 0) this.#roomsPace.touch();
      else this.#encoder.keepWarm(rooms.length);
    }
    if (isRestarted) {
      this.#ring.clear(this.#version + 2);
      this.#advance();
      // All is gone: what there is to encode came in this moment.
      this.#changes.broadcast(this.#snapshot(this.#encoder.encodeNow(this.#version)));
      return;
    }
    const news = isNewStatus ? status : {};
    if (servers.length > 0) this.#emit('servers', { ...news, servers });
    else if (isNewStatus && rooms.length === 0) this.#emit('changes', { ...news, rooms: {} });
    if (rooms.length > 0) {
      const head = servers.length > 0 ? {} : news;
      this.#emit('changes', head, this.#encodeRooms(rooms));
    }
  }

  #addUntold(changed: Set<RoomName>): void {
    if (this.#untold.size === 0) this.#untold = changed;
    else for (const room of changed) this.#untold.add(room);
  }

  /** Rooms to tell of, in the order of their changes; the rest goes with the next frame. */
  #takeUntold(max: number): RoomName[] {
    if (this.#untold.size <= max) {
      const rooms = [...this.#untold];
      this.#untold = new Set();
      return rooms;
    }
    const rooms: RoomName[] = [];
    for (const room of this.#untold) {
      if (rooms.length === max) break;
      this.#untold.delete(room);
      rooms.push(room);
    }
    this.publish();
    return rooms;
  }

  /** Sends an event of the next version; `rooms` is JSON already, for names like `__proto__`. */
  #emit(event: string, fields: object, rooms?: string): void {
    this.#advance();
    const json = JSON.stringify({ version: this.#version, ...fields });
    const data = rooms === undefined ? json : appendJsonField(json, 'rooms', rooms);
    const frame = messageFrame(data, { event, id: this.id });
    this.#ring.push(frame);
    this.#encoder.noteFrame(frame, this.#version);
    this.#changes.broadcast(frame);
  }

  #idOf(version: number): string {
    return `${this.#run}.${this.#activation}-${version}`;
  }

  #advance(): void {
    this.#version += 1;
    this.#snapshotCache = undefined;
  }

  #resume(lastEventId: string | undefined): Buffer[] | undefined {
    const stem = `${this.#run}.${this.#activation}-`;
    if (!lastEventId?.startsWith(stem)) return undefined;
    const version = lastEventId.slice(stem.length);
    return /^\d+$/.test(version) ? this.#ring.since(Number(version)) : undefined;
  }

  #sendWholeMaps(): void | Promise<void> {
    const frame = this.#whole('rooms');
    if (!(frame instanceof Promise)) return this.#rooms.broadcast(frame);
    return frame.then((whole) => this.#rooms.broadcast(whole));
  }

  /** A frame of a whole state: at once when little is to be encoded for it, else when that is done. */
  #whole(kind: StreamKind): Frame | Promise<Frame> {
    const coming = this.#coming.get(kind);
    if (coming) return coming;
    const make = (standpoint: Standpoint) =>
      kind === 'rooms' ? this.#wholeMap(standpoint) : this.#snapshot(standpoint);
    const encoded = this.#encoder.encode(this.#version);
    if (!(encoded instanceof Promise)) return make(encoded);
    const made = encoded.then((standpoint) => {
      this.#coming.delete(kind);
      return make(standpoint);
    });
    this.#coming.set(kind, made);
    return made;
  }

  /** For maps there are no frames of changes: what came meanwhile comes with the next map. */
  #wholeMap({ version }: Standpoint): Buffer {
    // There is to be one, though nothing changes any more.
    if (version !== this.#version) this.#roomsPace.touch();
    const map = this.#wholeMapCache ?? this.#encoder.between('data: ', '\n\n');
    if (version === this.#version) this.#wholeMapCache = map;
    this.#wholeMapBytes = map.length;
    return map;
  }

  #snapshot({ version, since }: Standpoint): Frame {
    if (version === this.#version && this.#snapshotCache) return this.#snapshotCache;
    const servers = this.#source.servers();
    const about = JSON.stringify({ version, ...this.#shown, servers });
    const head = `event: snapshot\nid: ${this.#idOf(version)}\ndata: ${openJsonField(about, 'rooms')}`;
    const snapshot = this.#encoder.between(head, '}\n\n');
    if (version === this.#version) this.#snapshotCache = snapshot;
    return since.length === 0 ? snapshot : [snapshot, ...since];
  }

  #encodeRooms(rooms: Iterable<RoomName>): string {
    const { totals } = this.#source;
    const entries: string[] = [];
    for (const room of rooms) entries.push(`${JSON.stringify(room)}:${totals.get(room) ?? 0}`);
    return `{${entries.join(',')}}`;
  }

  #catchUp(): void {
    // As big as all the names together: kept for those who come at the same time.
    this.#wholeMapCache = undefined;
    this.#snapshotCache = undefined;
    this.#rooms.catchUp();
    this.#changes.catchUp();
  }

  *#viewers(): Generator<Viewer> {
    yield* this.#rooms;
    yield* this.#changes;
  }
}
