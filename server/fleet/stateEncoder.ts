import type { RoomName } from '../../machines/ports.js';
import { EncodedRooms } from './encodedRooms.js';

/** What a whole state is made of: the map as it was at a version or later, and the frames since that. */
export interface Standpoint {
  readonly version: number;
  readonly since: readonly Buffer[];
}

/** One encoding in slices, for all who wait for it. */
interface Work {
  version: number;
  since: Buffer[];
  sinceBytes: number;
  readonly done: Promise<Standpoint>;
  readonly resolve: (standpoint: Standpoint) => void;
}

/** For how long whole states are encoded in one turn of the event loop. */
const sliceMs = 8;
/** Between two slices: while much changes there is much to encode, and that is not the first duty. */
const restMs = 8;
/** After what time a change is encoded for those who may come, while nobody is sent whole maps. */
const warmMs = 1000;
/** So many changes of a frame come with an activation, and nearly nothing of what is encoded outlasts the next. */
const manyRooms = 500;
/** Frames kept while a state is encoded; beyond that it is begun anew. */
const maxSinceBytes = 32 * 1024 * 1024;

/**
 * Keeps the map of rooms encoded, a slice of time in each turn of the event loop. The map goes on
 * changing meanwhile, and may never stand still: so a state is of the version at which its encoding
 * began, and the frames since then go with it. That it is newer in places does no harm, as frames
 * carry absolute counts.
 */
export class StateEncoder {
  readonly #rooms: EncodedRooms;
  #work: Work | undefined;
  #warmTimer: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(totals: () => ReadonlyMap<RoomName, number>) {
    this.#rooms = new EncodedRooms(totals);
  }

  /** These rooms came, went or changed their counts. */
  note(rooms: Iterable<RoomName>): void {
    this.#rooms.note(rooms);
  }

  /** A frame went out, of this version. */
  noteFrame(frame: Buffer, version: number): void {
    const work = this.#work;
    if (!work) return;
    work.since.push(frame);
    work.sinceBytes += frame.length;
    if (work.sinceBytes > maxSinceBytes) this.#beginAnew(work, version);
  }

  /** Encodes what changed, for those who may come: not at once, and not while it would soon be changed again. */
  keepWarm(changedRooms: number): void {
    if (changedRooms > manyRooms) this.#cancelWarming();
    this.#warmTimer ??= setTimeout(() => {
      this.#cancelWarming();
      // What somebody waits for is encoded, and seen to be done, in one place.
      this.#encodeMore();
    }, warmMs);
  }

  /** Encodes all up to this version: at once when little is to do for it, else in slices. */
  encode(version: number): Standpoint | Promise<Standpoint> {
    if (!this.#work && this.#rooms.encode(sliceMs)) return { version, since: [] };
    this.#work ??= this.#begin(version);
    this.#encodeMore();
    return this.#work.done;
  }

  /** Encodes all in this moment, for those who wait too: little is left after a restart. */
  encodeNow(version: number): Standpoint {
    this.#rooms.encode();
    const standpoint = { version, since: [] };
    this.#finish(standpoint);
    return standpoint;
  }

  /** The JSON of the map between two texts, as it was encoded last. */
  between(head: string, tail: string): Buffer {
    return this.#rooms.between(head, tail);
  }

  /** Forgets all rooms; to be encoded in the same moment. */
  clear(): void {
    this.#rooms.clear();
  }

  close(): void {
    this.#cancelWarming();
    clearTimeout(this.#timer);
  }

  #cancelWarming(): void {
    clearTimeout(this.#warmTimer);
    this.#warmTimer = undefined;
  }

  #begin(version: number): Work {
    this.#rooms.mark();
    const { promise, resolve } = withResolvers<Standpoint>();
    return { version, since: [], sinceBytes: 0, done: promise, resolve };
  }

  #beginAnew(work: Work, version: number): void {
    this.#rooms.mark();
    work.version = version;
    work.since = [];
    work.sinceBytes = 0;
  }

  #encodeMore(): void {
    this.#timer ??= setTimeout(() => this.#encodeSlice(), restMs);
  }

  #encodeSlice(): void {
    this.#timer = undefined;
    const isAll = this.#rooms.encode(sliceMs);
    if (this.#work && this.#rooms.isMarkPassed) this.#finish(this.#work);
    if (!isAll) this.#encodeMore();
  }

  #finish({ version, since }: Standpoint): void {
    this.#work?.resolve({ version, since });
    this.#work = undefined;
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
