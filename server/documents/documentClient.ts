import type { Divergence } from '../wire/divergence.js';
import { BadUpdate, DocumentError, toDocumentError } from './documentErrors.js';
import type { DocumentJson } from './documentJson.js';
import type {
  Applied,
  ApplyOutcome,
  AwarenessAnswer,
  AwarenessRequest,
  Bytes,
  FromThread,
  Merged,
  Pending,
  ReadState,
  Request,
  RequestName,
  Requests,
  TooLarge,
} from './documentProtocol.js';
import { ownBytes } from './ownBytes.js';
import type { Kind } from './sharedTypes.js';

interface Job {
  readonly name: RequestName;
  readonly body: object;
  /** Memory that the request holds while it waits. */
  readonly bytes: number;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (answer: never) => void;
  readonly reject: (error: DocumentError) => void;
}

/** The scheduler of all documents, as one of them sees it. */
export interface DocumentClientOwner {
  readonly maxBacklogBytes: number;
  /** Why the room is refused for now; undefined: it is accepted. */
  readonly refusal: () => DocumentError | undefined;
  /** A request of this document ended the thread. */
  readonly onThreadEnded: () => void;
  /** The document has a new request. */
  readonly onRequest: (document: DocumentClient) => void;
  readonly onClosed: (document: DocumentClient) => void;
}

/** Memory of a waiting request beside its bytes. */
const jobBytes = 256;
/** Updates that go to the thread together. More would keep other rooms waiting. */
const maxBatchJobs = 256;
const maxBatchBytes = 1024 * 1024;

/**
 * The main thread's side of one open room: a queue of requests to its document, which lives in the thread of
 * `Documents`. Requests are answered in order. They reject with a `DocumentError`, which never becomes an unhandled
 * rejection.
 */
export class DocumentClient {
  readonly room: string;
  /** Number of this document in the thread; never reused. */
  readonly id: number;
  readonly #owner: DocumentClientOwner;
  readonly #onLost: (error: DocumentError) => void;
  readonly #queue: Job[] = [];
  #inFlight: readonly Job[] = [];
  #backlogBytes = 0;
  /** Estimated size of the document. */
  #bytes = 0;
  #isClosed = false;

  constructor(
    room: string,
    id: number,
    owner: DocumentClientOwner,
    onLost: (error: DocumentError) => void,
  ) {
    this.room = room;
    this.id = id;
    this.#owner = owner;
    this.#onLost = onLost;
  }

  /** Bytes of waiting and current requests. */
  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  /**
   * Merges the whole state of one server (one update, v1), and remembers what it held for `divergence`. The buffer of
   * the state moves to the thread, unless it is part of a larger one. Rejects with `bad_update`. `tooLarge` brings the
   * state back; the room then has no document until it is closed.
   */
  merge(state: Uint8Array, from: string): Promise<Merged | TooLarge> {
    // Also a state whose buffer has moved already.
    if (state.byteLength === 0) return this.#quiet(Promise.reject(new BadUpdate('no bytes')));
    const bytes = ownBytes(state);
    return this.#request('merge', { state: bytes, from }, bytes.byteLength, [bytes.buffer]);
  }

  /** Reads a state as `merge` would, without merging it. The state moves to the thread and comes back. */
  check(state: Uint8Array): Promise<ReadState & { state: Bytes }> {
    if (state.byteLength === 0) return this.#quiet(Promise.reject(new BadUpdate('no bytes')));
    const bytes = ownBytes(state);
    return this.#request('check', { state: bytes }, bytes.byteLength, [bytes.buffer]);
  }

  /** Applies a copy of an update. Rejects with `BadUpdate` if it is not one, and changes nothing. */
  apply(update: Uint8Array): Promise<Applied> {
    const refusal = this.#refusal(update.byteLength);
    if (refusal) return this.#quiet(Promise.reject(refusal));
    const bytes: Bytes = new Uint8Array(update);
    return this.#request('apply', { update: bytes }, bytes.byteLength, [bytes.buffer]);
  }

  /** The document as JSON text (UTF-8): see `documentJson`. Rejects with `too_large` if there is none. */
  toJson({ types = {} }: { types?: Readonly<Record<string, Kind>> } = {}): Promise<DocumentJson> {
    return this.#request('toJson', { types });
  }

  /** The document as one update (v1), with the updates that wait in it. Rejects with `too_large`. */
  encode(): Promise<Uint8Array> {
    return this.#quiet(this.#request('encode', { isText: false }).then(({ update }) => update));
  }

  /** The same in base64, as ASCII bytes. Encoding a large document here would block the main loop. */
  encodeBase64(): Promise<Uint8Array> {
    return this.#quiet(this.#request('encode', { isText: true }).then(({ update }) => update));
  }

  /** The document's encoded state vector. Rejects with `too_large`. */
  stateVector(): Promise<Uint8Array> {
    return this.#quiet(this.#request('stateVector', {}).then(({ stateVector }) => stateVector));
  }

  /** What each server misses, by the states merged last: of these servers, or of all. */
  divergence(servers?: readonly string[]): Promise<Divergence[]> {
    return this.#request('divergence', { servers });
  }

  /** Drops updates that still wait after all states were merged. */
  dropPending(): Promise<Pending> {
    return this.#request('dropPending', {});
  }

  /** Applies awareness updates, whose buffer moves to the thread. A document is used either for this or for the rest. */
  awareness(request: AwarenessRequest): Promise<AwarenessAnswer> {
    const { updates } = request;
    return this.#request('awareness', request, updates.byteLength, [updates.buffer]);
  }

  /** Frees the document. Waiting requests reject with `closed`. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#rejectAll(new DocumentError('closed', 'the room was closed'));
    this.#owner.onClosed(this);
  }

  /** For the scheduler: the next request, with updates in one batch. `bytes`: how much the thread has to read for it. */
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
      // Only `#request` makes jobs, so the body fits the name.
      request: { ...body, name: first.name, room: this.id } as unknown as Request,
      transfer: jobs.flatMap(({ transfer }) => transfer),
      bytes: jobs.reduce((sum, { bytes }) => sum + bytes, this.#bytes),
    };
  }

  /** For the scheduler: the answer to the request that it took. Returns whether there are more requests. */
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
    if (answer.isLost) this.lose(new DocumentError('lost', 'the document was discarded'));
    return this.#queue.length > 0;
  }

  /** For the scheduler: the current request ended the thread. */
  noteThreadEnded(): void {
    this.#owner.onThreadEnded();
  }

  /** For the scheduler: the document is gone. */
  lose(error: DocumentError): void {
    if (this.#isClosed) return;
    this.#bytes = 0;
    this.#rejectAll(error);
    // In a task of its own: if it throws, other documents are not affected.
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
    const refusal = this.#owner.refusal();
    if (refusal) return refusal;
    const total = this.#backlogBytes + jobBytes + bytes;
    // An idle room accepts any size: the caller bounds what a server may answer.
    if (this.#backlogBytes === 0 || total <= this.#owner.maxBacklogBytes) return undefined;
    return new DocumentError('backlog', `${this.#backlogBytes} bytes are waiting already`);
  }

  #request<N extends RequestName>(
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
        this.#owner.onRequest(this);
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
