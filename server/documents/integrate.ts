import * as Y from 'yjs';
import type { ClockRange } from '../wire/divergence.js';
import type { AddedRanges } from './documentProtocol.js';
import type { ExaminedUpdate } from './updateSummary.js';

/** Most ranges listed in `AddedRanges`. */
const maxAdded = 200;

/** Whether a transaction changed the document. */
export function hasChanged({ store }: Y.Doc, { deleteSet, beforeState }: Y.Transaction): boolean {
  if (deleteSet.clients.size > 0) return true;
  for (const client of store.clients.keys()) {
    if (Y.getState(store, client) !== (beforeState.get(client) ?? 0)) return true;
  }
  return false;
}

/** What a transaction added to the document; the first ranges. */
export function addedRanges(
  { store }: Y.Doc,
  { deleteSet, beforeState }: Y.Transaction,
): AddedRanges {
  const structs: ClockRange[] = [];
  const deletions: ClockRange[] = [];
  for (const client of store.clients.keys()) {
    const [from, to] = [beforeState.get(client) ?? 0, Y.getState(store, client)];
    if (from < to && structs.length < maxAdded) structs.push({ client, from, to });
  }
  for (const [client, items] of deleteSet.clients) {
    for (const { clock, len } of items.slice(0, maxAdded - deletions.length)) {
      deletions.push({ client, from: clock, to: clock + len });
    }
  }
  return { structs, deletions };
}

/** State vector of some clients, and how many of their deletions a transaction has, as one comparable text. */
export function fingerprint(
  doc: Y.Doc,
  transaction: Y.Transaction | undefined,
  clients: Iterable<number>,
): string {
  return Array.from(clients, (client) => {
    const deletions = transaction?.deleteSet.clients.get(client)?.length ?? 0;
    return `${Y.getState(doc.store, client)},${deletions}`;
  }).join();
}

/** Whether the document has the beginning of a run of clocks of the update, but not its end. */
export function isKnownInPart({ store }: Y.Doc, { structs }: ExaminedUpdate): boolean {
  for (const [client, flat] of structs) {
    const state = Y.getState(store, client);
    for (let i = 0; i < flat.length; i += 2) {
      if ((flat[i] ?? 0) < state && state < (flat[i + 1] ?? 0)) return true;
    }
  }
  return false;
}

/** Size of the updates that wait in a document. */
export function bytesPending({ store }: Y.Doc): number {
  return (store.pendingStructs?.update.byteLength ?? 0) + (store.pendingDs?.byteLength ?? 0);
}

/** Forgets the updates that wait in a document. */
export function forgetPending(doc: Y.Doc): void {
  doc.store.pendingStructs = null;
  doc.store.pendingDs = null;
  // Reading them made root types that nothing else names.
  for (const [name, type] of doc.share) {
    if (type._start === null && type._map.size === 0) doc.share.delete(name);
  }
}

/**
 * Applies an update in which no struct begins before the end of what the document has of its client. Waiting updates
 * are cut the same way before they are applied: see `LiveDocument.apply`.
 */
export function integrate(doc: Y.Doc, update: Uint8Array): void {
  const { store } = doc;
  const waiting = store.pendingStructs;
  // Yjs would apply the waiting updates uncut.
  store.pendingStructs = null;
  Y.applyUpdate(doc, update);
  if (waiting === null) return;
  const rest = store.pendingStructs as typeof waiting | null;
  store.pendingStructs = waiting;
  const hasArrived = [...waiting.missing].some(
    ([client, clock]) => clock < Y.getState(store, client),
  );
  if (rest !== null) {
    for (const [client, clock] of rest.missing) {
      waiting.missing.set(client, Math.min(clock, waiting.missing.get(client) ?? clock));
    }
    waiting.update = Y.mergeUpdatesV2([waiting.update, rest.update]);
  }
  if (!hasArrived) return;
  store.pendingStructs = null;
  Y.applyUpdateV2(doc, Y.diffUpdateV2(waiting.update, Y.encodeStateVector(doc)));
}
