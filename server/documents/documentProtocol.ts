import type { ClockRange, Divergence, MissingRanges } from '../wire/divergence.js';
import type { UpdateSummary } from '../wire/logEntry.js';
import type { DocumentErrorCode } from './documentErrors.js';
import type { DocumentJson } from './documentJson.js';
import type { Kind } from './sharedTypes.js';

/** Bytes that can move between threads instead of being copied. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Size limits of documents and of their JSON, in encoded bytes. */
export interface DocumentLimits {
  /** A larger room has no document and no JSON. */
  readonly maxRoomBytes: number;
  /** Limit of all documents together. */
  readonly maxTotalBytes: number;
  /** Updates of one room that wait for missing ones. They are dropped above this size. */
  readonly maxPendingBytes: number;
  readonly maxJsonBytes: number;
  readonly maxJsonDepth: number;
}

/** Updates that wait for missing ones. The servers should be asked for their states again. */
export interface Pending {
  readonly pendingBytes: number;
  /** Waiting bytes that this request dropped. */
  readonly droppedBytes: number;
}

/** Elements and deletions that a merge added to the document; the first ranges of each. */
export interface AddedRanges {
  readonly structs: readonly ClockRange[];
  readonly deletions: readonly ClockRange[];
}

/** A state that was read. `waiting`: what is missing before its server can apply the updates that it keeps back. */
export interface ReadState {
  readonly waiting: MissingRanges | undefined;
}

/** A state was merged. */
export interface Merged extends Pending, ReadState {
  readonly type: 'merged';
  readonly isChanged: boolean;
  /** Empty for the first state. */
  readonly added: AddedRanges;
  /** Estimated size of the document. */
  readonly bytes: number;
}

/** The room is over its limit. `state` comes back unmerged. */
export interface TooLarge extends ReadState {
  readonly type: 'tooLarge';
  readonly state: Bytes;
}

/** An update and its effect. `isApplied` is false in a room without a document. */
export interface Applied extends UpdateSummary, Pending {
  readonly isApplied: boolean;
  readonly isChanged: boolean;
}

/** Result of one update in a batch: a bad update does not fail the others. */
export type ApplyOutcome =
  | { readonly applied: Applied }
  | { readonly code: DocumentErrorCode; readonly message: string };

/** Awareness updates of a room, and which frames to make afterwards. */
export interface AwarenessRequest {
  /** The concatenated updates, and the length of each. */
  readonly updates: Bytes;
  readonly lengths: readonly number[];
  /** Clients whose state is too large to be read. */
  readonly tooLarge: readonly { client: number; clock: number; bytes: number }[];
  /** Milliseconds of a monotonic clock. */
  readonly now: number;
  /** The same moment in milliseconds since 1970. */
  readonly wallMs: number;
  /** Sent with each frame: how many updates were dropped unread, and since when updates are followed (ISO 8601). */
  readonly dropped: number;
  readonly since: string | null;
  /** Collect the changes since the last flush; `isEncoded`: as a frame too. */
  readonly isFlush: boolean;
  readonly isEncoded: boolean;
  /** Make a frame with all clients. */
  readonly isWhole: boolean;
}

/** Frames of an event stream, ready to send. */
export interface AwarenessAnswer {
  /** Lengths of the messages that are no awareness updates. */
  readonly garbage: readonly number[];
  readonly isChanged: boolean;
  readonly changes?: Bytes;
  readonly whole?: Bytes;
  /** When the next client expires, on the clock of `now`. */
  readonly nextExpiryAt: number | undefined;
}

/** Requests to the thread by name, each with its answer. */
export interface Requests {
  merge: { request: { state: Bytes; from: string }; answer: Merged | TooLarge };
  /** Reads a state without merging it. `state` comes back. */
  check: { request: { state: Bytes }; answer: ReadState & { state: Bytes } };
  apply: { request: { updates: readonly Bytes[] }; answer: readonly ApplyOutcome[] };
  toJson: {
    request: { types: Readonly<Record<string, Kind>> };
    answer: DocumentJson;
  };
  /** `isText`: the update in base64, as ASCII bytes, which saves the main thread the encoding. */
  encode: { request: { isText: boolean }; answer: { update: Bytes } };
  stateVector: { request: object; answer: { stateVector: Bytes } };
  divergence: { request: { servers: readonly string[] | undefined }; answer: Divergence[] };
  dropPending: { request: object; answer: Pending };
  /** Here `room` stands for the clients in a room and not for a document. */
  awareness: { request: AwarenessRequest; answer: AwarenessAnswer };
}

export type RequestName = keyof Requests;

/** A request as it is posted. `room` is the number of an open document. */
export type Request = {
  [N in RequestName]: { readonly name: N; readonly room: number } & Requests[N]['request'];
}[RequestName];

/** A message to the thread: a request, which it answers, or the end of a document, which it does not. */
export type ToThread = Request | { readonly name: 'close'; readonly room: number };

/** A message of the thread: first `ready`, then one for each request. `isLost`: the document was discarded. */
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
