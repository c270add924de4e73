import type { OutboundAnswer, OutboundRequest } from './outbound.js';

/** What the posts of content need. */
export interface ContentPostsOptions {
  send(request: OutboundRequest): Promise<OutboundAnswer>;
  readonly gatherMs: number;
  readonly retryMs: number;
  /** Where to post now; undefined: content is dropped. */
  url(): string | undefined;
  /** The dashboard does not know this URL. */
  refused(url: string): void;
  /** Whether to post which rooms lost something. */
  readonly tellsLost: boolean;
}

export type ContentKind = 'update' | 'awareness';

interface Waiting {
  readonly room: string;
  readonly json: string;
}

/** A post that contains a larger update would be refused: the service limits a body to 1 MiB. */
const maxContentBytes = 512 * 1024;
const maxNameLength = 16_384;
/** In characters of JSON. */
const maxBodyLength = 900 * 1024;
const maxWaitingLength = 4 * 1024 * 1024;

/** Posts updates and awareness, one request at a time with as much as fits. */
export class ContentPosts {
  readonly #options: ContentPostsOptions;
  #waiting: Waiting[] = [];
  #waitingLength = 0;
  /** Rooms whose content was dropped, until a post has told it. */
  readonly #lost = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #posting: Promise<void> | undefined;

  constructor(options: ContentPostsOptions) {
    this.#options = options;
  }

  /** Queues content. Drops it if it is too large or too much waits. */
  put(room: string, kind: ContentKind, content: Uint8Array): void {
    if (!ArrayBuffer.isView(content)) throw new TypeError(`${kind} is no Uint8Array`);
    if (this.#options.url() === undefined || room.length > maxNameLength) return;
    const { buffer, byteOffset, byteLength } = content;
    const isTooMuch = this.#waitingLength + byteLength * 1.4 > maxWaitingLength;
    if (byteLength > maxContentBytes || isTooMuch) {
      if (this.#options.tellsLost) this.#lost.add(room);
    } else {
      const base64 = Buffer.from(buffer, byteOffset, byteLength).toString('base64');
      const json = `{"room":${JSON.stringify(room)},"${kind}":"${base64}"}`;
      this.#waiting.push({ room, json });
      this.#waitingLength += json.length;
    }
    this.#schedule(this.#options.gatherMs);
  }

  /** Drops everything that waits. */
  clear(): void {
    this.#waiting = [];
    this.#waitingLength = 0;
    this.#lost.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Drops what waits for the rooms that are not wanted any more. */
  keep(isWanted: (room: string) => boolean): void {
    this.#waiting = this.#waiting.filter(({ room }) => isWanted(room));
    this.#waitingLength = this.#waiting.reduce((sum, { json }) => sum + json.length, 0);
    for (const room of this.#lost) if (!isWanted(room)) this.#lost.delete(room);
  }

  /** Posts now what is gathered. Resolves when it is answered or has failed. */
  async settled(): Promise<void> {
    if (this.#timer) this.#post();
    await this.#posting;
  }

  #schedule(ms: number): void {
    if (this.#posting) return;
    this.#timer ??= setTimeout(() => this.#post(), ms).unref();
  }

  #post(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#posting ??= this.#postAll().then((isDone) => {
      this.#posting = undefined;
      if (this.#waiting.length > 0 || this.#lost.size > 0)
        this.#schedule(isDone ? this.#options.gatherMs : this.#options.retryMs);
    });
  }

  /** Resolves with false after a failure: the rest waits. */
  async #postAll(): Promise<boolean> {
    for (;;) {
      const url = this.#options.url();
      if (url === undefined) this.clear();
      const { rooms, body } = this.#take();
      if (url === undefined || body === '') return true;
      const status = await this.#options.send({ method: 'POST', url, body }).then(
        (answer) => answer.status,
        () => 0,
      );
      if (status === 404) this.#options.refused(url);
      if (status >= 200 && status < 300) continue;
      // The rest may belong to another URL by now.
      if (this.#options.tellsLost && status !== 404) for (const room of rooms) this.#lost.add(room);
      return false;
    }
  }

  /** Removes the entries of the next body from the queue, at least one. */
  #take(): { rooms: string[]; body: string } {
    const taken: Waiting[] = [...this.#lost].map((room) => ({
      room,
      json: `{"room":${JSON.stringify(room)},"lost":true}`,
    }));
    this.#lost.clear();
    let count = 0;
    let length = taken.reduce((sum, { json }) => sum + json.length, 0);
    for (const entry of this.#waiting) {
      length += entry.json.length;
      if (taken.length > 0 && length > maxBodyLength) break;
      taken.push(entry);
      this.#waitingLength -= entry.json.length;
      count += 1;
    }
    this.#waiting.splice(0, count);
    const json = taken.map((entry) => entry.json);
    return {
      rooms: taken.map(({ room }) => room),
      body: json.length === 1 ? (json[0] ?? '') : json.length === 0 ? '' : `[${json.join(',')}]`,
    };
  }
}
