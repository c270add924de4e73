import type { RoomName } from '../../../machines/ports.js';
import { readState } from '../../documents/coverage.js';
import type { DocumentClient } from '../../documents/documentClient.js';
import type { DocumentError } from '../../documents/documentErrors.js';
import type { Documents } from '../../documents/documents.js';
import { asBuffer } from '../../sse/frames.js';
import type { MissingRanges } from '../../wire/divergence.js';

/** A document as JSON text; `isTruncated`: something of it was left out. */
export interface DocumentText {
  json: string;
  isTruncated: boolean;
}

/** A state that could be read. `waiting`: what its server lacks to apply updates that it keeps back. */
export interface CheckedState {
  state: Uint8Array;
  waiting: MissingRanges | undefined;
}

/** Larger states are read in the worker thread, because they would block the main loop here. */
const maxReadHereBytes = 16 * 1024;

/** Undefined: only Yjs can decide whether it is a state. */
function readHere(state: Uint8Array): Pick<CheckedState, 'waiting'> | undefined {
  try {
    return { waiting: readState(state).waiting };
  } catch {
    return undefined;
  }
}

/**
 * One-time work on the states of a room: nothing of it is kept. It takes the states over. Rejects with a
 * `DocumentError`; with `bad_update` only if none of the states can be read.
 */
export class DocumentWork {
  readonly #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  /** Merges the states of one room into one update. A single state is passed on as it is. */
  async merge(room: RoomName, states: readonly Uint8Array[]): Promise<Uint8Array> {
    const [first, ...others] = states;
    if (first && others.length === 0) return first;
    return this.#with(room, states, (document) => document.encode());
  }

  /** The document of these states as JSON text. */
  async toJson(room: RoomName, states: readonly Uint8Array[]): Promise<DocumentText> {
    const { json, isTruncated } = await this.#with(room, states, (document) => document.toJson());
    return { json: asBuffer(json).toString(), isTruncated };
  }

  /** Reads a state without merging it, and gives it back. Rejects with `BadUpdate` if it cannot be read. */
  async check(room: RoomName, state: Uint8Array): Promise<CheckedState> {
    const waiting = state.length <= maxReadHereBytes ? readHere(state) : undefined;
    if (waiting) return { state, ...waiting };
    const document = this.#documents.open(room);
    try {
      return await document.check(state);
    } finally {
      document.close();
    }
  }

  async #with<Result>(
    room: RoomName,
    states: readonly Uint8Array[],
    work: (document: DocumentClient) => Promise<Result>,
  ): Promise<Result> {
    let lost: DocumentError | undefined;
    const onLost = (error: DocumentError) => {
      lost = error;
    };
    const document = this.#documents.open(room, { onLost });
    try {
      await mergeAll(document, states);
      const result = await work(document);
      // States that were merged before the loss are not in the result.
      if (lost) throw lost;
      return result;
    } finally {
      document.close();
    }
  }
}

/** Merges the states; one that cannot be read is skipped, unless none can. */
async function mergeAll(document: DocumentClient, states: readonly Uint8Array[]): Promise<void> {
  const merging = states.map((state, index) => document.merge(state, String(index)));
  const failures: DocumentError[] = [];
  for (const outcome of await Promise.allSettled(merging))
    if (outcome.status === 'rejected') failures.push(outcome.reason);
  const fatal = failures.find(({ code }) => code !== 'bad_update');
  if (fatal) throw fatal;
  if (failures[0] && failures.length === states.length) throw failures[0];
}
