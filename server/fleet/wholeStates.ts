import type { RoomName } from '../../machines/ports.js';
import { openJsonField } from '../appendJsonField.js';
import type { Frame } from '../sse/frames.js';
import type { Clock } from '../timing/clock.js';
import type { FeedStatus } from '../wire/fleetEvents.js';
import type { Position } from './changesHistory.js';
import type { FeedSource } from './feedSource.js';
import { type EncodedState, StateEncoder } from './stateEncoder.js';

/** Bandwidth of the rooms stream for each viewer: large maps are sent less often. */
const maxMapBytesPerMs = 1000;

/** What whole states need of the feed. */
export interface WholeStatesNeeds {
  source: Pick<FeedSource, 'totals' | 'servers'>;
  history: { readonly position: Position };
  /** The status that viewers were sent last; undefined: it is not part of a snapshot. */
  status: () => FeedStatus | undefined;
  /** A whole state is about to be made. Frames that are noted in this call are part of it. */
  onMaking?: () => void;
  /** A map was made, but rooms have changed since its encoding began. */
  onOutdatedMap: () => void;
}

/**
 * Frames with everything in them: the map of rooms, and the snapshot at the start of the changes stream.
 * Each is encoded once for all viewers that need it, in slices when much has changed.
 */
export class WholeStates {
  readonly #needs: WholeStatesNeeds;
  readonly #encoder: StateEncoder<Position>;
  /** Frames that are being encoded. */
  readonly #pending = new Map<'map' | 'snapshot', Promise<Frame>>();
  #map: Buffer | undefined;
  #snapshot: { position: Position; frame: Buffer } | undefined;
  /** Estimates the size of the next one. */
  #lastMapBytes = 0;

  constructor(needs: WholeStatesNeeds, clock?: Clock) {
    this.#needs = needs;
    this.#encoder = new StateEncoder(() => needs.source.totals, clock, needs.onMaking);
  }

  /** Least time between two maps, in ms: by the size of the last one, and at least the frame interval. */
  mapIntervalMs(frameIntervalMs: number): number {
    return Math.max(frameIntervalMs, this.#lastMapBytes / maxMapBytesPerMs);
  }

  /** Notes that rooms were added, removed or changed. At first none is known. */
  noteRooms(rooms: readonly RoomName[]): void {
    this.#encoder.note(rooms);
    if (rooms.length > 0) this.#map = undefined;
  }

  /** Notes the frame of the current version. */
  noteFrame(frame: Buffer): void {
    this.#encoder.noteFrame(frame, this.#needs.history.position);
  }

  /** Encodes changed rooms a second later, for viewers that may connect. */
  encodeLater(changedRooms: number): void {
    this.#encoder.encodeLater(changedRooms);
  }

  /** The frame of the whole map. */
  map(): Frame | Promise<Frame> {
    return this.#encode('map', (encoded) => this.#mapFrame(encoded));
  }

  /** The frame of a snapshot, followed by the changes since its encoding began. */
  snapshot(): Frame | Promise<Frame> {
    return this.#encode('snapshot', (encoded) => this.#snapshotFrame(encoded));
  }

  /** Forgets all rooms but these, and returns a snapshot at once: few rooms exist after a restart. */
  restartWithSnapshot(rooms: readonly RoomName[]): Frame {
    this.#map = undefined;
    this.#encoder.clear();
    this.#encoder.note(rooms);
    return this.#snapshotFrame(this.#encoder.encodeNow(this.#needs.history.position));
  }

  /** Drops cached frames. They are as large as all room names together. */
  dropCaches(): void {
    this.#map = undefined;
    this.#snapshot = undefined;
  }

  close(): void {
    this.#encoder.close();
  }

  #encode(
    kind: 'map' | 'snapshot',
    toFrame: (encoded: EncodedState<Position>) => Frame,
  ): Frame | Promise<Frame> {
    const pending = this.#pending.get(kind);
    if (pending) return pending;
    this.#needs.onMaking?.();
    const encoded = this.#encoder.encode(this.#needs.history.position);
    if (!(encoded instanceof Promise)) return toFrame(encoded);
    const frame = encoded.then((done) => {
      this.#pending.delete(kind);
      return toFrame(done);
    });
    this.#pending.set(kind, frame);
    return frame;
  }

  /** The rooms stream has no frames of changes, so an outdated map must be followed by another one. */
  #mapFrame({ version }: EncodedState<Position>): Buffer {
    const isCurrent = version === this.#needs.history.position;
    if (!isCurrent) this.#needs.onOutdatedMap();
    const map = this.#map ?? this.#encoder.toBuffer('data: ', '\n\n');
    if (isCurrent) this.#map = map;
    this.#lastMapBytes = map.length;
    return map;
  }

  #snapshotFrame({ version: position, framesSince }: EncodedState<Position>): Frame {
    const { history, source, status } = this.#needs;
    const isCurrent = position === history.position;
    if (isCurrent && this.#snapshot?.position === position) return this.#snapshot.frame;
    const { version, id } = position;
    const json = JSON.stringify({ version, ...status(), servers: source.servers() });
    const head = `event: snapshot\nid: ${id}\ndata: ${openJsonField(json, 'rooms')}`;
    const frame = this.#encoder.toBuffer(head, '}\n\n');
    if (isCurrent) this.#snapshot = { position, frame };
    return framesSince.length === 0 ? frame : [frame, ...framesSince];
  }
}
