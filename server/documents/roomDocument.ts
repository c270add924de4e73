import type { Divergence } from '../wire/divergence.js';
import { BadUpdate, DocumentError, toDocumentError } from './documentErrors.js';
import type {
  Applied,
  ApplyOutcome,
  AwarenessAnswer,
  AwarenessRequest,
  Bytes,
  FromThread,
  Gap,
  Merged,
  Read,
  Request,
  RequestName,
  Requests,
  TooLarge,
} from './documentProtocol.js';
import type { Kind } from './sharedTypes.js';

interface Job {
  readonly name: RequestName;
  readonly body: object;
  /** What it holds while it waits. */
  readonly bytes: number;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (answer: never) => void;
  readonly reject: (error: DocumentError) => void;
}

/** What a room's document needs of the one that schedules all of them. */
export interface RoomDocumentOwner {
  readonly maxBacklogBytes: number;
  /** Why the document is not worked on for now. */
  readonly refusal: () => DocumentError | undefined;
  /** What the document asked ended the thread. */
  readonly onGuilty: () => void;
  /** The document has something to ask. */
  readonly onAsked: (document: RoomDocument) => void;
  readonly onClosed: (document: RoomDocument) => void;
}

// What a waiting request costs beside its bytes.
const jobBytes = 256;
// Updates that go to the thread together; more would make others wait.
const maxBatchJobs = 256;
const maxBatchBytes = 1024 * 1024;

// The bytes in a buffer of their own: a part of a pool must be copied.
const owned = (bytes: Uint8Array): Bytes =>
  bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength
    ? (bytes as Bytes)
    : new Uint8Array(bytes);

/**
 * The document of one open room, which lives in the thread of `Documents`. Requests are answered in order.
 * Every one rejects with a `DocumentError`; a rejection that nobody looks at is not an unhandled one.
 */
export class RoomDocument {
  readonly room: string;
  /** Number of this document in the thread; never reused. */
  readonly id: number;
  readonly #owner: RoomDocumentOwner;
  readonly #onLost: (error: DocumentError) => void;
  readonly #queue: Job[] = [];
  #inFlight: readonly Job[] = [];
  #backlogBytes = 0;
  // About the size of the document.
  #bytes = 0;
  #isClosed = false;

  constructor(
    room: string,
    id: number,
    owner: RoomDocumentOwner,
    onLost: (error: DocumentError) => void,
  ) {
    this.room = room;
    this.id = id;
    this.#owner = owner;
    this.#onLost = onLost;
  }

  /** Bytes that wait or are being worked on. */
  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  /**
   * Merges the whole state of one server (one update, v1), and keeps what it held for `divergence`. The state
   * is given away: its buffer moves to the thread, unless it is a part of a bigger one. Rejects with `bad_update`.
   * `tooLarge` brings the state back; from then on, until it is closed, the room has no document.
   */
  merge(state: Uint8Array, from: string): Promise<Merged | TooLarge> {
    // Also what was given away before: its buffer has moved.
    if (state.byteLength === 0) return this.#quiet(Promise.reject(new BadUpdate('no bytes')));
    const bytes = owned(state);
    return this.#ask('merge', { state: bytes, from }, bytes.byteLength, [bytes.buffer]);
  }

  /** Reads a state as `merge` would, and merges nothing. The state is given away, and comes back. */
  check(state: Uint8Array): Promise<Read & { state: Bytes }> {
    if (state.byteLength === 0) return this.#quiet(Promise.reject(new BadUpdate('no bytes')));
    const bytes = owned(state);
    return this.#ask('check', { state: bytes }, bytes.byteLength, [bytes.buffer]);
  }

  /** Applies an update (a copy of it). Rejects with `BadUpdate` when it is none, which changes nothing. */
  apply(update: Uint8Array): Promise<Applied> {
    const refusal = this.#refusal(update.byteLength);
    if (refusal) return this.#quiet(Promise.reject(refusal));
    const bytes: Bytes = new Uint8Array(update);
    return this.#ask('apply', { update: bytes }, bytes.byteLength, [bytes.buffer]);
  }

  /** The document as JSON text (UTF-8): see `documentJson`. Rejects with `too_large` when there is none. */
  toJson({ types = {} }: { types?: Readonly<Record<string, Kind>> } = {}): Promise<{
    json: Bytes;
    isTruncated: boolean;
  }> {
    return this.#ask('toJson', { types });
  }

  /** The document as one update (v1), with what waits for missing updates. Rejects with `too_large`. */
  encode(): Promise<Uint8Array> {
    return this.#quiet(this.#ask('encode', { isText: false }).then(({ update }) => update));
  }

  /** The same in base64, as ASCII bytes: for a big document that would hold up the main loop. */
  encodeBase64(): Promise<Uint8Array> {
    return this.#quiet(this.#ask('encode', { isText: true }).then(({ update }) => update));
  }

  /** The document's encoded state vector. Rejects with `too_large`. */
  stateVector(): Promise<Uint8Array> {
    return this.#quiet(this.#ask('stateVector', {}).then(({ stateVector }) => stateVector));
  }

  /** What each server misses, by the states merged last; of all servers, or only of these. */
  divergence(servers?: readonly string[]): Promise<Divergence[]> {
    return this.#ask('divergence', { servers });
  }

  /** Forgets updates that wait for others, once all states were merged and they still wait. */
  dropPending(): Promise<Gap> {
    return this.#ask('dropPending', {});
  }

  /** Who is in the room, by awareness updates, which are given away. Its owner asks for nothing else. */
  awareness(request: AwarenessRequest): Promise<AwarenessAnswer> {
    const { updates } = request;
    return this.#ask('awareness', request, updates.byteLength, [updates.buffer]);
  }

  /** Frees the document; what waits is rejected with `closed`. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#rejectAll(new DocumentError('closed', 'the room was closed'));
    this.#owner.onClosed(this);
  }

  /** For the scheduler: what to ask next, updates together; `bytes`: what has to be gone through for it. */
  take(): { request: Request; transfer: ArrayBuffer[]; bytes: number } | undefined {
    const first = this.#queue.shift();
    if (first === undefined) return undefined;
    const jobs = [first];
    if (first.name === 'apply') this.#gather(jobs);
    this.#inFlight = jobs;
    const body =
      first.name === 'apply'
        ? { updates: jobs.map(({ body }) => (body as { update: Bytes }).update) }
        : first.body;
    return {
      // The body belongs to the name: `#ask` is the only one that makes jobs.
      request: { ...body, name: first.name, room: this.id } as unknown as Request,
      transfer: jobs.flatMap(({ transfer }) => transfer),
      bytes: jobs.reduce((sum, { bytes }) => sum + bytes, this.#bytes),
    };
  }

  /** For the scheduler: the answer to what it took; tells whether there is more to ask. */
  settle(answer: Exclude<FromThread, { type: 'ready' }>): boolean {
    const jobs = this.#inFlight;
    this.#inFlight = [];
    for (const { bytes } of jobs) this.#backlogBytes -= bytes;
    if (answer.type === 'refused') {
      for (const { reject } of jobs) reject(toDocumentError(answer.code, answer.message));
    } else if (jobs[0]?.name === 'apply') {
      for (const { bytes } of jobs) this.#bytes += bytes;
      settleEach(jobs, answer.answer as readonly ApplyOutcome[]);
    } else {
      if (jobs[0]?.name === 'merge') {
        const merged = answer.answer as Merged | TooLarge;
        this.#bytes = merged.type === 'merged' ? merged.bytes : merged.state.byteLength;
      }
      jobs[0]?.resolve(answer.answer as never);
    }
    if (answer.isLost) this.lose(new DocumentError('lost', 'the document was given up'));
    return this.#queue.length > 0;
  }

  /** For the scheduler: what it asked ended the thread. */
  blame(): void {
    this.#owner.onGuilty();
  }

  /** For the scheduler: the document is gone. */
  lose(error: DocumentError): void {
    if (this.#isClosed) return;
    this.#bytes = 0;
    this.#rejectAll(error);
    // By itself, so that what it throws breaks nobody else's document.
    queueMicrotask(() => {
      if (!this.#isClosed) this.#onLost(error);
    });
  }

  #gather(jobs: Job[]): void {
    let bytes = jobs[0]?.bytes ?? 0;
    while (jobs.length < maxBatchJobs) {
      const next = this.#queue[0];
      if (next?.name !== 'apply' || bytes + next.bytes > maxBatchBytes) return;
      bytes += next.bytes;
      this.#queue.shift();
      jobs.push(next);
    }
  }

  #refusal(bytes: number): DocumentError | undefined {
    if (this.#isClosed) return new DocumentError('closed', 'the room was closed');
    const heavy = this.#owner.refusal();
    if (heavy) return heavy;
    const total = this.#backlogBytes + jobBytes + bytes;
    // An idle room takes anything: the caller bounds what one answer of a server may have.
    if (this.#backlogBytes === 0 || total <= this.#owner.maxBacklogBytes) return undefined;
    return new DocumentError('backlog', `${this.#backlogBytes} bytes wait already`);
  }

  #ask<N extends RequestName>(
    name: N,
    body: N extends 'apply' ? { update: Bytes } : Requests[N]['request'],
    size = 0,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<N extends 'apply' ? Applied : Requests[N]['answer']> {
    return this.#quiet(
      new Promise((resolve, reject) => {
        const refusal = this.#refusal(size);
        if (refusal) return reject(refusal);
        const bytes = size + jobBytes;
        this.#backlogBytes += bytes;
        this.#queue.push({ name, body, bytes, transfer, resolve, reject });
        this.#owner.onAsked(this);
      }),
    );
  }

  #rejectAll(error: DocumentError): void {
    const jobs = [...this.#inFlight, ...this.#queue.splice(0)];
    this.#inFlight = [];
    this.#backlogBytes = 0;
    for (const { reject } of jobs) reject(error);
  }

  #quiet<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => undefined);
    return promise;
  }
}

function settleEach(jobs: readonly Job[], outcomes: readonly ApplyOutcome[]): void {
  for (const [i, { resolve, reject }] of jobs.entries()) {
    const outcome = outcomes[i];
    if (outcome && 'applied' in outcome) resolve(outcome.applied as never);
    else if (outcome) reject(toDocumentError(outcome.code, outcome.message));
    else reject(new DocumentError('lost', 'the thread did not answer'));
  }
}
