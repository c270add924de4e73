import * as Y from 'yjs';
import type { ClockRange, Divergence, Lacking } from '../wire/divergence.js';
import {
  type Coverage,
  compareCoverage,
  coverageOf,
  readState,
  type StateReading,
} from './divergence.js';
import { BadUpdate, DocumentError, type DocumentErrorCode } from './documentErrors.js';
import { type DocumentJson, documentJson } from './documentJson.js';
import type {
  Applied,
  ApplyOutcome,
  Bytes,
  DocumentLimits,
  Gap,
  Merged,
  News,
  TooLarge,
} from './documentProtocol.js';
import { emptyDocument, readByYjs } from './scratchDocument.js';
import type { Kind } from './sharedTypes.js';
import { withoutEmpty } from './updateReader.js';
import {
  type ExaminedUpdate,
  examineUpdate,
  rootsReached,
  summarizeUnread,
  summarizeUpdate,
} from './updateSummary.js';
import { clientsPending, maxPendingClients, refuseWaiting } from './waitingClients.js';

// Without changes a size is measured again only after this part of the limit has come in.
const remeasureAfter = 1 / 16;

const ownBytes = (bytes: Uint8Array): Bytes =>
  bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength
    ? (bytes as Bytes)
    : new Uint8Array(bytes);

const bytesPending = ({ store }: Y.Doc): number =>
  (store.pendingStructs?.update.byteLength ?? 0) + (store.pendingDs?.byteLength ?? 0);

function changes({ store }: Y.Doc, { deleteSet, beforeState }: Y.Transaction): boolean {
  if (deleteSet.clients.size > 0) return true;
  for (const client of store.clients.keys()) {
    if (Y.getState(store, client) !== (beforeState.get(client) ?? 0)) return true;
  }
  return false;
}

const noNews: News = { structs: [], deletions: [] };
const maxNews = 200;

// What a transaction added to the document; the first ranges.
function newsOf({ store }: Y.Doc, { deleteSet, beforeState }: Y.Transaction): News {
  const structs: ClockRange[] = [];
  const deletions: ClockRange[] = [];
  for (const client of store.clients.keys()) {
    const [from, to] = [beforeState.get(client) ?? 0, Y.getState(store, client)];
    if (from < to && structs.length < maxNews) structs.push({ client, from, to });
  }
  for (const [client, items] of deleteSet.clients) {
    for (const { clock, len } of items.slice(0, maxNews - deletions.length)) {
      deletions.push({ client, from: clock, to: clock + len });
    }
  }
  return { structs, deletions };
}

// State vector of some clients, and how many deletions a transaction has of others, as one comparable text.
const stamp = (doc: Y.Doc, transaction: Y.Transaction | undefined, ids: Iterable<number>): string =>
  Array.from(ids, (client) => {
    const deletions = transaction?.deleteSet.clients.get(client)?.length ?? 0;
    return `${Y.getState(doc.store, client)},${deletions}`;
  }).join();

// Whether the document has the first part of a run of clocks and not the rest.
function isKnownInPart({ store }: Y.Doc, { structs }: ExaminedUpdate): boolean {
  for (const [client, flat] of structs) {
    const state = Y.getState(store, client);
    for (let i = 0; i < flat.length; i += 2) {
      if ((flat[i] ?? 0) < state && state < (flat[i + 1] ?? 0)) return true;
    }
  }
  return false;
}

// Applies an update that begins no struct before what the document has, see `#outcome`; what waited is cut so too.
function integrate(doc: Y.Doc, update: Uint8Array): void {
  const { store } = doc;
  const waiting = store.pendingStructs;
  // Yjs would apply it as it came.
  store.pendingStructs = null;
  Y.applyUpdate(doc, update);
  if (waiting === null) return;
  const rest = store.pendingStructs as typeof waiting | null;
  store.pendingStructs = waiting;
  const isAwaited = [...waiting.missing].some(
    ([client, clock]) => clock < Y.getState(store, client),
  );
  if (rest !== null) {
    for (const [client, clock] of rest.missing) {
      waiting.missing.set(client, Math.min(clock, waiting.missing.get(client) ?? clock));
    }
    waiting.update = Y.mergeUpdatesV2([waiting.update, rest.update]);
  }
  if (!isAwaited) return;
  store.pendingStructs = null;
  Y.applyUpdateV2(doc, Y.diffUpdateV2(waiting.update, Y.encodeStateVector(doc)));
}

type ReadState = Omit<StateReading, 'hasEmpty'> & { state: Uint8Array };

// A state and what is in it, rewritten where it is one that Yjs would trip over. Throws `BadUpdate`.
function readAny(state: Uint8Array, doc?: Y.Doc): ReadState {
  try {
    const { hasEmpty, ...read } = readState(state, doc);
    return { ...read, state: hasEmpty ? withoutEmpty(state) : state };
  } catch (refusal) {
    if (!(refusal instanceof BadUpdate)) throw refusal;
    return readRewritten(readByYjs(state, refusal, true), doc);
  }
}

function readRewritten(state: Uint8Array, known?: Y.Doc): ReadState {
  try {
    return { ...readState(state, known), state };
  } catch {
    const doc = emptyDocument();
    Y.applyUpdate(doc, state);
    return { coverage: coverageOf(doc), waiting: undefined, state };
  }
}

/**
 * One room's document as its servers and its channel tell it, and what each server's last state held. Lives in
 * the thread. When Yjs fails in the middle of something the document is given up (`takeLoss`) and starts empty:
 * what half an update left behind is never shown. That is left for what no update shows by itself, such as two
 * clients with one id of which one's text becomes, by the other's, a map's value and is split there.
 */
export class LiveDocument {
  readonly #limits: DocumentLimits;
  readonly #spareBytes: () => number;
  readonly #servers = new Map<string, Coverage>();
  // Undefined when the room is over its limit.
  #doc: Y.Doc | undefined = emptyDocument();
  #measuredBytes = 0;
  #addedBytes = 0;
  #wasLost = false;

  /** `spareBytes`: how much this document may hold beside the others. */
  constructor(limits: DocumentLimits, spareBytes: () => number) {
    this.#limits = limits;
    this.#spareBytes = spareBytes;
  }

  /** About the size of its encoding, never much less. */
  get bytes(): number {
    return this.#measuredBytes + this.#addedBytes;
  }

  /** Whether the document was given up since the last call. */
  takeLoss(): boolean {
    const wasLost = this.#wasLost;
    this.#wasLost = false;
    return wasLost;
  }

  /** Merges a server's whole state. Throws `BadUpdate`. */
  merge(given: Bytes, from: string): Merged | TooLarge {
    refuseWaiting(given, this.#doc);
    // Compared before it is merged: after that the document has what it lacked from this state.
    const { coverage, waiting, state } = readAny(given, this.#doc);
    this.#servers.set(from, coverage);
    if (given.byteLength > this.#limit()) this.#outgrow();
    const doc = this.#doc;
    if (doc === undefined) return { type: 'tooLarge', state: given, waiting };
    let isChanged = false;
    let brought: News = noNews;
    this.#guard('bad_update', () =>
      doc.transact((transaction) => {
        // Servers hold mostly the same, and Yjs takes as long over what it has as over what is new.
        const isFirst = doc.store.clients.size === 0;
        const news = isFirst ? state : Y.diffUpdate(state, Y.encodeStateVector(doc));
        integrate(doc, news);
        isChanged = changes(doc, transaction);
        if (isChanged && !isFirst) brought = newsOf(doc, transaction);
      }),
    );
    if (isChanged) this.#addedBytes += given.byteLength;
    this.#weigh(0);
    if (this.#doc === undefined) return { type: 'tooLarge', state: given, waiting };
    return {
      type: 'merged',
      isChanged,
      news: brought,
      bytes: this.bytes,
      waiting,
      ...this.#boundPending(doc),
    };
  }

  /** Reads a state without merging it; answers what its server waits for. Throws `BadUpdate`. */
  check(state: Bytes): Lacking | undefined {
    refuseWaiting(state);
    return readAny(state).waiting;
  }

  /** Applies updates in one transaction: what a transaction costs beside them is paid once. */
  apply(updates: readonly Uint8Array[]): ApplyOutcome[] {
    const outcomes: ApplyOutcome[] = [];
    const doc = this.#doc;
    if (doc === undefined) return updates.map((update) => this.#outcome(update));
    try {
      doc.transact((transaction) => {
        for (const update of updates) outcomes.push(this.#outcome(update, doc, transaction));
      });
    } catch (cause) {
      this.#giveUp();
      // The one that it failed at, unless it failed at the end of all.
      const message = `Yjs failed: ${cause}`;
      if (outcomes.length < updates.length) outcomes.push({ code: 'bad_update', message });
      while (outcomes.length < updates.length) outcomes.push({ code: 'lost', message });
    }
    this.#weigh(this.#limits.maxRoomBytes * remeasureAfter);
    return outcomes;
  }

  toJson(types: Readonly<Record<string, Kind>>): DocumentJson {
    const { maxJsonBytes: maxBytes, maxJsonDepth: maxDepth } = this.#limits;
    return documentJson(this.#required(), { types, maxBytes, maxDepth });
  }

  /** The whole document as one update, with what still waits. */
  encode(): Bytes {
    const doc = this.#required();
    return ownBytes(this.#guard('lost', () => Y.encodeStateAsUpdate(doc)));
  }

  stateVector(): Bytes {
    return ownBytes(Y.encodeStateVector(this.#required()));
  }

  /** Compares the last merged states of these servers, or of all. */
  divergence(servers: readonly string[] = [...this.#servers.keys()]): Divergence[] {
    const known = new Map<string, Coverage>();
    for (const server of servers) {
      const coverage = this.#servers.get(server);
      // Without a document there is nothing that is shown in place of what a server holds.
      if (coverage) known.set(server, this.#doc ? coverage : { ...coverage, conflicts: new Map() });
    }
    return compareCoverage(known);
  }

  /** Forgets updates that wait for others. */
  dropPending(): Gap {
    const doc = this.#required();
    const droppedBytes = bytesPending(doc);
    doc.store.pendingStructs = null;
    doc.store.pendingDs = null;
    // Reading them made root types that nothing else names.
    for (const [name, type] of doc.share) {
      if (type._start === null && type._map.size === 0) doc.share.delete(name);
    }
    return { pendingBytes: 0, droppedBytes };
  }

  #outcome(update: Uint8Array, doc?: Y.Doc, transaction?: Y.Transaction): ApplyOutcome {
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
      return this.#undescribed(update, cause, doc);
    }
    const gap = { pendingBytes: 0, droppedBytes: 0 };
    if (doc === undefined) {
      const summary = summarizeUpdate(examined);
      return { applied: { ...summary, ...gap, isApplied: false, isChanged: false } };
    }
    const ids = new Set([...examined.structs.keys(), ...examined.deletions.keys()]);
    const before = stamp(doc, transaction, ids);
    // Of a struct that it has in part, Yjs puts the rest behind that part wherever it is. When two clients share an
    // id that is another struct, perhaps in another type, and Yjs breaks. Cut off, the rest goes by what it is behind.
    const isCut = isKnownInPart(doc, examined);
    const sound = examined.hasEmpty ? withoutEmpty(update) : update;
    integrate(doc, isCut ? Y.diffUpdate(sound, Y.encodeStateVector(doc)) : sound);
    const isChanged = before !== stamp(doc, transaction, ids);
    if (isChanged) this.#addedBytes += update.byteLength;
    const summary = summarizeUpdate(examined, rootsReached(doc, examined));
    const applied: Applied = { ...summary, ...this.#boundPending(doc), isApplied: true, isChanged };
    return { applied };
  }

  // What cannot be described: Yjs decides, and what it takes counts as a change.
  #undescribed(update: Uint8Array, refusal: BadUpdate, doc?: Y.Doc): ApplyOutcome {
    let read: Uint8Array;
    try {
      read = readByYjs(update, refusal, false);
    } catch (cause) {
      if (!(cause instanceof BadUpdate)) throw cause;
      return { code: cause.code, message: cause.message };
    }
    const summary = summarizeUnread(update.byteLength);
    const gap = { pendingBytes: 0, droppedBytes: 0 };
    if (doc === undefined)
      return { applied: { ...summary, ...gap, isApplied: false, isChanged: false } };
    integrate(doc, Y.diffUpdate(read, Y.encodeStateVector(doc)));
    this.#addedBytes += update.byteLength;
    return {
      applied: { ...summary, ...this.#boundPending(doc), isApplied: true, isChanged: true },
    };
  }

  #boundPending(doc: Y.Doc): Gap {
    const pendingBytes = bytesPending(doc);
    const isTooMuch = pendingBytes > this.#limits.maxPendingBytes;
    if (isTooMuch || clientsPending(doc) > maxPendingClients) return this.dropPending();
    return { pendingBytes, droppedBytes: 0 };
  }

  #limit(): number {
    return Math.min(this.#limits.maxRoomBytes, this.#spareBytes());
  }

  // Measures the document when it may have outgrown its limit, and gives it up when it has.
  #weigh(tolerance: number): void {
    const doc = this.#doc;
    if (doc === undefined || this.bytes <= this.#limit()) return;
    if (this.#addedBytes <= tolerance) return;
    this.#measuredBytes = this.encode().byteLength;
    this.#addedBytes = 0;
    if (this.#measuredBytes > this.#limit()) this.#outgrow();
  }

  #outgrow(): void {
    this.#doc = undefined;
    this.#measuredBytes = 0;
    this.#addedBytes = 0;
  }

  #giveUp(): void {
    this.#outgrow();
    this.#doc = emptyDocument();
    this.#servers.clear();
    this.#wasLost = true;
  }

  #required(): Y.Doc {
    if (this.#doc) return this.#doc;
    throw new DocumentError('too_large', 'the room is over its limit of bytes');
  }

  #guard<T>(code: DocumentErrorCode, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      this.#giveUp();
      throw new DocumentError(code, `Yjs failed: ${cause}`, { cause });
    }
  }
}
