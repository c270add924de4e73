import type { HostDocument } from './host.js';

/** A document of Hocuspocus without connections. */
interface Copy extends HostDocument {
  gc: boolean;
  merge(document: HostDocument): unknown;
  destroy(): void;
}

const emptyUpdate: Uint8Array = Uint8Array.of(0, 0);

/**
 * The document as one Yjs update, encoded by the Yjs that Hocuspocus itself uses. An import of `yjs`
 * here could find a second copy, which warns at start and fails where their versions differ. Only
 * `merge` of a document leads to that Yjs: an empty copy of the document is told what it was missing.
 */
export function encodeState(document: HostDocument): Uint8Array {
  const Document = document.constructor as new (name: string) => Copy;
  const copy = new Document(document.name);
  // What the document has kept, the copy keeps.
  copy.gc = false;
  let state = emptyUpdate;
  copy.on('update', (update) => {
    state = update;
  });
  try {
    copy.merge(document);
  } finally {
    copy.destroy();
  }
  return state;
}
