const truncated = '{"type":"truncated"}';

// A control character is written as \u0000.
const maxBytesOfCharacter = 6;

const bytesOf = (text: string): number => Buffer.byteLength(JSON.stringify(text));

/** Writes JSON text piece by piece, up to about `maxBytes`: what does not fit is marked, and the text stays valid. */
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

  /** Text that is JSON already, or a part of it; always written, since it may close what is open. */
  raw(json: string): void {
    this.#pieces.push(json);
    this.#bytesLeft -= Buffer.byteLength(json);
  }

  /** Whether a string can be written whole. */
  fits(text: string): boolean {
    // At most six bytes for a character: most strings need no measuring.
    if (text.length * maxBytesOfCharacter + 2 <= this.#bytesLeft) return true;
    return text.length < this.#bytesLeft && bytesOf(text) <= this.#bytesLeft;
  }

  /** A string, or as much of its head as fits; answers whether it is whole. */
  string(text: string): boolean {
    const isWhole = this.fits(text);
    let head = isWhole ? text : text.slice(0, Math.max(0, this.#bytesLeft));
    while (!isWhole && head !== '' && bytesOf(head) > this.#bytesLeft) {
      const share = Math.floor((head.length * this.#bytesLeft) / bytesOf(head));
      head = head.slice(0, Math.min(share, head.length - 1));
    }
    if (!isWhole) this.#isTruncated = true;
    // A surrogate pair is not cut in two.
    this.raw(JSON.stringify(isWhole ? head : head.replace(/[\uD800-\uDBFF]$/, '')));
    return isWhole;
  }

  /** Says inside an open object that its value is not whole. */
  cut(): void {
    this.#isTruncated = true;
    this.raw(',"truncated":true');
  }

  /** Stands for a value that is left out. */
  truncated(): void {
    this.#isTruncated = true;
    this.raw(truncated);
  }

  /** `[...]`; what does not fit is one `truncated` at the end. */
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
   * `{...}` with sorted keys. `value` answers what writes a key's value, or undefined to leave the key out.
   * What does not fit is `"type":"truncated"` at the end: no other object of ours has both that and entries.
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
