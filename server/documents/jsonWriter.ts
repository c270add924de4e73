const truncated = '{"type":"truncated"}';

/** A control character is written as \u0000. */
const maxBytesOfCharacter = 6;

const bytesOf = (text: string): number => Buffer.byteLength(JSON.stringify(text));

/** Writes JSON text piece by piece, up to about `maxBytes`. Values that do not fit are marked; the text stays valid. */
export class JsonWriter {
  readonly #pieces: string[] = [];
  #bytesLeft: number;
  #isTruncated = false;

  constructor(maxBytes: number) {
    this.#bytesLeft = maxBytes;
  }

  get isTruncated(): boolean {
    return this.#isTruncated;
  }

  get bytesLeft(): number {
    return this.#bytesLeft;
  }

  get isFull(): boolean {
    return this.#bytesLeft <= 0;
  }

  /** Writes a piece of JSON, even when full: it may close an open bracket. */
  raw(json: string): void {
    this.#pieces.push(json);
    this.#bytesLeft -= Buffer.byteLength(json);
  }

  /** Whether a string can be written whole. */
  fits(text: string): boolean {
    // A character takes at most six bytes, so most strings need no measuring.
    if (text.length * maxBytesOfCharacter + 2 <= this.#bytesLeft) return true;
    return text.length < this.#bytesLeft && bytesOf(text) <= this.#bytesLeft;
  }

  /** Writes a string, or as much of its beginning as fits. Returns whether it is whole. */
  string(text: string): boolean {
    const isWhole = this.fits(text);
    let head = isWhole ? text : text.slice(0, Math.max(0, this.#bytesLeft));
    while (!isWhole && head !== '' && bytesOf(head) > this.#bytesLeft) {
      const share = Math.floor((head.length * this.#bytesLeft) / bytesOf(head));
      head = head.slice(0, Math.min(share, head.length - 1));
    }
    if (!isWhole) this.#isTruncated = true;
    // Do not split a surrogate pair.
    this.raw(JSON.stringify(isWhole ? head : head.replace(/[\uD800-\uDBFF]$/, '')));
    return isWhole;
  }

  /** Marks the open object as truncated. */
  cut(): void {
    this.#isTruncated = true;
    this.raw(',"truncated":true');
  }

  /** Writes a placeholder for a value that is left out. */
  truncated(): void {
    this.#isTruncated = true;
    this.raw(truncated);
  }

  /** Writes an array. A `truncated` at its end replaces the items that do not fit. */
  array<T>(items: Iterable<T>, write: (item: T) => void): void {
    this.raw('[');
    let isFirst = true;
    for (const item of items) {
      if (!isFirst) this.raw(',');
      isFirst = false;
      if (this.isFull) {
        this.truncated();
        break;
      }
      write(item);
    }
    this.raw(']');
  }

  /**
   * Writes an object with sorted keys. `value` returns the writer of a value, or undefined to leave the key out.
   * `"type":"truncated"` at its end replaces the entries that do not fit; no other object has both.
   */
  object(keys: Iterable<string>, value: (key: string) => (() => void) | undefined): void {
    this.raw('{');
    let isFirst = true;
    for (const key of [...keys].sort()) {
      const write = value(key);
      if (write === undefined) continue;
      if (!isFirst) this.raw(',');
      isFirst = false;
      if (this.#bytesLeft < key.length) {
        this.#isTruncated = true;
        this.#bytesLeft = 0;
        this.raw('"type":"truncated"');
        break;
      }
      this.raw(`${JSON.stringify(key)}:`);
      if (this.isFull) this.truncated();
      else write();
    }
    this.raw('}');
  }

  /** The text in UTF-8, in a buffer of its own. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return new TextEncoder().encode(this.#pieces.join(''));
  }
}
