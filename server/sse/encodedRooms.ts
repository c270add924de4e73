import type { RoomName } from '../../machines/ports.js';

/** Some rooms, and their entries of the map as they were encoded last. */
interface Bucket {
  rooms: Set<RoomName>;
  /** `,"room":count` for each room; undefined: something changed since. */
  json: Buffer | undefined;
}

const roomsPerBucket = 128;
const emptyBucket = (): Bucket => ({ rooms: new Set(), json: undefined });

/**
 * The whole map of rooms as JSON, kept encoded piece by piece: a change costs the encoding of its
 * bucket, and a map of any size can be encoded in slices. Buckets are split one at a time as rooms come
 * (linear hashing), so that nothing is ever done to all rooms at once.
 */
export class EncodedRooms {
  readonly #totals: () => ReadonlyMap<RoomName, number>;
  #buckets: Bucket[] = [emptyBucket()];
  #dirty = new Set<Bucket>();
  #rooms = 0;

  constructor(totals: () => ReadonlyMap<RoomName, number>) {
    this.#totals = totals;
  }

  /** These rooms came, went or changed their counts. */
  note(rooms: Iterable<RoomName>): void {
    for (const room of rooms) {
      const bucket = this.#bucketOf(room);
      this.#dirty.add(bucket);
      if (bucket.rooms.has(room)) continue;
      bucket.rooms.add(room);
      this.#rooms += 1;
      if (this.#rooms > this.#buckets.length * roomsPerBucket) this.#split();
    }
  }

  /** Encodes what changed, for so long, and one bucket at the least; true: nothing is left. */
  encode(maxMs = Number.POSITIVE_INFINITY): boolean {
    const end = performance.now() + maxMs;
    for (const bucket of this.#dirty) {
      this.#encode(bucket);
      this.#dirty.delete(bucket);
      if (performance.now() > end) break;
    }
    return this.#dirty.size === 0;
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
    this.#dirty = new Set();
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
    bucket.json = Buffer.from(json);
  }

  /** Moves what belongs there from the next bucket in turn to a new one at the end. */
  #split(): void {
    const size = this.#buckets.length;
    const from = this.#at(size - highestPower(size));
    const to = emptyBucket();
    this.#buckets.push(to);
    for (const room of from.rooms)
      if (this.#bucketOf(room) === to && from.rooms.delete(room)) to.rooms.add(room);
    this.#dirty.add(from).add(to);
  }

  #bucketOf(room: RoomName): Bucket {
    const size = this.#buckets.length;
    const power = highestPower(size);
    const hash = hashOf(room);
    const wide = hash % (2 * power);
    return this.#at(wide < size ? wide : hash % power);
  }

  #at(index: number): Bucket {
    const bucket = this.#buckets[index];
    if (!bucket) throw new RangeError(`there is no bucket ${index}`);
    return bucket;
  }
}

const { clz32, imul } = Math;

/** The greatest power of two that is not above a number. */
const highestPower = (size: number) => 2 ** (31 - clz32(size));

/** Of this process: nobody can choose names that all come into one bucket. */
const seed = Math.floor(Math.random() * 2 ** 32);

/** FNV-1a, for an even spread. */
function hashOf(text: string): number {
  let hash = seed;
  for (let i = 0; i < text.length; i += 1) hash = imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
