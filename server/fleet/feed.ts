import { isDeepStrictEqual } from 'node:util';
import type { RoomName } from '../../machines/ports.js';
import { appendJsonField } from '../appendJsonField.js';
import { Channel, type StreamViewer } from '../sse/channel.js';
import { type Frame, messageFrame } from '../sse/frames.js';
import { Heartbeat } from '../sse/heartbeat.js';
import { Pace } from '../timing/pace.js';
import type { FeedStatus, LeaderStatus } from '../wire/fleetEvents.js';
import type { ServerView } from '../wire/serverView.js';
import { ChangesHistory } from './changesHistory.js';
import { countsJson } from './countsJson.js';
import type { FeedSource } from './feedSource.js';
import { isBetter, resumption, statusFrame, withStatus } from './statusEvents.js';
import { WholeStates } from './wholeStates.js';

/** The streams of `GET /api/events`: the whole map of rooms (`rooms`), or the changes (`changes`). */
export type StreamKind = 'rooms' | 'changes';

/** How a feed sends. */
export interface FeedOptions {
  /** Random for each process; begins every event id. */
  run: string;
  /** Least time between two frames of a stream. */
  frameIntervalMs: number;
  /** Called with the servers of every flush that has any, with viewers or without. */
  onServersChanged?: (servers: readonly ServerView[]) => void;
  /** Given if the viewers are instances: they get the status in events of its own. */
  forInstances?: ForInstances | undefined;
  /** Counts viewers that come back. */
  resumes?: ResumeCounts | undefined;
  /** Is told of each flush, and whether it sent changed rooms. */
  onFlushed?: ((hasRooms: boolean) => void) | undefined;
}

/** Viewers that came back with an event id since the start: whether they got what they missed, or a whole state. */
export interface ResumeCounts {
  resumed: number;
  restarted: number;
}

/** What instances are told beyond the status. */
export interface ForInstances {
  /** Whether the pub-sub servers posted to a leader before. */
  isTakeover: boolean;
  /** `detail` of the state of the service. */
  detail: () => string | null;
}

/** As many as one turn of the event loop can encode without delaying others. */
export const maxRoomsPerFrame = 10_000;

/** A server that has not answered a new leader by then is overdue. */
const maxTakeoverMs = 5000;

/**
 * Sends the counts of the fleet to viewers. Each frame is encoded once for all of them, and changes are
 * conflated for a frame interval. A viewer that reads too slowly gets a whole state later.
 */
export class Feed {
  readonly #source: FeedSource;
  readonly #onServersChanged: (servers: readonly ServerView[]) => void;
  readonly #history: ChangesHistory;
  readonly #wholeStates: WholeStates;
  readonly #rooms: Channel;
  readonly #changes: Channel;
  readonly #changesPace: Pace;
  readonly #mapPace: Pace;
  readonly #heartbeat = new Heartbeat({
    catchUp: () => this.#catchUp(),
    viewers: () => this.#viewers(),
  });
  /** Changed rooms that no frame has contained yet. */
  #unsent = new Set<RoomName>();
  readonly #forInstances: ForInstances | undefined;
  readonly #resumes: ResumeCounts | undefined;
  readonly #onFlushed: (hasRooms: boolean) => void;
  /** Whether servers that posted to an earlier leader may not have answered yet. */
  #isTakeover: boolean;
  #takeoverTimer: NodeJS.Timeout | undefined;
  /** The status that viewers were sent last. */
  #status: FeedStatus | LeaderStatus;
  /** All counts were dropped, and viewers have not been sent a snapshot since. */
  #isRestarting = false;
  #isFlushing = false;
  #isClosed = false;

  constructor(
    source: FeedSource,
    {
      run,
      frameIntervalMs,
      onServersChanged = () => {},
      forInstances,
      resumes,
      onFlushed = () => {},
    }: FeedOptions,
  ) {
    this.#source = source;
    this.#onServersChanged = onServersChanged;
    this.#onFlushed = onFlushed;
    this.#resumes = resumes;
    this.#forInstances = forInstances;
    this.#isTakeover = forInstances?.isTakeover ?? false;
    if (this.#isTakeover)
      this.#takeoverTimer = setTimeout(() => this.#endTakeover(), maxTakeoverMs);
    this.#status = this.#readStatus();
    this.#history = new ChangesHistory(run);
    const wholeStates = new WholeStates({
      source,
      history: this.#history,
      status: () => (forInstances ? undefined : this.#status),
      onOutdatedMap: () => this.#mapPace.touch(),
      // The same id must mean the same counts at every instance, also if this leader sends no more.
      ...(forInstances && { onMaking: () => this.#flush() }),
    });
    this.#wholeStates = wholeStates;
    wholeStates.noteRooms([...source.totals.keys()]);
    this.#rooms = new Channel(() => wholeStates.map());
    this.#changes = new Channel(() => this.#snapshot());
    this.#changesPace = new Pace(
      () => this.#flush(),
      () => frameIntervalMs,
    );
    this.#mapPace = new Pace(
      () => this.#sendMap(),
      () => wholeStates.mapIntervalMs(frameIntervalMs),
    );
    this.#heartbeat.start();
  }

  /** Schedules a flush: what viewers see may have changed. */
  publish(): void {
    if (!this.#isClosed) this.#changesPace.touch();
  }

  /** Sends viewers of changes an event without an id. Those that miss it do not get it later. */
  tell(event: string, data: object): void {
    if (!this.#isClosed) this.#changes.broadcast(messageFrame(JSON.stringify(data), { event }));
  }

  /** Starts over after all counts were dropped: every viewer gets a snapshot, and none can resume. */
  restart(): void {
    this.#history.startActivation();
    this.#isRestarting = true;
    this.#isTakeover = false;
    this.publish();
  }

  /** Adds a viewer: it gets the frames that it missed, or a whole state. */
  add(viewer: StreamViewer, kind: StreamKind, lastEventId?: string): void {
    // A whole state must not contain counts that were dropped. Other changes can wait for the next flush.
    if (this.#isRestarting) this.#flush();
    if (kind === 'rooms') {
      this.#rooms.addNeedingState(viewer);
      return;
    }
    const missed = this.#history.since(lastEventId);
    if (lastEventId && this.#resumes) this.#resumes[missed ? 'resumed' : 'restarted'] += 1;
    this.#changes.addMissing(viewer, missed && this.#resumption(missed));
  }

  remove(viewer: StreamViewer): void {
    this.#rooms.remove(viewer);
    this.#changes.remove(viewer);
  }

  /** Whether a viewer has missed frames, and waits for a whole state. */
  isBehind(viewer: StreamViewer): boolean {
    return this.#rooms.isBehind(viewer) || this.#changes.isBehind(viewer);
  }

  get viewers(): number {
    return this.#rooms.size + this.#changes.size;
  }

  /** Event id of the current version. */
  get id(): string {
    return this.#history.position.id;
  }

  /** Ends every stream. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#takeoverTimer);
    this.#heartbeat.stop();
    this.#changesPace.close();
    this.#mapPace.close();
    this.#wholeStates.close();
    for (const viewer of this.#viewers()) viewer.end();
  }

  #endTakeover(): void {
    this.#isTakeover = false;
    this.publish();
  }

  #flush(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#sendAll();
    this.#isFlushing = false;
  }

  #sendAll(): void {
    const servers = this.#source.takeChangedServers();
    if (servers.length > 0) this.#onServersChanged(servers);
    this.#addUnsent(this.#source.takeChangedRooms());
    const status = this.#readStatus();
    const before = this.#status;
    const isNewStatus = !isDeepStrictEqual(status, before) && !this.#mustWait(status);
    if (isNewStatus) this.#status = status;
    if (this.#isRestarting) this.#sendSnapshot();
    else if (this.#forInstances) this.#sendToInstances(isNewStatus ? before : undefined, servers);
    else this.#sendChanges(isNewStatus ? before : undefined, servers);
  }

  #readStatus(): FeedStatus | LeaderStatus {
    const status = this.#source.status();
    if (!this.#forInstances) return status;
    this.#isTakeover &&= !status.complete;
    return { ...status, detail: this.#forInstances.detail(), isTakeover: this.#isTakeover };
  }

  /** A status must not say complete, or settled, while changed rooms are unsent. */
  #mustWait(status: FeedStatus | LeaderStatus): boolean {
    if (this.#isRestarting) return false;
    return this.#unsent.size > maxRoomsPerFrame && isBetter(status, this.#status);
  }

  #snapshot(): Frame | Promise<Frame> {
    const snapshot = this.#wholeStates.snapshot();
    if (!this.#forInstances) return snapshot;
    const whole = (frame: Frame) => withStatus(frame, this.#status);
    return snapshot instanceof Promise ? snapshot.then(whole) : whole(snapshot);
  }

  /** The frames for a viewer that resumes after an event id. */
  #resumption(missed: Buffer[]): Frame[] {
    return this.#forInstances ? resumption(missed, this.#status) : missed;
  }

  #sendSnapshot(): void {
    this.#isRestarting = false;
    this.#onFlushed(false);
    this.#history.advanceToSnapshot();
    const rooms = this.#takeUnsent(Number.POSITIVE_INFINITY);
    const snapshot = this.#wholeStates.restartWithSnapshot(rooms);
    this.#changes.broadcast(this.#forInstances ? withStatus(snapshot, this.#status) : snapshot);
    this.#updateMap(rooms.length);
  }

  /** `before`: the status that is replaced. Bad news goes before the changes, good news after them. */
  #sendToInstances(
    before: FeedStatus | LeaderStatus | undefined,
    servers: readonly ServerView[],
  ): void {
    const isGood = before !== undefined && isBetter(this.#status, before);
    if (before && !isGood) this.#changes.broadcast(statusFrame(this.#status));
    this.#sendChanges(undefined, servers);
    if (isGood) this.#changes.broadcast(statusFrame(this.#status));
  }

  /** `before`: the status that is replaced. Bad news goes with the first event, good news with the last. */
  #sendChanges(
    before: FeedStatus | LeaderStatus | undefined,
    servers: readonly ServerView[],
  ): void {
    const rooms = this.#takeUnsent(maxRoomsPerFrame);
    this.#wholeStates.noteRooms(rooms);
    if (rooms.length > 0) this.#updateMap(rooms.length);
    let status = before && this.#status;
    if (servers.length > 0) {
      const isLater = before && rooms.length > 0 && isBetter(this.#status, before);
      const first = isLater ? undefined : status;
      this.#emit('servers', JSON.stringify({ version: this.#advance(), ...first, servers }));
      if (!isLater) status = undefined;
    }
    if (rooms.length > 0 || status) {
      const json = JSON.stringify({ version: this.#advance(), ...status });
      const { totals } = this.#source;
      const counts = rooms.map((room) => [room, totals.get(room) ?? 0] as const);
      this.#emit('changes', appendJsonField(json, 'rooms', countsJson(counts)));
    }
    this.#onFlushed(rooms.length > 0);
  }

  #updateMap(changedRooms: number): void {
    // Encoding the map for every frame without a viewer would take a fifth of an activation's time.
    if (this.#rooms.size > 0) this.#mapPace.touch();
    else this.#wholeStates.encodeLater(changedRooms);
  }

  #addUnsent(changed: Set<RoomName>): void {
    if (this.#unsent.size === 0) this.#unsent = changed;
    else for (const room of changed) this.#unsent.add(room);
  }

  /** Takes up to `max` unsent rooms, in the order of their changes. The next flush sends the rest. */
  #takeUnsent(max: number): RoomName[] {
    if (this.#unsent.size <= max) {
      const rooms = [...this.#unsent];
      this.#unsent = new Set();
      return rooms;
    }
    const rooms: RoomName[] = [];
    for (const room of this.#unsent) {
      if (rooms.length === max) break;
      this.#unsent.delete(room);
      rooms.push(room);
    }
    this.publish();
    return rooms;
  }

  /** The next version. */
  #advance(): number {
    this.#history.advance();
    return this.#history.version;
  }

  #emit(event: string, json: string): void {
    const frame = messageFrame(json, { event, id: this.id });
    this.#history.push(frame);
    this.#wholeStates.noteFrame(frame);
    this.#changes.broadcast(frame);
  }

  #sendMap(): void | Promise<void> {
    const map = this.#wholeStates.map();
    if (!(map instanceof Promise)) return this.#rooms.broadcast(map);
    return map.then((frame) => this.#rooms.broadcast(frame));
  }

  #catchUp(): void {
    // Cached frames serve viewers that connect within the same second.
    this.#wholeStates.dropCaches();
    this.#rooms.catchUp();
    this.#changes.catchUp();
  }

  *#viewers(): Generator<StreamViewer> {
    yield* this.#rooms;
    yield* this.#changes;
  }
}
