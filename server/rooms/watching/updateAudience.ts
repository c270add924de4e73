import { Channel } from '../../sse/channel.js';
import { messageFrame } from '../../sse/frames.js';
import type { Viewer } from '../../sse/viewer.js';
import { PerSecond } from '../../timing/perSecond.js';

/** What is taken in of a second for the viewers of one prefix: the rest is counted and dropped. */
export const maxPerSecond = { updates: 2000, bytes: 4 * 1024 * 1024 };
/** The part of it that messages of other programs may have: what they publish displaces no updates. */
const strangePart = 1 / 10;

/** A message, as it is counted: what became of it. */
export interface Admitted {
  isStrange: boolean;
  bytes: number;
  /** Whether the service has time for one more, or for one more of those who had little so far. */
  isAllowed: (own: PerSecond) => boolean;
}

/** The viewers of all rooms whose names begin with the same prefix, and what they missed. */
export class UpdateAudience {
  readonly prefix: string;
  readonly #channels: Readonly<Record<'log' | 'updates', Channel>>;
  readonly #taken = new PerSecond(maxPerSecond);
  readonly #strange = new PerSecond({
    updates: maxPerSecond.updates * strangePart,
    bytes: maxPerSecond.bytes * strangePart,
  });
  readonly #about: () => object;
  #dropped = 0;
  #garbage = 0;
  #foreign = 0;
  #told = '';

  /** `about`: what is told of the feed in every status. */
  constructor(prefix: string, about: () => object) {
    this.prefix = prefix;
    this.#about = about;
    const channel = () => new Channel(() => this.#statusFrame());
    this.#channels = { log: channel(), updates: channel() };
  }

  get size(): number {
    return this.#channels.log.size + this.#channels.updates.size;
  }

  add(viewer: Viewer, as: 'log' | 'updates'): void {
    this.#channels[as].addBehind(viewer);
  }

  remove(viewer: Viewer): void {
    for (const channel of Object.values(this.#channels)) channel.remove(viewer);
  }

  /** Whether a message is to be read for these viewers; if not, it is counted. */
  admits({ isStrange, bytes, isAllowed }: Admitted): boolean {
    const own = isStrange ? this.#strange : this.#taken;
    if (own.allows(bytes) && isAllowed(own)) {
      own.use(bytes);
      return true;
    }
    if (isStrange) this.noteGarbage(isStrange);
    else this.#dropped += 1;
    return false;
  }

  /** A message was no update; `isStrange`: nothing else ever came by its channel. */
  noteGarbage(isStrange: boolean): void {
    this.#garbage += 1;
    if (isStrange) this.#foreign += 1;
  }

  /** `frame`: of an entry, or of an entry with its update; made when somebody is sent it. */
  tell(frame: (as: 'log' | 'updates') => Buffer): void {
    for (const as of ['log', 'updates'] as const)
      if (this.#channels[as].size > 0) this.#channels[as].broadcast(frame(as));
  }

  tellStatus(): void {
    this.#told = this.#counts();
    const frame = this.#statusFrame();
    for (const channel of Object.values(this.#channels)) channel.broadcast(frame);
  }

  /** Allows as much again as in the second before, and tells viewers what was dropped in it. */
  beginSecond(): void {
    this.#taken.reset();
    this.#strange.reset();
    if (this.#told !== this.#counts()) this.tellStatus();
  }

  /** Brings viewers that are behind up to date. */
  catchUp(): void {
    for (const channel of Object.values(this.#channels)) channel.catchUp();
  }

  *viewers(): Generator<Viewer> {
    for (const channel of Object.values(this.#channels)) yield* channel;
  }

  #counts(): string {
    return `${this.#dropped} ${this.#garbage} ${this.#foreign}`;
  }

  /** How the feed stands. Whoever missed updates gets it in their place: `dropped` does not count those. */
  #statusFrame(): Buffer {
    const status = {
      ...this.#about(),
      dropped: this.#dropped,
      garbage: this.#garbage,
      foreign: this.#foreign,
    };
    return messageFrame(JSON.stringify(status), { event: 'status' });
  }
}
