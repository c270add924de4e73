import { totalmem } from 'node:os';
import { DocumentClient } from './documentClient.js';
import { DocumentError } from './documentErrors.js';
import type { DocumentLimits, FromThread } from './documentProtocol.js';
import { DocumentThread } from './documentThread.js';
import { RoomRefusals } from './roomRefusals.js';

/** Limits of the documents and of their thread. */
export interface DocumentsOptions extends Partial<DocumentLimits> {
  /** Bytes that may wait for one room; default 64 MiB. An idle room accepts one request of any size. */
  readonly maxBacklogBytes?: number;
  /**
   * Longest time for one request; default 30 s, and less for small documents. Then the thread is terminated.
   * A function is asked for each request.
   */
  readonly deadlineMs?: number | (() => number);
  /** Heap of the thread in MB; default 2,048, or a third of the memory if that is less. */
  readonly maxHeapMb?: number;
  /** Rooms that ended a thread. Several threads share one. */
  readonly refusals?: RoomRefusals;
  /** The thread ended while it worked for `room`. For the log only: rooms have their own `onLost`. */
  readonly onThreadLost?: (error: DocumentError, room: string | undefined) => void;
}

const mebibyte = 1024 * 1024;

/** Memory, or the limit of the container. In the worst case a document takes some 60 times its encoded size. */
const memoryBytes = (): number => Math.min(totalmem(), process.constrainedMemory() || Infinity);

const defaultLimits: DocumentLimits = {
  maxRoomBytes: 32 * mebibyte,
  maxTotalBytes: 64 * mebibyte,
  maxPendingBytes: mebibyte / 4,
  maxJsonBytes: 32 * mebibyte,
  maxJsonDepth: 100,
};

/** Deadline in ms for a request about so many bytes: some fifty times what a normal request takes. */
const deadlineFor = (bytes: number): number => 10_000 + (bytes / mebibyte) * 5_000;

/** Part of a room: its document, or its awareness. Each is refused by itself. */
type Subject = 'document' | 'people';

/**
 * The Yjs documents of watched rooms, all in one worker thread, so that no merge blocks the main loop. The thread
 * starts with the first request and handles one at a time; the rooms take turns. If it fails, runs out of memory or
 * misses a deadline, it is terminated and all open documents become empty (`onLost`). The next request starts another
 * thread. The room that caused this is refused for a while.
 */
export class Documents {
  readonly #limits: DocumentLimits;
  readonly #maxBacklogBytes: number;
  readonly #deadlineMs: () => number;
  readonly #maxHeapMb: number;
  readonly #onThreadLost: (error: DocumentError, room: string | undefined) => void;
  readonly #refusals: RoomRefusals;
  readonly #open = new Set<DocumentClient>();
  /** Rooms with requests, in turn. */
  readonly #waiting = new Set<DocumentClient>();
  #thread: DocumentThread | undefined;
  #current: DocumentClient | undefined;
  #lastId = 0;
  #isClosed = false;

  constructor({
    maxBacklogBytes = 64 * mebibyte,
    deadlineMs = 30_000,
    maxHeapMb = Math.min(2_048, Math.floor(memoryBytes() / 3 / mebibyte)),
    onThreadLost = () => undefined,
    refusals = new RoomRefusals(),
    ...limits
  }: DocumentsOptions = {}) {
    this.#limits = { ...defaultLimits, ...limits };
    this.#maxBacklogBytes = maxBacklogBytes;
    this.#deadlineMs = typeof deadlineMs === 'number' ? () => deadlineMs : deadlineMs;
    this.#maxHeapMb = maxHeapMb;
    this.#onThreadLost = onThreadLost;
    this.#refusals = refusals;
  }

  /**
   * An empty document for a room; its owner closes it. `onLost`: the document is empty again and all waiting
   * requests were rejected. Fetch the states of the servers again and merge them.
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
    const document = new DocumentClient(
      room,
      this.#lastId,
      {
        maxBacklogBytes: this.#maxBacklogBytes,
        refusal: () => this.#refusals.of(name),
        onThreadEnded: () => this.#refusals.add(name),
        onRequest: (waiting) => {
          if (waiting !== this.#current) this.#waiting.add(waiting);
          this.#next();
        },
        onClosed: (closed) => {
          this.#open.delete(closed);
          this.#waiting.delete(closed);
          this.#thread?.post({ name: 'close', room: closed.id });
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
      const next = document.take();
      if (next === undefined) continue;
      this.#current = document;
      this.#thread ??= this.#start();
      try {
        const deadlineMs = Math.min(this.#deadlineMs(), deadlineFor(next.bytes));
        this.#thread.request(next.request, next.transfer, deadlineMs);
      } catch (cause) {
        // A buffer was transferred twice.
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
    // To the end of the queue, behind the rooms that waited meanwhile.
    if (document?.settle(answer)) this.#waiting.add(document);
    this.#next();
  }

  #lose(error: DocumentError): void {
    // No room is at fault if the thread could not start, for lack of memory or file descriptors.
    const culprit = this.#thread?.hasStarted ? this.#current : undefined;
    this.#thread = undefined;
    this.#current = undefined;
    this.#waiting.clear();
    const others = new DocumentError(
      'lost',
      `another room's request ended the thread: ${error.message}`,
    );
    // Even if the room was closed meanwhile.
    culprit?.noteThreadEnded();
    for (const document of this.#open) {
      document.lose(document === culprit || culprit === undefined ? error : others);
    }
    this.#onThreadLost(error, culprit?.room);
  }
}
