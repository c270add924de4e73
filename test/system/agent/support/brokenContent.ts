import type { ServerResponse } from 'node:http';

/** What a server with the capability `rooms` does wrong. */
export type ContentFault =
  | 'accepts any list'
  | 'adds lists up'
  | 'drops large updates'
  | 'posts content of every room'
  | 'posts no awareness for a new list';

const maxBytes = 512 * 1024;

/** The watched rooms of a server by docs/protocol.md, right except for the fault. */
export class BrokenContent {
  readonly #has: (fault: ContentFault) => boolean;
  readonly #post: (url: string, body: object) => void;
  readonly #awareness = new Map<string, string>();
  #rooms = new Set<string>();
  #url = '';

  constructor(has: (fault: ContentFault) => boolean, post: (url: string, body: object) => void) {
    this.#has = has;
    this.#post = post;
  }

  /** A message of a client in a room: an update or awareness, as y-protocols encodes them. */
  received(room: string, message: Buffer): { update?: Buffer } {
    const isAwareness = message[0] === 1;
    const content = contentOf(message.subarray(isAwareness ? 1 : 2));
    const base64 = content.toString('base64');
    if (isAwareness) this.#awareness.set(room, base64);
    const isWatched = this.#rooms.has(room) || this.#has('posts content of every room');
    if (isWatched && this.#url) {
      if (isAwareness) this.#post(this.#url, { room, awareness: base64 });
      else if (content.length <= maxBytes) this.#post(this.#url, { room, update: base64 });
      else if (!this.#has('drops large updates')) this.#post(this.#url, { room, lost: true });
    }
    return isAwareness ? {} : { update: content };
  }

  /** Answers `PUT /api/dashboard/rooms`. */
  watch(body: string, activeUrl: string | undefined, response: ServerResponse): void {
    const { rooms, eventsUrl = activeUrl } = JSON.parse(body);
    const isValid =
      Array.isArray(rooms) && rooms.length <= 1_000 && rooms.every((it) => typeof it === 'string');
    if (!this.#has('accepts any list')) {
      if (!isValid) return void response.writeHead(400).end();
      if (eventsUrl === undefined) return void response.writeHead(409).end();
    }
    if (this.#has('adds lists up')) for (const room of rooms) this.#rooms.add(room);
    else this.#rooms = new Set(rooms);
    this.#url = eventsUrl ?? '';
    response.end('okay');
    if (this.#has('posts no awareness for a new list')) return;
    for (const room of this.#rooms) {
      const awareness = this.#awareness.get(room);
      if (awareness) this.#post(this.#url, { room, awareness });
    }
  }
}

/** The bytes after their length. */
function contentOf(bytes: Buffer): Buffer {
  const end = bytes.findIndex((byte) => byte < 128);
  return bytes.subarray(end + 1);
}
