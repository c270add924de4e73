import type { Connections } from '../../machines/ports.js';

/** The bytes of JSON's syntax. */
const [quote, comma, colon, minus, zero, nine] = [0x22, 0x2c, 0x3a, 0x2d, 0x30, 0x39];
const [opening, backslash, closing, openingBrace, closingBrace] = [0x5b, 0x5c, 0x5d, 0x7b, 0x7d];
/** Smaller bytes are control characters, which JSON strings must not contain. */
const space = 0x20;
/** This byte and larger ones are part of a multi-byte character in UTF-8. */
const firstOfMany = 0x80;

/** More than any process can have. Larger counts could make the totals inexact, beyond 2^53. */
const maxCount = 1e9;
/** Limit of one name or one value that is not a count. A room name fits into a request of 16 KiB. */
const maxPieceBytes = 64 * 1024;
/** Values that are not counts. A server may have a few of its own; more are no snapshot. */
const maxSkipped = 10_000;
/** Rooms read between two checks of the clock. */
const roomsAtOnce = 64;

/** How much of a snapshot is kept. The rest is skipped. */
export interface SnapshotLimits {
  /** Number of rooms. One more is kept, to show that the snapshot is over the limit. */
  readonly maxRooms: number;
  /** Total length of the names, in UTF-16 code units. The first name beyond is kept. */
  readonly maxNamesLength: number;
}

/**
 * Reads the connections of a pub-sub server from its answer, `[{"room":1},{"b":2}]`, in pieces: no answer
 * can block the event loop, or take more memory than it has bytes. Repeated rooms are summed. Anything but
 * a room with a count (`{}`, null, a nested value) is skipped.
 *
 * `JSON.parse` takes five times as long and more memory: each object has another property, so V8 gives
 * each a hidden class of its own.
 */
export class SnapshotReader {
  readonly #text: Buffer;
  readonly #limits: SnapshotLimits;
  readonly #connections: Connections = new Map();
  #namesLength = 0;
  #skipped = 0;
  #at = 0;
  /** What is expected next, after white space. */
  #next: 'array' | 'firstEntry' | 'entry' | 'member' | 'end' = 'array';

  constructor(text: Buffer, limits: SnapshotLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  /**
   * Reads until a time of `performance.now()`. Returns the connections when all is read, else undefined.
   * Throws if the answer is not a snapshot.
   */
  readUntil(timeMs: number): Connections | undefined {
    do {
      for (let i = 0; i < roomsAtOnce; i += 1) {
        if (this.#next === 'end') return this.#finish();
        this.#step();
      }
    } while (performance.now() < timeMs);
    return undefined;
  }

  #finish(): Connections {
    this.#skipSpace();
    if (this.#at !== this.#text.length) throw new Error('there is more behind the array');
    return this.#connections;
  }

  #step(): void {
    this.#skipSpace();
    switch (this.#next) {
      case 'array':
        if (!this.#skips(opening)) throw new Error('not a JSON array');
        this.#next = 'firstEntry';
        break;
      case 'firstEntry':
        if (this.#skips(closing)) this.#next = 'end';
        else this.#readEntry();
        break;
      case 'entry':
        this.#readEntry();
        break;
      case 'member':
        this.#readMember();
        break;
    }
  }

  #readEntry(): void {
    if (!this.#skips(openingBrace)) {
      this.#skipValue();
      this.#endEntry();
      return;
    }
    this.#skipSpace();
    if (this.#skips(closingBrace)) this.#endEntry();
    else this.#readMember();
  }

  #readMember(): void {
    const room = this.#readName();
    this.#skipSpace();
    this.#expect(colon);
    this.#skipSpace();
    const count = this.#readValue();
    if (count !== undefined) this.#add(room, count);
    this.#skipSpace();
    if (this.#skips(comma)) {
      this.#next = 'member';
    } else {
      this.#expect(closingBrace);
      this.#endEntry();
    }
  }

  #endEntry(): void {
    this.#skipSpace();
    if (this.#skips(comma)) {
      this.#next = 'entry';
    } else {
      this.#expect(closing);
      this.#next = 'end';
    }
  }

  #add(room: string, count: number): void {
    const { maxRooms, maxNamesLength } = this.#limits;
    const before = this.#connections.get(room);
    if (before === undefined) {
      if (this.#connections.size > maxRooms || this.#namesLength > maxNamesLength) return;
      this.#namesLength += room.length;
    }
    this.#connections.set(room, Math.min(maxCount, (before ?? 0) + count));
  }

  /** Reads a string. Copies it, or it would keep the whole answer in memory. */
  #readName(): string {
    const start = this.#at;
    this.#expect(quote);
    let bits = 0;
    for (let byte = this.#text[this.#at]; byte !== quote; byte = this.#text[this.#at]) {
      if (byte === backslash) return this.#readEscaped(start);
      if (byte === undefined || byte < space) throw this.#unexpected();
      bits |= byte;
      this.#at += 1;
      if (this.#at - start > maxPieceBytes) throw new Error('a name is too long');
    }
    this.#at += 1;
    return this.#text.toString(bits < firstOfMany ? 'latin1' : 'utf8', start + 1, this.#at - 1);
  }

  #readEscaped(start: number): string {
    this.#skipText(start);
    return JSON.parse(this.#text.toString('utf8', start, this.#at));
  }

  /** Reads a value; undefined: it is not a count. */
  #readValue(): number | undefined {
    const start = this.#at;
    let count = 0;
    let byte = this.#text[start];
    while (isDigit(byte)) {
      count = 10 * count + byte - zero;
      this.#at += 1;
      byte = this.#text[this.#at];
    }
    const digits = this.#at - start;
    const isWhole = digits > 0 && digits < 16 && (byte === closingBrace || byte === comma);
    if (!isWhole || (digits > 1 && this.#text[start] === zero)) {
      this.#at = start;
      const value = this.#skipValue();
      return isCount(value) ? value : undefined;
    }
    return isCount(count) ? count : undefined;
  }

  /** Skips a value and returns it. */
  #skipValue(): unknown {
    this.#skipped += 1;
    if (this.#skipped > maxSkipped) throw new Error('too much of it is no room');
    const start = this.#at;
    const first = this.#text[start];
    if (first === quote) this.#skipText(start);
    else if (first === opening || first === openingBrace) this.#skipNested(start);
    else this.#skipWord(start);
    return JSON.parse(this.#text.toString('utf8', start, this.#at));
  }

  /** Skips a string. `JSON.parse` checks its content later. */
  #skipText(start: number): void {
    this.#at = start + 1;
    for (let byte = this.#text[this.#at]; byte !== quote; byte = this.#text[this.#at]) {
      if (byte === undefined) throw this.#unexpected();
      this.#at += byte === backslash ? 2 : 1;
      this.#checkPiece(start);
    }
    this.#at += 1;
  }

  #skipNested(start: number): void {
    let depth = 0;
    do {
      const byte = this.#text[this.#at];
      if (byte === undefined) throw this.#unexpected();
      if (byte === quote) {
        this.#skipText(this.#at);
      } else {
        if (byte === opening || byte === openingBrace) depth += 1;
        if (byte === closing || byte === closingBrace) depth -= 1;
        this.#at += 1;
      }
      this.#checkPiece(start);
    } while (depth > 0);
  }

  /** Skips a number, `true`, `false` or `null`. */
  #skipWord(start: number): void {
    for (let byte = this.#text[this.#at]; isOfWord(byte); byte = this.#text[this.#at]) {
      this.#at += 1;
      this.#checkPiece(start);
    }
    if (this.#at === start) throw this.#unexpected();
  }

  #checkPiece(start: number): void {
    if (this.#at - start > maxPieceBytes) throw new Error('a value is too large');
  }

  #skipSpace(): void {
    const start = this.#at;
    for (let byte = this.#text[start]; isSpace(byte); byte = this.#text[this.#at]) {
      this.#at += 1;
      this.#checkPiece(start);
    }
  }

  #skips(byte: number): boolean {
    const isThere = this.#text[this.#at] === byte;
    if (isThere) this.#at += 1;
    return isThere;
  }

  #expect(byte: number): void {
    if (!this.#skips(byte)) throw this.#unexpected();
  }

  #unexpected(): Error {
    const isCut = this.#at >= this.#text.length;
    return new Error(isCut ? 'it is cut off' : `not JSON at byte ${this.#at}`);
  }
}

const isDigit = (byte: number | undefined): byte is number =>
  byte !== undefined && byte >= zero && byte <= nine;

const isSpace = (byte: number | undefined): boolean =>
  byte === space || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Whether a byte can be part of a number, `true`, `false` or `null`. */
const isOfWord = (byte: number | undefined): boolean =>
  byte !== undefined &&
  (isDigit(byte) || byte === minus || byte === 0x2b || byte === 0x2e || isLetter(byte));

const isLetter = (byte: number) => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;

const isCount = (count: unknown): count is number =>
  Number.isInteger(count) && (count as number) > 0 && (count as number) <= maxCount;
