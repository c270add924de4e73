import type { ResumeCounts, StreamKind } from '../../fleet/feed.js';
import { statusFrame, withStatus } from '../../fleet/statusEvents.js';
import { WholeStates } from '../../fleet/wholeStates.js';
import { Channel, type StreamViewer } from '../../sse/channel.js';
import type { Frame } from '../../sse/frames.js';
import { Heartbeat } from '../../sse/heartbeat.js';
import type { Clock } from '../../timing/clock.js';
import { Pace } from '../../timing/pace.js';
import type { FleetStatus } from '../../wire/fleetEvents.js';
import type { Difference } from './difference.js';
import { applyChange, type Change, type Fleet, isNewer } from './fleet.js';
import { RelayHistory } from './relayHistory.js';

/** What an audience needs. */
export interface AudienceNeeds {
  clock: Clock;
  frameIntervalMs: number;
  /** What viewers are told now. */
  status: () => FleetStatus;
  /** Counts viewers that come back. */
  resumes?: ResumeCounts | undefined;
}

/** A fleet with its encoded whole states. */
export interface ShownFleet {
  fleet: Fleet;
  readonly wholeStates: WholeStates;
}

interface Arrival {
  kind: StreamKind;
  lastEventId: string | undefined;
}

/** The viewers of a relay, and the numbers that they are shown. */
export class Audience {
  readonly #needs: AudienceNeeds;
  readonly #rooms: Channel;
  readonly #changes: Channel;
  /** Viewers that wait for the first answer of the upstream. */
  readonly #arrivals = new Map<StreamViewer, Arrival>();
  /** Viewers of changes that already have newer numbers than this relay. They are told the status only. */
  readonly #ahead = new Map<StreamViewer, string>();
  readonly #history = new RelayHistory();
  readonly #mapPace: Pace;
  readonly #heartbeat: Heartbeat;
  #shown: ShownFleet | undefined;
  #isWaiting = false;
  #told: FleetStatus | undefined;

  constructor(needs: AudienceNeeds) {
    const { clock, frameIntervalMs } = needs;
    this.#needs = needs;
    this.#rooms = new Channel(() => this.#shown?.wholeStates.map());
    this.#changes = new Channel(() => this.#snapshot());
    this.#mapPace = new Pace(
      () => this.#sendMap(),
      () => this.#shown?.wholeStates.mapIntervalMs(frameIntervalMs) ?? frameIntervalMs,
      clock,
    );
    const viewers = () => this.#viewers();
    this.#heartbeat = new Heartbeat({ catchUp: () => this.#catchUp(), viewers }, clock);
  }

  get size(): number {
    return this.#rooms.size + this.#changes.size + this.#arrivals.size + this.#ahead.size;
  }

  /** The fleet that viewers see, or would see. */
  get fleet(): Fleet | undefined {
    return this.#shown?.fleet;
  }

  /** Whether viewers see numbers. */
  get isShowing(): boolean {
    return this.#shown !== undefined && !this.#isWaiting && this.size > 0;
  }

  /** Holds new viewers back until `letIn`. Call it before the first viewer. */
  wait(): void {
    this.#isWaiting = true;
  }

  /** Gives waiting viewers what there is. Later ones do not wait. */
  letIn(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#told = undefined;
    for (const [viewer, { kind, lastEventId }] of [...this.#arrivals]) {
      this.#arrivals.delete(viewer);
      this.#admit(viewer, kind, lastEventId);
    }
  }

  /** Adds a viewer: it gets the frames that it missed, or a whole state, with the status. */
  add(viewer: StreamViewer, kind: StreamKind, lastEventId: string | undefined): void {
    this.#heartbeat.start();
    if (this.#isWaiting) this.#arrivals.set(viewer, { kind, lastEventId });
    else this.#admit(viewer, kind, lastEventId);
  }

  remove(viewer: StreamViewer): void {
    this.#rooms.remove(viewer);
    this.#changes.remove(viewer);
    this.#arrivals.delete(viewer);
    this.#ahead.delete(viewer);
    if (this.size === 0) this.#heartbeat.stop();
  }

  /** Tells viewers the status if it has changed since they were told. */
  tellStatus(): void {
    const status = this.#needs.status();
    if (this.#told && isSame(status, this.#told)) return;
    this.#told = status;
    const frame = statusFrame(status);
    this.#changes.broadcast(frame);
    if (!isOutdated(status)) this.#overtake();
    else for (const viewer of this.#ahead.keys()) viewer.send(frame);
  }

  /** Passes an event on that is not about the numbers. */
  tell(frame: Buffer): void {
    this.#changes.broadcast(frame);
    for (const viewer of this.#ahead.keys()) viewer.send(frame);
  }

  /** Applies a change to the numbers that are shown, and passes its frame on. Throws if it is not the next. */
  pass(change: Change, frame: Buffer): void {
    if (!this.#shown) throw new Error(`${change.position.id} came before a snapshot`);
    applyChange(this.#shown.fleet, change);
    this.tellStatus();
    this.#send(change, [frame], frame);
  }

  /** Shows other numbers by sending what differs. */
  leadOver(fleet: Fleet, difference: Difference): void {
    if (!this.#shown) throw new Error('there is nothing to lead over from');
    this.#shown.fleet = fleet;
    const frames = difference.frames(fleet.position);
    const { rooms, servers } = difference;
    this.#send({ position: fleet.position, rooms, servers }, frames, Buffer.concat(frames));
  }

  /** Whole states of a fleet that is not shown yet. Note its rooms before it is shown. */
  wholeStatesOf(fleet: Fleet): ShownFleet {
    const shown: ShownFleet = {
      fleet,
      wholeStates: new WholeStates(
        {
          source: {
            get totals() {
              return shown.fleet.rooms;
            },
            servers: () => [...shown.fleet.servers.values()],
          },
          history: {
            get position() {
              return shown.fleet.position;
            },
          },
          status: () => undefined,
          onOutdatedMap: () => this.#mapPace.touch(),
        },
        this.#needs.clock,
      ),
    };
    return shown;
  }

  /** Shows other numbers, as a whole. */
  show(shown: ShownFleet): void {
    this.#shown?.wholeStates.close();
    this.#shown = shown;
    this.#history.restart(shown.fleet.position);
    this.#told = this.#needs.status();
    this.#changes.renew();
    this.#rooms.renew();
    if (!isOutdated(this.#told)) this.#overtake();
  }

  /** Drops the numbers. */
  forget(): void {
    this.#shown?.wholeStates.close();
    this.#shown = undefined;
  }

  /** Ends every stream. */
  close(): void {
    this.forget();
    this.#heartbeat.stop();
    this.#mapPace.close();
    for (const viewer of this.#viewers()) viewer.end('present');
  }

  #admit(viewer: StreamViewer, kind: StreamKind, lastEventId: string | undefined): void {
    if (kind === 'rooms') {
      this.#rooms.addNeedingState(viewer);
      return;
    }
    this.tellStatus();
    if (this.#isAhead(lastEventId)) {
      this.#ahead.set(viewer, lastEventId);
      viewer.send(statusFrame(this.#needs.status()));
      return;
    }
    const missed = this.#shown && this.#history.since(lastEventId);
    const { resumes } = this.#needs;
    if (lastEventId && resumes) resumes[missed ? 'resumed' : 'restarted'] += 1;
    this.#changes.addMissing(viewer, missed && withStatus(missed, this.#needs.status()));
  }

  /** Whether a viewer has newer numbers, from an instance that heard from the leader later. */
  #isAhead(lastEventId: string | undefined): lastEventId is string {
    if (!this.#shown || lastEventId === undefined || !isOutdated(this.#needs.status()))
      return false;
    return isNewer(lastEventId, this.#shown.fleet.position.id);
  }

  /** The numbers are the newest again. */
  #overtake(): void {
    for (const [viewer, lastEventId] of [...this.#ahead]) {
      this.#ahead.delete(viewer);
      this.#admit(viewer, 'changes', lastEventId);
    }
  }

  #send({ rooms }: Change, frames: readonly Buffer[], joined: Buffer): void {
    if (!this.#shown) return;
    const { wholeStates, fleet } = this.#shown;
    wholeStates.noteRooms(rooms.map(([room]) => room));
    this.#history.push(joined, fleet.position);
    wholeStates.noteFrame(joined);
    for (const frame of frames) this.#changes.broadcast(frame);
    if (rooms.length === 0) return;
    if (this.#rooms.size > 0) this.#mapPace.touch();
    else wholeStates.encodeLater(rooms.length);
  }

  /** Without numbers, the status alone. */
  #snapshot(): Frame | Promise<Frame> {
    const { status } = this.#needs;
    const snapshot = this.#shown?.wholeStates.snapshot();
    if (!snapshot) return statusFrame(status());
    if (snapshot instanceof Promise) return snapshot.then((frame) => withStatus(frame, status()));
    return withStatus(snapshot, status());
  }

  #sendMap(): void | Promise<void> {
    const map = this.#shown?.wholeStates.map();
    if (!map) return;
    if (!(map instanceof Promise)) return this.#rooms.broadcast(map);
    return map.then((frame) => this.#rooms.broadcast(frame));
  }

  #catchUp(): void {
    this.#shown?.wholeStates.dropCaches();
    this.#rooms.catchUp();
    this.#changes.catchUp();
  }

  *#viewers(): Generator<StreamViewer> {
    yield* this.#rooms;
    yield* this.#changes;
    yield* this.#arrivals.keys();
    yield* this.#ahead.keys();
  }
}

/** Whether a status is about the last numbers, not about those of now. */
const isOutdated = ({ reason }: FleetStatus) => reason === 'leader_lost' || reason === 'no_leader';

/** Whether two statuses say the same. Time passes anyway, so their age does not count. */
function isSame(one: FleetStatus, other: FleetStatus): boolean {
  return (
    one.complete === other.complete &&
    one.reason === other.reason &&
    one.state === other.state &&
    one.term === other.term
  );
}
