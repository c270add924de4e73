import * as Y from 'yjs';
import type { BadUpdate } from './documentErrors.js';

/** A document that only takes in what others made. */
export function emptyDocument(): Y.Doc {
  const doc = new Y.Doc();
  // Yjs prints when an update carries the id of the document it is applied to.
  doc.clientID = -1;
  // Yjs tidies formatting after remote changes by deleting it: that would be an edit of ours.
  doc.on('afterTransaction', (transaction) => {
    transaction._needFormattingCleanup = false;
  });
  return doc;
}

const isEmpty = ({ store }: Y.Doc): boolean =>
  store.clients.size === 0 && store.pendingStructs === null && store.pendingDs === null;

/**
 * Has Yjs apply an update that `readUpdate` refuses to a document of its own, so that nothing else is at risk.
 * Answers the update as Yjs writes it. Throws `BadUpdate` when Yjs refuses it too, takes nothing of it, or cannot
 * write it again. `isWhole`: it is the state of a document, so that what waits in it may be left out if need be.
 */
export function readByYjs(update: Uint8Array, refusal: BadUpdate, isWhole: boolean): Uint8Array {
  // What waits would break the document that it is applied to.
  if (refusal.isUnsafe && !isWhole) throw refusal;
  const doc = emptyDocument();
  try {
    Y.applyUpdate(doc, update);
    if (refusal.isUnsafe) doc.store.pendingStructs = null;
    if (isEmpty(doc)) throw refusal;
    return Y.encodeStateAsUpdate(doc);
  } catch {
    throw refusal;
  } finally {
    doc.destroy();
  }
}

/** Whether Yjs finds elements in what `readUpdate` refuses; takes as long as the update is long. */
export function isParsedByYjs(update: Uint8Array): boolean {
  try {
    return Y.decodeUpdate(update).structs.length > 0;
  } catch {
    return false;
  }
}
