import type { Outbound } from './outbound.js';

interface Waiting {
  readonly room: string;
  readonly update: string;
}

/** Larger updates would not fit into a body, which the service limits to 1 MiB by default. */
const maxUpdateBytes = 512 * 1024;
/** Limits in characters of JSON, with base64 and names. */
const maxBodyLength = 900 * 1024;
const maxWaitingLength = 4 * 1024 * 1024;
const entryLength = 64;

/** Posts updates of documents to the service, one request at a time with as many updates as fit. */
export class UpdatePosts {
  readonly #outbound: Outbound;
  readonly #url: () => string | undefined;
  #waiting: Waiting[] = [];
  #waitingLength = 0;
  #isPosting = false;

  /** `url`: where to post; undefined: updates are dropped. */
  constructor({ outbound, url }: { outbound: Outbound; url: () => string | undefined }) {
    this.#outbound = outbound;
    this.#url = url;
  }

  /** Queues an update. Drops it if it is too large or too many wait; the service then polls. */
  put(room: string, { buffer, byteOffset, length }: Uint8Array): void {
    if (this.#url() === undefined || length > maxUpdateBytes) return;
    const update = Buffer.from(buffer, byteOffset, length).toString('base64');
    const entry = { room, update };
    if (this.#waitingLength + lengthOf(entry) > maxWaitingLength) return;
    this.#waiting.push(entry);
    this.#waitingLength += lengthOf(entry);
    void this.#post();
  }

  /** Drops all waiting updates. */
  clear(): void {
    this.#waiting = [];
    this.#waitingLength = 0;
  }

  async #post(): Promise<void> {
    if (this.#isPosting) return;
    this.#isPosting = true;
    for (let url = this.#url(); url !== undefined && this.#waiting.length > 0; url = this.#url()) {
      const entries = this.#take();
      const body = JSON.stringify(entries.length === 1 ? entries[0] : entries);
      await this.#outbound.send({ method: 'POST', url, body }).catch(() => undefined);
    }
    this.#isPosting = false;
  }

  /** Removes the entries of the next body from the queue, at least one. */
  #take(): Waiting[] {
    const taken: Waiting[] = [];
    let length = 0;
    for (const entry of this.#waiting) {
      length += lengthOf(entry);
      if (taken.length > 0 && length > maxBodyLength) break;
      taken.push(entry);
    }
    this.#waiting = this.#waiting.slice(taken.length);
    for (const entry of taken) this.#waitingLength -= lengthOf(entry);
    return taken;
  }
}

function lengthOf({ room, update }: Waiting): number {
  return room.length * 3 + update.length + entryLength;
}
