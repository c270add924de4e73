import { totalmem } from 'node:os';
import { DocumentError } from './documentErrors.js';
import type { DocumentLimits, FromThread } from './documentProtocol.js';
import { DocumentThread } from './documentThread.js';
import { RoomDocument } from './roomDocument.js';
import { RoomRefusals } from './roomRefusals.js';

/** Limits of the documents and of their thread; every one has a default. */
export type DocumentsOptions = Partial<DocumentLimits> & {
  /** Bytes that may wait for one room; default 64 MiB. An idle room takes one request of any size. */
  readonly maxBacklogBytes?: number;
  /**
   * The most that one request may take, in ms; default 30 s, and less for small documents, see `timeFor`. Then the
   * thread is ended.
   */
  readonly deadlineMs?: number;
  /** Heap of the thread, in MB; default 2,048, or a third of the memory when that is less. */
  readonly maxHeapMb?: number;
  /** Rooms that ended a thread; whoever has several threads has one of these for all. */
  readonly refusals?: RoomRefusals;
  /** The thread ended; `room` asked for what it was doing. To be logged: the rooms hear of it by themselves. */
  readonly onThreadLost?: (error: DocumentError, room: string | undefined) => void;
};

const mebi = 1024 * 1024;

// A container's limit, where there is one. Worst case, a document takes some 60 times its encoded size.
const memoryBytes = (): number => Math.min(totalmem(), process.constrainedMemory() || Infinity);

const defaultLimits: DocumentLimits = {
  maxRoomBytes: 32 * mebi,
  maxTotalBytes: 64 * mebi,
  maxPendingBytes: mebi / 4,
  maxJsonBytes: 32 * mebi,
  maxJsonDepth: 100,
};

/** What requests about so many bytes may take, in ms: some fifty times what they take when they are sound. */
const timeFor = (bytes: number): number => 10_000 + (bytes / mebi) * 5_000;

/** What a room's requests are about: its document, or who is in it. One can be refused without the other. */
type Subject = 'document' | 'people';

/**
 * The Yjs documents of watched rooms, all in one worker thread, so that no merge blocks the main loop. The thread
 * starts with the first request. When it fails, runs out of memory or takes too long, it is ended, all open
 * documents are empty (`onLost`) and the next request starts another: whoever fetches again paces it. The room that
 * asked for what ended it is refused for a while. One request is worked on at a time, and the rooms take turns.
 */
export class Documents {
  readonly #limits: DocumentLimits;
  readonly #maxBacklogBytes: number;
  readonly #deadlineMs: number;
  readonly #maxHeapMb: number;
  readonly #onThreadLost: (error: DocumentError, room: string | undefined) => void;
  readonly #refusals: RoomRefusals;
  readonly #open = new Set<RoomDocument>();
  // Rooms with something to ask, in turn.
  readonly #waiting = new Set<RoomDocument>();
  #thread: DocumentThread | undefined;
  #current: RoomDocument | undefined;
  #lastId = 0;
  #isClosed = false;

  constructor({
    maxBacklogBytes = 64 * mebi,
    deadlineMs = 30_000,
    maxHeapMb = Math.min(2_048, Math.floor(memoryBytes() / 3 / mebi)),
    onThreadLost = () => undefined,
    refusals = new RoomRefusals(),
    ...limits
  }: DocumentsOptions = {}) {
    this.#limits = { ...defaultLimits, ...limits };
    this.#maxBacklogBytes = maxBacklogBytes;
    this.#deadlineMs = deadlineMs;
    this.#maxHeapMb = maxHeapMb;
    this.#onThreadLost = onThreadLost;
    this.#refusals = refusals;
  }

  /**
   * An empty document for a room; its owner closes it. `onLost`: the document is empty again, and every request
   * that waited was rejected: fetch the servers' states and merge them.
   */
  open(
    room: string,
    {
      onLost = () => undefined,
      subject = 'document',
    }: { onLost?: (error: DocumentError) => void; subject?: Subject } = {},
  ) {
    if (this.#isClosed) throw new DocumentError('closed', 'documents are closed');
    this.#lastId += 1;
    const name = `${subject} ${room}`;
    const document = new RoomDocument(
      room,
      this.#lastId,
      {
        maxBacklogBytes: this.#maxBacklogBytes,
        refusal: () => this.#refusals.of(name),
        onGuilty: () => this.#refusals.note(name),
        onAsked: (asking) => {
          if (asking !== this.#current) this.#waiting.add(asking);
          this.#next();
        },
        onClosed: (closed) => {
          this.#open.delete(closed);
          this.#waiting.delete(closed);
          this.#thread?.tell({ name: 'close', room: closed.id });
        },
      },
      onLost,
    );
    this.#open.add(document);
    return document;
  }

  /** Closes every room and ends the thread. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const document of this.#open) document.close();
    await this.#thread?.end();
    this.#thread = undefined;
  }

  #next(): void {
    if (this.#current) return;
    for (const document of this.#waiting) {
      this.#waiting.delete(document);
      const asked = document.take();
      if (asked === undefined) continue;
      this.#current = document;
      this.#thread ??= this.#start();
      try {
        const deadlineMs = Math.min(this.#deadlineMs, timeFor(asked.bytes));
        this.#thread.ask(asked.request, asked.transfer, deadlineMs);
      } catch (cause) {
        // A buffer that was given away twice.
        const message = `not posted: ${cause}`;
        this.#settle({ type: 'refused', code: 'bad_update', message, isLost: false });
      }
      return;
    }
  }

  #start(): DocumentThread {
    return new DocumentThread({
      limits: this.#limits,
      maxHeapMb: this.#maxHeapMb,
      onAnswer: (answer) => this.#settle(answer),
      onLost: (error) => this.#lose(error),
    });
  }

  #settle(answer: Exclude<FromThread, { type: 'ready' }>): void {
    const document = this.#current;
    this.#current = undefined;
    // It goes to the end of the row, behind those that waited meanwhile.
    if (document?.settle(answer)) this.#waiting.add(document);
    this.#next();
  }

  #lose(error: DocumentError): void {
    // A thread that cannot start, for want of memory or of file descriptors, is no room's fault.
    const culprit = this.#thread?.hasStarted ? this.#current : undefined;
    this.#thread = undefined;
    this.#current = undefined;
    this.#waiting.clear();
    const others = new DocumentError(
      'lost',
      `another room's request ended the thread: ${error.message}`,
    );
    // A room that was closed meanwhile is as guilty.
    culprit?.blame();
    for (const document of this.#open) {
      document.lose(document === culprit || culprit === undefined ? error : others);
    }
    this.#onThreadLost(error, culprit?.room);
  }
}
