import { Channel, type StreamViewer } from '../../sse/channel.js';
import { messageFrame } from '../../sse/frames.js';
import type { Viewer } from '../../sse/viewer.js';
import { PerSecond } from '../../timing/perSecond.js';

/** Most that is read in a second for the viewers of one prefix. The rest is counted and dropped. */
export const maxPerSecond = { updates: 2000, bytes: 4 * 1024 * 1024 };
/** Share of it for messages of other programs, so that they do not displace updates. */
const foreignShare = 1 / 10;

/** A message before it is read. */
export interface UnreadMessage {
  /** Whether its channel belongs to another program. */
  isForeign: boolean;
  bytes: number;
  /** Whether the limit of all prefixes leaves room; `own`: how much these viewers had in this second. */
  isAllowed: (own: PerSecond) => boolean;
}

/** The viewers of all rooms whose names begin with one prefix, and how many messages they missed. */
export class UpdateAudience {
  readonly prefix: string;
  readonly #channels: Readonly<Record<'log' | 'updates', Channel>>;
  readonly #ownRate = new PerSecond(maxPerSecond);
  readonly #foreignRate = new PerSecond({
    updates: maxPerSecond.updates * foreignShare,
    bytes: maxPerSecond.bytes * foreignShare,
  });
  readonly #about: () => object;
  #dropped = 0;
  #garbage = 0;
  #foreign = 0;
  #sentCounts = '';

  /** `about`: fields of the feed that every status contains. */
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
    this.#channels[as].addNeedingState(viewer);
  }

  remove(viewer: Viewer): void {
    for (const channel of Object.values(this.#channels)) channel.remove(viewer);
  }

  /** Whether to read a message for these viewers. If not, it is counted. */
  admits({ isForeign, bytes, isAllowed }: UnreadMessage): boolean {
    const own = isForeign ? this.#foreignRate : this.#ownRate;
    if (own.allows(bytes) && isAllowed(own)) {
      own.use(bytes);
      return true;
    }
    if (isForeign) this.noteGarbage(isForeign);
    else this.#dropped += 1;
    return false;
  }

  /** A message was no update. */
  noteGarbage(isForeign: boolean): void {
    this.#garbage += 1;
    if (isForeign) this.#foreign += 1;
  }

  /** Sends an entry. `frame` makes it with or without the update, and only if a viewer needs it. */
  broadcast(frame: (as: 'log' | 'updates') => Buffer): void {
    for (const as of ['log', 'updates'] as const)
      if (this.#channels[as].size > 0) this.#channels[as].broadcast(frame(as));
  }

  broadcastStatus(): void {
    this.#sentCounts = this.#counts();
    const frame = this.#statusFrame();
    for (const channel of Object.values(this.#channels)) channel.broadcast(frame);
  }

  /** Starts the limits over, and reports what was dropped in the last second. */
  beginSecond(): void {
    this.#ownRate.reset();
    this.#foreignRate.reset();
    if (this.#sentCounts !== this.#counts()) this.broadcastStatus();
  }

  /** Brings viewers that are behind up to date. */
  catchUp(): void {
    for (const channel of Object.values(this.#channels)) channel.catchUp();
  }

  *viewers(): Generator<StreamViewer> {
    for (const channel of Object.values(this.#channels)) yield* channel;
  }

  #counts(): string {
    return `${this.#dropped} ${this.#garbage} ${this.#foreign}`;
  }

  /** Viewers that fall behind get this in place of the updates that they miss; `dropped` does not count those. */
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
