import type { DocumentClient } from '../../documents/documentClient.js';
import { DocumentError } from '../../documents/documentErrors.js';
import type { AwarenessAnswer } from '../../documents/documentProtocol.js';
import type { Documents } from '../../documents/documents.js';
import { Channel } from '../../sse/channel.js';
import { asBuffer, messageFrame } from '../../sse/frames.js';
import { SharedFrame } from '../../sse/sharedFrame.js';
import type { Viewer } from '../../sse/viewer.js';
import { Pace } from '../../timing/pace.js';
import { HeldAwareness, type HeldBatch } from './heldAwareness.js';

/** How a viewer gets awareness: all clients each time, or all clients once and then the changes. */
export type AwarenessView = 'whole' | 'changes';

/** What the awareness of a room needs from the rest of the service. */
export interface AwarenessStreamsNeeds {
  documents: Documents;
  frameIntervalMs: number;
  /** Milliseconds of a monotonic clock. */
  now: () => number;
  /** Called for messages that are no awareness update. */
  onGarbage: (bytes: number) => void;
}

/** Most bytes of awareness per millisecond for a viewer. */
const maxBytesPerMs = 1000;
const expiryMs = 1000;
/** Most bytes of awareness that may wait for a viewer. The rest is for the document, which is larger to resend. */
const maxPendingBytes = 256 * 1024;

/** A new one each time, because its buffer moves to the thread. */
const nothing = (): HeldBatch => ({ updates: new Uint8Array(0), lengths: [], tooLarge: [] });

/**
 * Sends the awareness of a watched room to its viewers. The worker thread reads and encodes it, at most once in a
 * frame interval. It has its own channels: a viewer that misses awareness is not sent the document again.
 */
export class AwarenessStreams {
  readonly #room: string;
  readonly #needs: AwarenessStreamsNeeds;
  readonly #held = new HeldAwareness();
  readonly #channels: Readonly<Record<AwarenessView, Channel>>;
  readonly #changesPace: Pace;
  readonly #wholePace: Pace;
  /** Looks for clients that have expired. */
  readonly #expiry: NodeJS.Timeout;
  /** The awareness of the room in the worker thread. */
  #states: DocumentClient | undefined;
  /** Whether the thread may know clients. */
  #hasStates = false;
  /** The thread refuses the awareness of this room for a while. */
  #isRefused = false;
  #isClosed = false;
  #since: string | null = null;
  #nextExpiryAt: number | undefined;
  /** Sizes of the last frames, which pace the next ones. */
  #bytes = { changes: 0, whole: 0 };
  /** The frame with all clients. */
  readonly #whole = new SharedFrame(
    () => this.#ask(nothing(), { isWhole: true }),
    (answer) => answer?.whole && asBuffer(answer.whole),
  );

  constructor(room: string, needs: AwarenessStreamsNeeds) {
    this.#room = room;
    this.#needs = needs;
    const channel = () => new Channel(() => this.#wholeFrame(), { maxPendingBytes });
    this.#channels = { whole: channel(), changes: channel() };
    const pace = (view: AwarenessView, flush: () => Promise<void>) =>
      new Pace(flush, () => Math.max(needs.frameIntervalMs, this.#bytes[view] / maxBytesPerMs));
    this.#changesPace = pace('changes', () => this.#flush());
    this.#wholePace = pace('whole', () => this.#broadcastWhole());
    this.#expiry = setInterval(() => this.#expire(), expiryMs);
  }

  /** Adds a viewer, which gets all clients as soon as the thread has encoded them. */
  add(viewer: Viewer, view: AwarenessView): void {
    this.#channels[view].addNeedingState(viewer);
  }

  remove(viewer: Viewer): void {
    for (const channel of Object.values(this.#channels)) channel.remove(viewer);
  }

  /** Applies a message of the room's presence channel. */
  apply(update: Uint8Array): void {
    if (this.#isClosed) return;
    this.#held.hold(update);
    this.#changesPace.touch();
  }

  /** Whether the presence channel is subscribed. If not, it is unknown who comes and goes. */
  setFollowed(isFollowed: boolean): void {
    this.#isRefused = false;
    if (isFollowed === (this.#since !== null)) return;
    this.#since = isFollowed ? new Date().toISOString() : null;
    this.#broadcastCounts();
  }

  /** Brings viewers that are behind up to date. */
  catchUp(): void {
    for (const channel of Object.values(this.#channels)) channel.catchUp();
  }

  close(): void {
    this.#changesPace.close();
    this.#wholePace.close();
    clearInterval(this.#expiry);
    this.#isClosed = true;
    this.#states?.close();
  }

  #expire(): void {
    if (this.#nextExpiryAt !== undefined && this.#needs.now() >= this.#nextExpiryAt)
      this.#changesPace.touch();
  }

  async #flush(): Promise<void> {
    const batch = this.#held.release();
    const isEncoded = this.#channels.changes.size > 0;
    const answer = await this.#ask(batch, { isFlush: true, isEncoded });
    if (!answer) {
      // Refused, or the thread ended: clients repeat their state soon.
      this.#held.dropped += batch.lengths.length + batch.tooLarge.length;
      return;
    }
    for (const bytes of answer.garbage) this.#needs.onGarbage(bytes);
    this.#nextExpiryAt = answer.nextExpiryAt;
    if (!answer.isChanged) return;
    this.#whole.forgetMade();
    if (this.#channels.whole.size > 0) this.#wholePace.touch();
    if (!answer.changes) return;
    this.#bytes.changes = answer.changes.length;
    this.#channels.changes.broadcast(asBuffer(answer.changes));
  }

  async #broadcastWhole(): Promise<void> {
    const whole = await this.#wholeFrame();
    if (!whole) return;
    this.#bytes.whole = whole.length;
    this.#channels.whole.broadcast(whole);
  }

  #wholeFrame(): Buffer | Promise<Buffer | undefined> {
    return this.#hasStates ? this.#whole.get() : this.#emptyFrame();
  }

  /** Undefined: the thread did not answer. */
  async #ask(
    batch: HeldBatch,
    { isFlush = false, isEncoded = false, isWhole = false },
  ): Promise<AwarenessAnswer | undefined> {
    if (this.#isClosed) return undefined;
    this.#hasStates = true;
    const { now, documents } = this.#needs;
    const times = { now: now(), wallMs: Date.now() };
    const counts = { dropped: this.#held.dropped, since: this.#since };
    try {
      this.#states ??= documents.open(this.#room, {
        subject: 'people',
        onLost: () => this.#lose(),
      });
      const answer = await this.#states.awareness({
        ...batch,
        ...times,
        ...counts,
        isFlush,
        isEncoded,
        isWhole,
      });
      if (this.#isRefused) this.setFollowed(true);
      return answer;
    } catch (error) {
      // Refused for a while: it is unknown who is in the room.
      if (this.#since !== null && error instanceof DocumentError && error.code === 'too_heavy') {
        this.setFollowed(false);
        this.#isRefused = true;
      }
      return undefined;
    }
  }

  /** The thread ended. Clients are unknown until they repeat their states. */
  #lose(): void {
    this.#hasStates = false;
    this.#nextExpiryAt = undefined;
    this.#since &&= new Date().toISOString();
    this.#broadcastCounts();
  }

  /** Sends the other fields with the next frame, or at once if no client is known. */
  #broadcastCounts(): void {
    this.#whole.forget();
    if (this.#hasStates) {
      this.#changesPace.touch();
      return;
    }
    const frame = this.#emptyFrame();
    for (const channel of Object.values(this.#channels)) channel.broadcast(frame);
  }

  #emptyFrame(): Buffer {
    const counts = { leftOut: 0, dropped: this.#held.dropped, since: this.#since };
    return messageFrame(JSON.stringify({ clients: [], ...counts }), { event: 'awareness' });
  }
}
