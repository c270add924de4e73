import * as Y from 'yjs';
import type { BadUpdate } from './documentErrors.js';

/** A document that only receives changes and makes none. */
export function emptyDocument(): Y.Doc {
  const doc = new Y.Doc();
  // Yjs prints a warning for an update with the id of its own document.
  doc.clientID = -1;
  // After remote changes Yjs cleans up formatting by deleting it, which would be an edit of ours.
  doc.on('afterTransaction', (transaction) => {
    transaction._needFormattingCleanup = false;
  });
  return doc;
}

const isEmpty = ({ store }: Y.Doc): boolean =>
  store.clients.size === 0 && store.pendingStructs === null && store.pendingDs === null;

/**
 * Lets Yjs apply an update that `readUpdate` refuses, in a separate document to protect the shared one. Returns the
 * update as Yjs writes it. Throws `BadUpdate` if Yjs refuses it too, applies none of it or cannot write it again.
 * `isWhole`: it is a whole state. Its waiting updates may be left out.
 */
export function readByYjs(update: Uint8Array, refusal: BadUpdate, isWhole: boolean): Uint8Array {
  // Waiting updates would break the document to which they are applied.
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

/** Whether Yjs finds elements in an update that `readUpdate` refuses. Takes time in proportion to its length. */
export function isParsedByYjs(update: Uint8Array): boolean {
  try {
    return Y.decodeUpdate(update).structs.length > 0;
  } catch {
    return false;
  }
}
