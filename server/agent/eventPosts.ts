import type { OutboundAnswer, OutboundRequest } from './outbound.js';

interface Batch {
  readonly url: string;
  /** Opened and closed connections by room, one entry of the post each. */
  readonly opened: Map<string, number>;
  readonly closed: Map<string, number>;
  length: number;
}

/** What the posts of deltas need. */
export interface EventPostsOptions {
  send(request: OutboundRequest): Promise<OutboundAnswer>;
  readonly gatherMs: number;
  /** The dashboard does not know this URL. */
  refused(url: string): void;
  /** The dashboard does not take posts. Deltas are dropped until `resume`. */
  suspended(): void;
}

/** Longer names and larger changes are refused, with the whole post: docs/protocol.md. */
const maxNameLength = 16_384;
const maxAdd = 1_000;
/** In characters of names and of the JSON around them. A character takes up to six bytes. */
const maxBatchLength = 150_000;
const entryLength = 8;
const maxWaitingLength = 1_200_000;
const maxInFlight = 4;
const maxFailures = 3;

/** Gathers deltas for each URL and posts them. A failed post is not repeated. */
export class EventPosts {
  readonly #options: EventPostsOptions;
  #gathering: Batch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waiting: Batch[] = [];
  #waitingLength = 0;
  readonly #inFlight = new Set<Promise<void>>();
  #failures = 0;

  constructor(options: EventPostsOptions) {
    this.#options = options;
  }

  /** Whether the dashboard is away: nothing is gathered. */
  get isSuspended(): boolean {
    return this.#failures >= maxFailures;
  }

  /** Notes a change. It belongs to the URL that is valid now. */
  put(url: string, room: string, add: 1 | -1): void {
    if (this.isSuspended || room.length > maxNameLength) return;
    let batch = this.#gathering;
    if (batch && (batch.url !== url || batch.length > maxBatchLength)) {
      this.flush();
      batch = undefined;
    }
    batch ??= this.#open(url);
    const rooms = add === 1 ? batch.opened : batch.closed;
    const count = rooms.get(room);
    if (count === undefined) batch.length += room.length + entryLength;
    rooms.set(room, (count ?? 0) + 1);
  }

  /** Posts what is gathered now. */
  flush(): void {
    this.#close();
    this.#post();
  }

  /** Drops what is not posted yet. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#gathering = undefined;
    this.#waiting = [];
    this.#waitingLength = 0;
  }

  /** The dashboard has answered something: posts again. */
  resume(): void {
    this.#failures = 0;
  }

  /** Resolves when every delta is answered or has failed. */
  async settled(): Promise<void> {
    for (this.flush(); this.#inFlight.size > 0; this.flush()) await Promise.all(this.#inFlight);
  }

  #open(url: string): Batch {
    const batch = { url, opened: new Map(), closed: new Map(), length: entryLength };
    this.#gathering = batch;
    this.#timer = setTimeout(() => this.flush(), this.#options.gatherMs).unref();
    return batch;
  }

  /** Ends the present batch. The oldest are dropped if too much waits; a snapshot corrects the counts. */
  #close(): void {
    clearTimeout(this.#timer);
    if (!this.#gathering) return;
    this.#waiting.push(this.#gathering);
    this.#waitingLength += this.#gathering.length;
    this.#gathering = undefined;
    while (this.#waitingLength > maxWaitingLength) this.#next();
  }

  #next(): Batch | undefined {
    const batch = this.#waiting.shift();
    this.#waitingLength -= batch?.length ?? 0;
    return batch;
  }

  #post(): void {
    while (this.#inFlight.size < maxInFlight) {
      const batch = this.#next();
      if (!batch) return;
      const posted = this.#exchange(batch).finally(() => {
        this.#inFlight.delete(posted);
        this.#post();
      });
      this.#inFlight.add(posted);
    }
  }

  async #exchange(batch: Batch): Promise<void> {
    const request = { method: 'POST', url: batch.url, body: bodyOf(batch) } as const;
    const status = await this.#options.send(request).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status >= 200 && status < 300) this.#failures = 0;
    else if (status === 404) this.#options.refused(batch.url);
    else this.#failed();
  }

  #failed(): void {
    this.#failures += 1;
    if (this.#failures !== maxFailures) return;
    this.clear();
    this.#options.suspended();
  }
}

function bodyOf({ opened, closed }: Batch): string {
  const entries: string[] = [];
  for (const [room, count] of opened) addEntries(entries, room, count, 1);
  for (const [room, count] of closed) addEntries(entries, room, count, -1);
  return entries.length === 1 ? (entries[0] ?? '') : `[${entries.join(',')}]`;
}

function addEntries(entries: string[], room: string, count: number, sign: 1 | -1): void {
  const name = JSON.stringify(room);
  for (let left = count; left > 0; left -= maxAdd) {
    entries.push(`{"room":${name},"add":${sign * Math.min(left, maxAdd)}}`);
  }
}
