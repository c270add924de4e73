import { capabilitiesIn } from './capabilities.js';
import { Connections } from './connections.js';
import type { EventsListener, Post } from './eventsListener.js';
import type { Opener } from './opener.js';
import { parseSnapshot, type Snapshot } from './parseSnapshot.js';
import type { Answer, ServerClient } from './serverClient.js';
import { Failure } from './verdict.js';

/** An activation that the server has answered. */
export interface Epoch {
  readonly number: number;
  readonly url: string;
  readonly answer: Answer;
  readonly snapshot: Snapshot;
}

/** What checks use: a dashboard that the server reports to, and clients of the server. */
export interface BenchParts {
  readonly run: string;
  readonly server: ServerClient;
  readonly listener: EventsListener;
  readonly opener: Opener;
  /** How long to wait for what a server must do. */
  readonly withinMs: number;
  /** How long to watch at the end for what a server must not do. */
  readonly watchMs: number;
  /** Restarts the server. Undefined: it cannot be restarted. */
  readonly restart?: (() => Promise<void>) | undefined;
  /** Signs and verifies requests. Undefined: the server has no secret. */
  readonly secret?: string | undefined;
  /** Whether to send what ends servers that do not validate. */
  readonly sendsBadInput: boolean;
}

const pollMs = 5;

/** The state of a run. Its owner closes it. */
export class Bench {
  readonly parts: BenchParts;
  readonly server: ServerClient;
  readonly listener: EventsListener;
  readonly connections: Connections;
  readonly withinMs: number;
  /** What must still be true at the end. Each says what is wrong, or nothing. */
  readonly claims: (() => string | undefined)[] = [];
  #newest = 0;
  #names = 0;
  #isClosed = false;
  #capabilities: ReadonlySet<string> | undefined;

  constructor(parts: BenchParts) {
    this.parts = parts;
    this.server = parts.server;
    this.listener = parts.listener;
    this.withinMs = parts.withinMs;
    this.connections = new Connections(parts.opener);
  }

  /** A name of a room that nobody else uses. */
  room(label: string): string {
    this.#names += 1;
    return `check-${this.parts.run}-${this.#names}-${label}`;
  }

  /** The number of the newest URL. */
  get newest(): number {
    return this.#newest;
  }

  /** A new events URL and its number. */
  nextUrl(path?: string): { number: number; url: string } {
    this.#newest += 1;
    return { number: this.#newest, url: this.listener.url(this.#newest, path) };
  }

  /** Activates the server with a new URL. Throws a `Failure` if its answer is not a snapshot. */
  async activate({ path, pause }: { path?: string; pause?: () => Promise<void> } = {}) {
    const { number, url } = this.nextUrl(path);
    const answer = await this.put({ active: true, eventsUrl: url }, pause);
    return { number, url, answer, snapshot: parseSnapshot(answer) } satisfies Epoch;
  }

  /** Tells the server to stop posting. */
  async deactivate(pause?: () => Promise<void>): Promise<Answer> {
    const answer = await this.put({ active: false, eventsUrl: this.nextUrl().url }, pause);
    if (!isOk(answer)) throw new Failure(`active: false was answered ${answer.status}`);
    return answer;
  }

  /** Sends `PUT /api/dashboard`. `pause` is awaited in the middle of the body. */
  async put(activation: object, pause?: () => Promise<void>): Promise<Answer> {
    const text = JSON.stringify(activation);
    const middle = Math.floor(text.length / 2);
    const body = pause ? [text.slice(0, middle), pause, text.slice(middle)] : text;
    const answer = await this.server.send({ method: 'PUT', target: '/api/dashboard', body });
    const header = answer.headers['dashboard-agent']?.toString();
    if (header !== undefined) this.#capabilities = capabilitiesIn(header);
    return answer;
  }

  /** What the server has announced last. Undefined: nothing valid. */
  get capabilities(): ReadonlySet<string> | undefined {
    return this.#capabilities;
  }

  /** Waits until the condition holds. Otherwise throws a `Failure` with what `seen` says at the deadline. */
  async until(isTrue: () => boolean, seen: () => string): Promise<void> {
    const deadline = performance.now() + this.withinMs;
    while (!isTrue()) {
      if (this.#isClosed || performance.now() > deadline) throw new Failure(seen());
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  /** The sum of the deltas of a room in posts to the URLs from this number on, and before another. */
  sum(room: string, from = 0, before = Number.POSITIVE_INFINITY): number {
    let sum = 0;
    for (const { epoch, entries } of this.listener.posts)
      if (epoch !== undefined && epoch >= from && epoch < before)
        for (const entry of entries) if (entry.room === room) sum += entry.add ?? 0;
    return sum;
  }

  /** The connections of a room: its number in the snapshot and the posts since. */
  count(room: string, { number, snapshot }: Epoch): number {
    return (snapshot.get(room) ?? 0) + this.sum(room, number);
  }

  /** Waits until the snapshot and the posts since make this number of connections. */
  untilCount(room: string, epoch: Epoch, expected: number): Promise<void> {
    return this.until(
      () => this.count(room, epoch) === expected,
      () => {
        const [inSnapshot, posted] = [epoch.snapshot.get(room) ?? 0, this.sum(room, epoch.number)];
        return `${expected} are open; the snapshot has ${inSnapshot}, and the posts since add ${posted}`;
      },
    );
  }

  /** Waits until the deltas of a room since an activation have this sum. */
  untilSum(room: string, from: Epoch, expected: number): Promise<void> {
    return this.until(
      () => this.sum(room, from.number) === expected,
      () => `the posts for '${room}' add up to ${this.sum(room, from.number)}, not ${expected}`,
    );
  }

  /** Waits until a connection that opens and closes after everything before is posted, to this or to any URL. */
  async barrier(epoch?: Epoch): Promise<void> {
    const room = this.room('barrier');
    const connection = await this.connections.open(room);
    await this.untilPosted(room, epoch, 1);
    await this.connections.close(connection);
    await this.untilPosted(room, epoch, -1);
  }

  /** The posts to the URL with this number. */
  postsTo({ number }: { number: number }): Post[] {
    return this.listener.posts.filter(({ epoch }) => epoch === number);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.connections.closeAll();
    this.listener.close();
  }

  private untilPosted(room: string, epoch: Epoch | undefined, sign: 1 | -1): Promise<void> {
    const isPosted = (post: Post) =>
      post.entries.some((entry) => entry.room === room && Math.sign(entry.add ?? 0) === sign);
    const what = sign === 1 ? 'opened' : 'closed';
    return this.until(
      () => (epoch ? this.postsTo(epoch) : this.listener.posts).some(isPosted),
      () => `a connection that ${what} was not posted within ${this.withinMs} ms`,
    );
  }
}

/** Whether the status is 2xx. */
export function isOk({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}
