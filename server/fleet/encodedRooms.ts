import type { RoomName } from '../../machines/ports.js';

/** Some rooms, and their entries of the map as they were encoded last. */
interface Bucket {
  readonly rooms: Set<RoomName>;
  /** Whether something changed since: it is in one of the sets of those that have to be encoded. */
  isDirty: boolean;
  /** `,"room":count` for each room, as it was encoded last; undefined: never. */
  json: Buffer | undefined;
}

const roomsPerBucket = 128;
const emptyBucket = (): Bucket => ({ rooms: new Set(), isDirty: false, json: undefined });

/**
 * The whole map of rooms as JSON, kept encoded piece by piece: a change costs the encoding of its
 * bucket, and a map of any size can be encoded in slices. Buckets are split one at a time as rooms come
 * (linear hashing), so that nothing is ever done to all rooms at once.
 */
export class EncodedRooms {
  readonly #totals: () => ReadonlyMap<RoomName, number>;
  #buckets: Bucket[] = [emptyBucket()];
  /** The greatest power of two that is not above the number of buckets. */
  #power = 1;
  /** Buckets with a change since they were encoded. */
  #dirty = new Set<Bucket>();
  /** Those that had it before the mark: they are encoded first. */
  #marked = new Set<Bucket>();
  #rooms = 0;

  constructor(totals: () => ReadonlyMap<RoomName, number>) {
    this.#totals = totals;
  }

  /** These rooms came, went or changed their counts. */
  note(rooms: Iterable<RoomName>): void {
    for (const room of rooms) {
      const bucket = this.#bucketOf(room);
      this.#soil(bucket);
      const { size } = bucket.rooms;
      bucket.rooms.add(room);
      if (bucket.rooms.size === size) continue;
      this.#rooms += 1;
      // Twice at the most: it may have been put off.
      for (let i = 0; i < 2 && this.#isCrowded; i += 1) this.#split();
    }
  }

  /** Encodes what changed, for so long, and one bucket at the least; true: nothing is left. */
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
   * From now on `isMarkPassed` tells whether all that has changed by now is encoded. Until it is, no
   * bucket is split: a room would be missing between the encoding of one part and of the other.
   */
  mark(): void {
    for (const bucket of this.#dirty) this.#marked.add(bucket);
    this.#dirty = new Set();
  }

  get isMarkPassed(): boolean {
    return this.#marked.size === 0;
  }

  /** The JSON of the map between two texts, as it was encoded last. */
  between(head: string, tail: string): Buffer {
    const parts = this.#buckets.map(({ json }) => json).filter((json) => json?.length) as Buffer[];
    const [first, ...rest] = parts;
    const entries = first ? [first.subarray(1), ...rest] : [];
    return Buffer.concat([Buffer.from(`${head}{`), ...entries, Buffer.from(`}${tail}`)]);
  }

  /** Rooms that are remembered: those of the map, and those that went since it was encoded. */
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

  /** Moves what belongs there from the next bucket in turn to a new one at the end. */
  #split(): void {
    const from = this.#at(this.#buckets.length - this.#power);
    const to = emptyBucket();
    this.#buckets.push(to);
    if (this.#buckets.length === 2 * this.#power) this.#power *= 2;
    for (const room of from.rooms)
      if (this.#bucketOf(room) === to && from.rooms.delete(room)) to.rooms.add(room);
    this.#soil(from);
    this.#soil(to);
  }

  get #isCrowded(): boolean {
    return this.isMarkPassed && this.#rooms > this.#buckets.length * roomsPerBucket;
  }

  #soil(bucket: Bucket): void {
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

/** Of this process: nobody knows which names come into one bucket. */
const seed = Math.floor(Math.random() * 2 ** 32);

/** FNV-1a; then the mixing of MurmurHash3, as its low bits depend on nothing but the low bits of the text. */
function hashOf(text: string): number {
  let hash = seed;
  for (let i = 0; i < text.length; i += 1) hash = imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** In memory of their own: pieces of a shared one would keep each other alive. */
function bytesOf(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}
