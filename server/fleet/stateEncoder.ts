import type { RoomName } from '../../machines/ports.js';
import { type Clock, systemClock, type Timer } from '../timing/clock.js';
import { EncodedRooms } from './encodedRooms.js';

/** An encoded map of rooms: complete up to a version, with the frames of the changes since. */
export interface EncodedState<Version> {
  readonly version: Version;
  readonly framesSince: readonly Buffer[];
}

/** An encoding in slices that viewers wait for. */
interface Encoding<Version> {
  version: Version;
  framesSince: Buffer[];
  bytesSince: number;
  readonly done: Promise<EncodedState<Version>>;
  readonly resolve: (state: EncodedState<Version>) => void;
}

/** Longest time of encoding in one turn of the event loop. */
const sliceMs = 8;
/** Pause between two slices: deltas and other requests come first. */
const pauseMs = 8;
/** Delay before changes are encoded that no viewer waits for. */
const idleMs = 1000;
/** More changed rooms in one frame are a sign of an activation: what is encoded now would soon change. */
const maxIdleRooms = 500;
/** Limit of the frames kept during an encoding; beyond it the encoding starts over. */
const maxBytesSince = 32 * 1024 * 1024;

/**
 * Keeps the map of rooms encoded, a slice in each turn of the event loop. The map may change all the time,
 * so a state is of the version at which its encoding started, and includes the frames since. Some of its
 * rooms may already be newer: that is correct, because frames carry absolute counts.
 */
export class StateEncoder<Version = number> {
  readonly #rooms: EncodedRooms;
  readonly #clock: Clock;
  #encoding: Encoding<Version> | undefined;
  #idleTimer: Timer;
  #sliceTimer: Timer;
  readonly #onFinishing: () => void;

  /** `onFinishing`: called before an encoding in slices ends; frames that are noted in it are part of the state. */
  constructor(
    totals: () => ReadonlyMap<RoomName, number>,
    clock: Clock = systemClock,
    onFinishing: () => void = () => {},
  ) {
    this.#rooms = new EncodedRooms(totals);
    this.#clock = clock;
    this.#onFinishing = onFinishing;
  }

  /** Notes that rooms were added, removed or changed. */
  note(rooms: Iterable<RoomName>): void {
    this.#rooms.note(rooms);
  }

  /** Notes the frame of a version. */
  noteFrame(frame: Buffer, version: Version): void {
    const encoding = this.#encoding;
    if (!encoding) return;
    encoding.framesSince.push(frame);
    encoding.bytesSince += frame.length;
    if (encoding.bytesSince > maxBytesSince) this.#startOver(encoding, version);
  }

  /** Encodes changes in a second, for viewers that may connect. An activation delays it. */
  encodeLater(changedRooms: number): void {
    if (changedRooms > maxIdleRooms) this.#cancelIdle();
    this.#idleTimer ??= this.#clock.setTimeout(() => {
      this.#cancelIdle();
      // In a slice: only slices notice that an encoding which viewers wait for is done.
      this.#scheduleSlice();
    }, idleMs);
  }

  /** Encodes everything up to this version: at once if one slice suffices. */
  encode(version: Version): EncodedState<Version> | Promise<EncodedState<Version>> {
    if (!this.#encoding && this.#rooms.encode(sliceMs)) return { version, framesSince: [] };
    this.#encoding ??= this.#start(version);
    this.#scheduleSlice();
    return this.#encoding.done;
  }

  /** Encodes everything at once, also for viewers that already wait. Few rooms are left after a restart. */
  encodeNow(version: Version): EncodedState<Version> {
    this.#rooms.encode();
    const state = { version, framesSince: [] };
    this.#finish(state);
    return state;
  }

  /** The JSON of the map between a prefix and a suffix, as last encoded. */
  toBuffer(prefix: string, suffix: string): Buffer {
    return this.#rooms.toBuffer(prefix, suffix);
  }

  /** Forgets all rooms. The caller must call `encodeNow` in the same turn of the event loop. */
  clear(): void {
    this.#rooms.clear();
  }

  close(): void {
    this.#cancelIdle();
    this.#clock.clearTimeout(this.#sliceTimer);
  }

  #cancelIdle(): void {
    this.#clock.clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
  }

  #start(version: Version): Encoding<Version> {
    this.#rooms.mark();
    const { promise, resolve } = withResolvers<EncodedState<Version>>();
    return { version, framesSince: [], bytesSince: 0, done: promise, resolve };
  }

  #startOver(encoding: Encoding<Version>, version: Version): void {
    this.#rooms.mark();
    encoding.version = version;
    encoding.framesSince = [];
    encoding.bytesSince = 0;
  }

  #scheduleSlice(): void {
    this.#sliceTimer ??= this.#clock.setTimeout(() => this.#encodeSlice(), pauseMs);
  }

  #encodeSlice(): void {
    this.#sliceTimer = undefined;
    const isDone = this.#rooms.encode(sliceMs);
    if (this.#encoding && this.#rooms.isMarkPassed) this.#onFinishing();
    // Too many frames may have had it start over.
    if (this.#encoding && this.#rooms.isMarkPassed) this.#finish(this.#encoding);
    if (!isDone) this.#scheduleSlice();
  }

  #finish({ version, framesSince }: EncodedState<Version>): void {
    this.#encoding?.resolve({ version, framesSince });
    this.#encoding = undefined;
  }
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
