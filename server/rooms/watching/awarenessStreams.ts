import { DocumentError } from '../../documents/documentErrors.js';
import type { AwarenessAnswer, Bytes } from '../../documents/documentProtocol.js';
import type { Documents } from '../../documents/documents.js';
import type { RoomDocument } from '../../documents/roomDocument.js';
import { Channel } from '../../sse/channel.js';
import { messageFrame } from '../../sse/frames.js';
import type { Viewer } from '../../sse/viewer.js';
import { Pace } from '../../timing/pace.js';
import { HeldAwareness, type HeldBatch } from './heldAwareness.js';

/** How a viewer is told who is in a room: everybody each time, or everybody once and then who changed. */
export type AwarenessView = 'whole' | 'changes';

/** What the awareness of a room needs of the rest of the service. */
export interface AwarenessStreamsNeeds {
  documents: Documents;
  frameIntervalMs: number;
  /** Milliseconds of a clock that only grows. */
  now: () => number;
  /** Told of messages that are no awareness update. */
  onGarbage: (bytes: number) => void;
}

/** What frames of awareness may cost a viewer. */
const maxBytesPerMs = 1000;
const expiryMs = 1000;
/** Of what may wait for a viewer: the rest is for the document, which costs more to send again. */
const maxPendingBytes = 256 * 1024;

// Its buffer is given away, too.
const nothing = (): HeldBatch => ({ updates: new Uint8Array(0), lengths: [], tooLarge: [] });

/**
 * Who is in a watched room, for its viewers: read and encoded in the documents' thread, at most once in a
 * frame interval. It has channels of its own: a viewer that misses a frame of these gets no document again.
 */
export class AwarenessStreams {
  readonly #room: string;
  readonly #needs: AwarenessStreamsNeeds;
  readonly #held = new HeldAwareness();
  readonly #channels: Readonly<Record<AwarenessView, Channel>>;
  readonly #changesPace: Pace;
  readonly #wholePace: Pace;
  /** Looks for people who have not been heard of for too long. */
  readonly #expiry: NodeJS.Timeout;
  /** Whoever is in the room, in the documents' thread. */
  #people: RoomDocument | undefined;
  /** Whether the thread was told of anything; if not, nobody is known. */
  #isAsked = false;
  /** Announcements are followed, and not read for now. */
  #isRefused = false;
  #isClosed = false;
  #since: string | null = null;
  #nextExpiryAt: number | undefined;
  /** Of the last frame, by which the next one is paced. */
  #bytes = { changes: 0, whole: 0 };
  /** Everybody, while that is made, and afterwards while nothing has changed and somebody reads it. */
  #making: Promise<Buffer | undefined> | undefined;
  #whole: WeakRef<Buffer> | undefined;

  constructor(room: string, needs: AwarenessStreamsNeeds) {
    this.#room = room;
    this.#needs = needs;
    const channel = () => new Channel(() => this.#everybody(), { maxPendingBytes });
    this.#channels = { whole: channel(), changes: channel() };
    const pace = (view: AwarenessView, flush: () => Promise<void>) =>
      new Pace(flush, () => Math.max(needs.frameIntervalMs, this.#bytes[view] / maxBytesPerMs));
    this.#changesPace = pace('changes', () => this.#flush());
    this.#wholePace = pace('whole', () => this.#tellWhole());
    this.#expiry = setInterval(() => this.#expire(), expiryMs);
  }

  /** Adds a viewer, which is told at once who is here, or as soon as the thread has said so. */
  add(viewer: Viewer, view: AwarenessView): void {
    this.#channels[view].addBehind(viewer);
  }

  remove(viewer: Viewer): void {
    for (const channel of Object.values(this.#channels)) channel.remove(viewer);
  }

  /** Takes a message of the room's presence channel. */
  take(update: Uint8Array): void {
    if (this.#isClosed) return;
    this.#held.hold(update);
    this.#changesPace.touch();
  }

  /** Announcements are followed from now on, or no longer: then nothing is known of who comes and goes. */
  setFollowed(isFollowed: boolean): void {
    this.#isRefused = false;
    if (isFollowed === (this.#since !== null)) return;
    this.#since = isFollowed ? new Date().toISOString() : null;
    this.#tellAbout();
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
    this.#people?.close();
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
      // It was refused, or the thread has ended: the next announcement of each brings it.
      this.#held.dropped += batch.lengths.length + batch.tooLarge.length;
      return;
    }
    for (const bytes of answer.garbage) this.#needs.onGarbage(bytes);
    this.#nextExpiryAt = answer.nextExpiryAt;
    if (!answer.isChanged) return;
    this.#whole = undefined;
    if (this.#channels.whole.size > 0) this.#wholePace.touch();
    if (!answer.changes) return;
    this.#bytes.changes = answer.changes.length;
    this.#channels.changes.broadcast(asBuffer(answer.changes));
  }

  async #tellWhole(): Promise<void> {
    const whole = await this.#everybody();
    if (!whole) return;
    this.#bytes.whole = whole.length;
    this.#channels.whole.broadcast(whole);
  }

  #everybody(): Buffer | Promise<Buffer | undefined> {
    if (!this.#isAsked) return this.#nobody();
    const known = this.#whole?.deref();
    if (known) return known;
    if (this.#making) return this.#making;
    const making = this.#makeWhole().finally(() => {
      if (this.#making === making) this.#making = undefined;
    });
    this.#making = making;
    return making;
  }

  async #makeWhole(): Promise<Buffer | undefined> {
    const answer = await this.#ask(nothing(), { isWhole: true });
    if (!answer?.whole) return undefined;
    const whole = asBuffer(answer.whole);
    this.#whole = new WeakRef(whole);
    return whole;
  }

  /** Undefined: there is no answer. */
  async #ask(
    batch: HeldBatch,
    { isFlush = false, isEncoded = false, isWhole = false },
  ): Promise<AwarenessAnswer | undefined> {
    if (this.#isClosed) return undefined;
    this.#isAsked = true;
    const { now, documents } = this.#needs;
    const about = { now: now(), dropped: this.#held.dropped, since: this.#since };
    try {
      this.#people ??= documents.open(this.#room, {
        subject: 'people',
        onLost: () => this.#lose(),
      });
      const answer = await this.#people.awareness({
        ...batch,
        ...about,
        isFlush,
        isEncoded,
        isWhole,
      });
      if (this.#isRefused) this.setFollowed(true);
      return answer;
    } catch (error) {
      // Nothing is read for now, so nothing is known of who is here.
      if (this.#since !== null && error instanceof DocumentError && error.code === 'too_heavy') {
        this.setFollowed(false);
        this.#isRefused = true;
      }
      return undefined;
    }
  }

  /** The thread has ended: nobody is known until they announce themselves again. */
  #lose(): void {
    this.#isAsked = false;
    this.#nextExpiryAt = undefined;
    this.#since &&= new Date().toISOString();
    this.#tellAbout();
  }

  /** Tells everybody what is known beside the people, or that nobody is known. */
  #tellAbout(): void {
    this.#whole = undefined;
    this.#making = undefined;
    if (this.#isAsked) {
      this.#changesPace.touch();
      return;
    }
    const nobody = this.#nobody();
    for (const channel of Object.values(this.#channels)) channel.broadcast(nobody);
  }

  #nobody(): Buffer {
    const about = { leftOut: 0, dropped: this.#held.dropped, since: this.#since };
    return messageFrame(JSON.stringify({ clients: [], ...about }), { event: 'awareness' });
  }
}

const asBuffer = ({ buffer, byteOffset, length }: Bytes) => Buffer.from(buffer, byteOffset, length);
