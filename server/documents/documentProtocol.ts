import type { ClockRange, Divergence, Lacking } from '../wire/divergence.js';
import type { UpdateSummary } from '../wire/logEntry.js';
import type { DocumentErrorCode } from './documentErrors.js';
import type { Kind } from './sharedTypes.js';

/** Bytes that can move between threads instead of being copied. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** How big documents and what is made of them may get, in bytes of their encoding. */
export interface DocumentLimits {
  /** Above it a room has no document and no JSON. */
  readonly maxRoomBytes: number;
  /** All documents together. */
  readonly maxTotalBytes: number;
  /** Updates of one room that wait for others that they depend on; above it they are dropped. */
  readonly maxPendingBytes: number;
  readonly maxJsonBytes: number;
  readonly maxJsonDepth: number;
}

/** Updates that cannot be applied because others are missing; ask the servers for their states again. */
export interface Gap {
  readonly pendingBytes: number;
  /** Bytes that waited and were dropped by this request. */
  readonly droppedBytes: number;
}

/** What a document did not have; for a large document only the first ranges. */
export interface News {
  readonly structs: readonly ClockRange[];
  readonly deletions: readonly ClockRange[];
}

/** What was read of a state; `waiting`: what its server waits for to apply updates that it has. */
export interface Read {
  readonly waiting: Lacking | undefined;
}

/** A state was merged; `isChanged` says whether it brought anything new. `bytes` is about the document's size. */
export type Merged = Gap &
  Read & {
    readonly type: 'merged';
    readonly isChanged: boolean;
    /** What it brought; nothing is listed of the first state. */
    readonly news: News;
    readonly bytes: number;
  };

/** The room is over its limit; `state` is the state that was given, to be passed on unmerged. */
export interface TooLarge extends Read {
  readonly type: 'tooLarge';
  readonly state: Bytes;
}

/** What an update was; `isApplied` is false in a room without a document. */
export type Applied = UpdateSummary &
  Gap & { readonly isApplied: boolean; readonly isChanged: boolean };

/** One update's own end: a bad one does not fail those beside it. */
export type ApplyOutcome =
  | { readonly applied: Applied }
  | { readonly code: DocumentErrorCode; readonly message: string };

/** Awareness updates of a room, and what is wanted of who is in it then. */
export interface AwarenessRequest {
  /** The updates, one behind the other, and the length of each. */
  readonly updates: Bytes;
  readonly lengths: readonly number[];
  /** Who announced a state that is too large to be read. */
  readonly tooLarge: readonly { client: number; clock: number; bytes: number }[];
  /** Milliseconds of a clock that only grows. */
  readonly now: number;
  /** Told with each frame: updates that were not read, and since when updates have been followed (ISO 8601). */
  readonly dropped: number;
  readonly since: string | null;
  /** What changed since the last flush is told; `isEncoded`: as a frame. */
  readonly isFlush: boolean;
  readonly isEncoded: boolean;
  /** A frame with everybody is wanted. */
  readonly isWhole: boolean;
}

/** Frames of an event stream, ready to be sent. */
export interface AwarenessAnswer {
  /** Lengths of the updates that are none. */
  readonly garbage: readonly number[];
  readonly isChanged: boolean;
  readonly changes?: Bytes;
  readonly whole?: Bytes;
  /** When somebody has to be gone who does not renew their state; on the clock of `now`. */
  readonly nextExpiryAt: number | undefined;
}

/** What the thread is asked, by name. `room` is the number of an open document. */
export interface Requests {
  merge: { request: { state: Bytes; from: string }; answer: Merged | TooLarge };
  /** Reads a state without merging it; `state` is the state that was given. */
  check: { request: { state: Bytes }; answer: Read & { state: Bytes } };
  apply: { request: { updates: readonly Bytes[] }; answer: readonly ApplyOutcome[] };
  toJson: {
    request: { types: Readonly<Record<string, Kind>> };
    answer: { json: Bytes; isTruncated: boolean };
  };
  /** `isText`: the update in base64, as ASCII, made where it holds up nobody. */
  encode: { request: { isText: boolean }; answer: { update: Bytes } };
  stateVector: { request: object; answer: { stateVector: Bytes } };
  divergence: { request: { servers: readonly string[] | undefined }; answer: Divergence[] };
  dropPending: { request: object; answer: Gap };
  /** Not of a document: the number stands for who is in a room. */
  awareness: { request: AwarenessRequest; answer: AwarenessAnswer };
}

export type RequestName = keyof Requests;

/** A request as it is posted. */
export type Request = {
  [N in RequestName]: { readonly name: N; readonly room: number } & Requests[N]['request'];
}[RequestName];

/** What is posted to the thread: a request, which is answered, or the end of a document, which is not. */
export type ToThread = Request | { readonly name: 'close'; readonly room: number };

/** What the thread posts: that it listens, then one message for each request. `isLost`: the document was given up. */
export type FromThread =
  | { readonly type: 'ready' }
  | {
      readonly type: 'answered';
      readonly answer: Requests[RequestName]['answer'];
      readonly isLost: boolean;
    }
  | {
      readonly type: 'refused';
      readonly code: DocumentErrorCode;
      readonly message: string;
      readonly isLost: boolean;
    };
