import * as Y from 'yjs';
import type { Divergence, MissingRanges } from '../wire/divergence.js';
import { type Coverage, readSafely } from './coverage.js';
import { compareCoverage } from './divergence.js';
import { BadUpdate, DocumentError, type DocumentErrorCode } from './documentErrors.js';
import { type DocumentJson, documentJson } from './documentJson.js';
import type {
  AddedRanges,
  ApplyOutcome,
  Bytes,
  DocumentLimits,
  Merged,
  Pending,
  TooLarge,
} from './documentProtocol.js';
import { formattingIn } from './formatChanges.js';
import {
  addedRanges,
  bytesPending,
  fingerprint,
  forgetPending,
  hasChanged,
  integrate,
  isKnownInPart,
} from './integrate.js';
import { ownBytes } from './ownBytes.js';
import { emptyDocument, readByYjs } from './scratchDocument.js';
import type { Kind } from './sharedTypes.js';
import {
  type ExaminedUpdate,
  examineUpdate,
  rootsReached,
  summarizeUnread,
  summarizeUpdate,
} from './updateSummary.js';
import { clientsPending, maxPendingClients, refuseWaiting } from './waitingClients.js';
import { withoutEmpty } from './withoutEmpty.js';

/** A size is measured again only after the document has grown by this part of the limit. */
const remeasureAfter = 1 / 16;

const nonePending: Pending = { pendingBytes: 0, droppedBytes: 0 };
const nothingAdded: AddedRanges = { structs: [], deletions: [] };

/**
 * The document of one room, and what each server's last state held. It lives in the worker thread. If Yjs fails in the
 * middle of an update, the document is discarded (`takeLoss`) and starts empty, so that half an update is never shown.
 * That can happen when two clients share an id: the text of one may become the value of a map in the other.
 */
export class LiveDocument {
  readonly #limits: DocumentLimits;
  readonly #spareBytes: () => number;
  readonly #servers = new Map<string, Coverage>();
  /** Undefined: the room is over its limit. */
  #doc: Y.Doc | undefined = emptyDocument();
  #measuredBytes = 0;
  #addedBytes = 0;
  #wasLost = false;

  /** `spareBytes`: how large this document may get beside the others. */
  constructor(limits: DocumentLimits, spareBytes: () => number) {
    this.#limits = limits;
    this.#spareBytes = spareBytes;
  }

  /** Estimated size of the encoded document; never much too low. */
  get bytes(): number {
    return this.#measuredBytes + this.#addedBytes;
  }

  /** Whether the document was discarded since the last call. */
  takeLoss(): boolean {
    const wasLost = this.#wasLost;
    this.#wasLost = false;
    return wasLost;
  }

  /** Merges the whole state of a server. Throws `BadUpdate`. */
  merge(given: Bytes, from: string): Merged | TooLarge {
    refuseWaiting(given, this.#doc);
    // Before the merge: afterwards the document has the missing elements from this very state.
    const { coverage, waiting, state } = readSafely(given, this.#doc);
    this.#servers.set(from, coverage);
    if (given.byteLength > this.#limit()) this.#dropTooLarge();
    const doc = this.#doc;
    if (doc === undefined) return { type: 'tooLarge', state: given, waiting };
    let isChanged = false;
    let added = nothingAdded;
    this.#guard('bad_update', () =>
      doc.transact((transaction) => {
        // Servers hold mostly the same, and Yjs spends as much time on known structs as on new ones.
        const isFirst = doc.store.clients.size === 0;
        const missing = isFirst ? state : Y.diffUpdate(state, Y.encodeStateVector(doc));
        integrate(doc, missing);
        isChanged = hasChanged(doc, transaction);
        if (isChanged && !isFirst) added = addedRanges(doc, transaction);
      }),
    );
    if (isChanged) this.#addedBytes += given.byteLength;
    this.#measure(0);
    if (this.#doc === undefined) return { type: 'tooLarge', state: given, waiting };
    return {
      type: 'merged',
      isChanged,
      added,
      bytes: this.bytes,
      waiting,
      ...this.#boundPending(doc),
    };
  }

  /** Reads a state without merging it; returns what its server waits for. Throws `BadUpdate`. */
  check(state: Bytes): MissingRanges | undefined {
    refuseWaiting(state);
    return readSafely(state).waiting;
  }

  /** Applies updates in one transaction, which saves the cost of a transaction for each. */
  apply(updates: readonly Uint8Array[]): ApplyOutcome[] {
    const outcomes: ApplyOutcome[] = [];
    const doc = this.#doc;
    if (doc === undefined) return updates.map((update) => this.#applyOne(update));
    try {
      doc.transact((transaction) => {
        for (const update of updates) outcomes.push(this.#applyOne(update, doc, transaction));
      });
    } catch (cause) {
      this.#discardBroken();
      // The next update is the bad one, unless the transaction failed at its end.
      const message = `Yjs failed: ${cause}`;
      if (outcomes.length < updates.length) outcomes.push({ code: 'bad_update', message });
      while (outcomes.length < updates.length) outcomes.push({ code: 'lost', message });
    }
    this.#measure(this.#limits.maxRoomBytes * remeasureAfter);
    return outcomes;
  }

  toJson(types: Readonly<Record<string, Kind>>): DocumentJson {
    const { maxJsonBytes: maxBytes, maxJsonDepth: maxDepth } = this.#limits;
    return documentJson(this.#docOrThrow(), { types, maxBytes, maxDepth });
  }

  /** The whole document as one update, with what still waits. */
  encode(): Bytes {
    const doc = this.#docOrThrow();
    return ownBytes(this.#guard('lost', () => Y.encodeStateAsUpdate(doc)));
  }

  stateVector(): Bytes {
    return ownBytes(Y.encodeStateVector(this.#docOrThrow()));
  }

  /** Compares the last merged states of these servers, or of all. */
  divergence(servers: readonly string[] = [...this.#servers.keys()]): Divergence[] {
    const known = new Map<string, Coverage>();
    for (const server of servers) {
      const coverage = this.#servers.get(server);
      // Without a document nothing is shown that could conflict.
      if (coverage) known.set(server, this.#doc ? coverage : { ...coverage, conflicts: new Map() });
    }
    return compareCoverage(known);
  }

  /** Drops updates that wait for missing ones. */
  dropPending(): Pending {
    const doc = this.#docOrThrow();
    const droppedBytes = bytesPending(doc);
    forgetPending(doc);
    return { pendingBytes: 0, droppedBytes };
  }

  #applyOne(update: Uint8Array, doc?: Y.Doc, transaction?: Y.Transaction): ApplyOutcome {
    try {
      refuseWaiting(update, doc);
    } catch (cause) {
      if (!(cause instanceof BadUpdate)) throw cause;
      return { code: cause.code, message: cause.message };
    }
    let examined: ExaminedUpdate;
    try {
      examined = examineUpdate(update);
    } catch (cause) {
      if (!(cause instanceof BadUpdate)) throw cause;
      return this.#applyByYjs(update, cause, doc);
    }
    if (doc === undefined) {
      const summary = summarizeUpdate(examined);
      return { applied: { ...summary, ...nonePending, isApplied: false, isChanged: false } };
    }
    const clients = new Set([...examined.structs.keys(), ...examined.deletions.keys()]);
    const before = fingerprint(doc, transaction, clients);
    // Yjs appends the rest of a partly known struct to the part that it has. If two clients share an id, that part is
    // another struct, perhaps in another type, and Yjs fails. If the known part is cut off, Yjs goes by the origin.
    const isCut = isKnownInPart(doc, examined);
    const safe = examined.hasEmpty ? withoutEmpty(update) : update;
    integrate(doc, isCut ? Y.diffUpdate(safe, Y.encodeStateVector(doc)) : safe);
    const isChanged = before !== fingerprint(doc, transaction, clients);
    if (isChanged) this.#addedBytes += update.byteLength;
    const summary = summarizeUpdate(
      examined,
      rootsReached(doc, examined),
      formattingIn(doc, examined),
    );
    return { applied: { ...summary, ...this.#boundPending(doc), isApplied: true, isChanged } };
  }

  /** Lets Yjs decide about an update that cannot be described. If it is accepted, it counts as a change. */
  #applyByYjs(update: Uint8Array, refusal: BadUpdate, doc?: Y.Doc): ApplyOutcome {
    let read: Uint8Array;
    try {
      read = readByYjs(update, refusal, false);
    } catch (cause) {
      if (!(cause instanceof BadUpdate)) throw cause;
      return { code: cause.code, message: cause.message };
    }
    const summary = summarizeUnread(update.byteLength);
    if (doc === undefined)
      return { applied: { ...summary, ...nonePending, isApplied: false, isChanged: false } };
    integrate(doc, Y.diffUpdate(read, Y.encodeStateVector(doc)));
    this.#addedBytes += update.byteLength;
    return {
      applied: { ...summary, ...this.#boundPending(doc), isApplied: true, isChanged: true },
    };
  }

  #boundPending(doc: Y.Doc): Pending {
    const pendingBytes = bytesPending(doc);
    const isTooMuch = pendingBytes > this.#limits.maxPendingBytes;
    if (isTooMuch || clientsPending(doc) > maxPendingClients) return this.dropPending();
    return { pendingBytes, droppedBytes: 0 };
  }

  #limit(): number {
    return Math.min(this.#limits.maxRoomBytes, this.#spareBytes());
  }

  /** Measures the document if it may be over its limit, and drops it if it is. */
  #measure(tolerance: number): void {
    const doc = this.#doc;
    if (doc === undefined || this.bytes <= this.#limit()) return;
    if (this.#addedBytes <= tolerance) return;
    this.#measuredBytes = this.encode().byteLength;
    this.#addedBytes = 0;
    if (this.#measuredBytes > this.#limit()) this.#dropTooLarge();
  }

  #dropTooLarge(): void {
    this.#doc = undefined;
    this.#measuredBytes = 0;
    this.#addedBytes = 0;
  }

  #discardBroken(): void {
    this.#dropTooLarge();
    this.#doc = emptyDocument();
    this.#servers.clear();
    this.#wasLost = true;
  }

  #docOrThrow(): Y.Doc {
    if (this.#doc) return this.#doc;
    throw new DocumentError('too_large', 'the room is over its limit of bytes');
  }

  #guard<T>(code: DocumentErrorCode, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      this.#discardBroken();
      throw new DocumentError(code, `Yjs failed: ${cause}`, { cause });
    }
  }
}
