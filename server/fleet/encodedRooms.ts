import type { RoomName } from '../../machines/ports.js';

/** A part of the rooms, with their entries of the map as last encoded. */
interface Bucket {
  readonly rooms: Set<RoomName>;
  /** Whether a room changed since; then the bucket is in `#dirty` or `#marked`. */
  isDirty: boolean;
  /** `,"room":count` for each room, as last encoded; undefined: never encoded. */
  json: Buffer | undefined;
}

const roomsPerBucket = 128;
const emptyBucket = (): Bucket => ({ rooms: new Set(), isDirty: false, json: undefined });

/**
 * The whole map of rooms as JSON, encoded in buckets: a change costs the encoding of its bucket, and a map
 * of any size can be encoded in slices. Buckets are split one at a time as rooms are added (linear
 * hashing), so no operation touches all rooms at once.
 */
export class EncodedRooms {
  readonly #totals: () => ReadonlyMap<RoomName, number>;
  #buckets: Bucket[] = [emptyBucket()];
  /** The greatest power of two that is at most the number of buckets. */
  #power = 1;
  /** Buckets that changed after the mark. */
  #dirty = new Set<Bucket>();
  /** Buckets that changed before the mark; encoded first. */
  #marked = new Set<Bucket>();
  #rooms = 0;

  constructor(totals: () => ReadonlyMap<RoomName, number>) {
    this.#totals = totals;
  }

  /** Notes that rooms were added, removed or changed. */
  note(rooms: Iterable<RoomName>): void {
    for (const room of rooms) {
      const bucket = this.#bucketOf(room);
      this.#markDirty(bucket);
      const { size } = bucket.rooms;
      bucket.rooms.add(room);
      if (bucket.rooms.size === size) continue;
      this.#rooms += 1;
      // Two splits, because a mark may have delayed earlier ones.
      for (let i = 0; i < 2 && this.#isCrowded; i += 1) this.#split();
    }
  }

  /** Encodes changed buckets for `maxMs`, at least one; true if none is left. */
  encode(maxMs = Number.POSITIVE_INFINITY): boolean {
    const end = performance.now() + maxMs;
    for (const buckets of [this.#marked, this.#dirty]) {
      for (const bucket of buckets) {
        this.#encode(bucket);
        if (performance.now() > end) return this.#isClean;
      }
    }
    return true;
  }

  /**
   * Marks all changes so far: `isMarkPassed` tells whether they are encoded. Until then no bucket is split,
   * or a room could be missing while only one of the two halves is encoded.
   */
  mark(): void {
    for (const bucket of this.#dirty) this.#marked.add(bucket);
    this.#dirty = new Set();
  }

  get isMarkPassed(): boolean {
    return this.#marked.size === 0;
  }

  /** The JSON of the map between a prefix and a suffix, as last encoded. */
  toBuffer(prefix: string, suffix: string): Buffer {
    const parts = this.#buckets.map(({ json }) => json).filter((json) => json?.length) as Buffer[];
    const [first, ...rest] = parts;
    const entries = first ? [first.subarray(1), ...rest] : [];
    return Buffer.concat([Buffer.from(`${prefix}{`), ...entries, Buffer.from(`}${suffix}`)]);
  }

  /** Number of remembered rooms: those of the map, and those removed since it was encoded. */
  get size(): number {
    return this.#rooms;
  }

  clear(): void {
    this.#buckets = [emptyBucket()];
    this.#power = 1;
    this.#dirty = new Set();
    this.#marked = new Set();
    this.#rooms = 0;
  }

  #encode(bucket: Bucket): void {
    const totals = this.#totals();
    let json = '';
    for (const room of bucket.rooms) {
      const count = totals.get(room);
      if (count !== undefined) json += `,${JSON.stringify(room)}:${count}`;
      else if (bucket.rooms.delete(room)) this.#rooms -= 1;
    }
    bucket.json = bytesOf(json);
    bucket.isDirty = false;
    this.#marked.delete(bucket);
    this.#dirty.delete(bucket);
  }

  /** Splits the next bucket in turn: some of its rooms move to a new bucket at the end. */
  #split(): void {
    const from = this.#at(this.#buckets.length - this.#power);
    const to = emptyBucket();
    this.#buckets.push(to);
    if (this.#buckets.length === 2 * this.#power) this.#power *= 2;
    for (const room of from.rooms)
      if (this.#bucketOf(room) === to && from.rooms.delete(room)) to.rooms.add(room);
    this.#markDirty(from);
    this.#markDirty(to);
  }

  get #isCrowded(): boolean {
    return this.isMarkPassed && this.#rooms > this.#buckets.length * roomsPerBucket;
  }

  #markDirty(bucket: Bucket): void {
    if (bucket.isDirty) return;
    bucket.isDirty = true;
    this.#dirty.add(bucket);
  }

  get #isClean(): boolean {
    return this.#marked.size + this.#dirty.size === 0;
  }

  #bucketOf(room: RoomName): Bucket {
    const hash = hashOf(room);
    const wide = hash & (2 * this.#power - 1);
    return this.#at(wide < this.#buckets.length ? wide : hash & (this.#power - 1));
  }

  #at(index: number): Bucket {
    const bucket = this.#buckets[index];
    if (!bucket) throw new RangeError(`there is no bucket ${index}`);
    return bucket;
  }
}

const { imul } = Math;

/** Random per process, so nobody can craft bucket collisions. */
const seed = Math.floor(Math.random() * 2 ** 32);

/** FNV-1a, then the finalizer of MurmurHash3: the low bits of FNV-1a depend only on low bits of the text. */
function hashOf(text: string): number {
  let hash = seed;
  for (let i = 0; i < text.length; i += 1) hash = imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Not from Buffer's shared pool: a slice would keep the whole pool block in memory. */
function bytesOf(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}
