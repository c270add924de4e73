import { afterEach } from '@jest/globals';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { Documents, type DocumentsOptions } from '../../../server/documents/documents.js';

const opened: Documents[] = [];

/** Documents with a thread of their own, ended after the test. Call it inside a test of a file that called `ownDocuments`. */
export const openDocuments = (options?: DocumentsOptions): Documents => {
  const documents = new Documents(options);
  opened.push(documents);
  return documents;
};

/** Ends what `openDocuments` started, after each test of the file. */
export const ownDocuments = (): void => {
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((documents) => documents.close()));
  });
};

/** A document as a client with this id makes it, and every update that the making sent. */
export const edited = (
  edit: (doc: Y.Doc) => void,
  clientID = 1,
): { doc: Y.Doc; state: Uint8Array; updates: Uint8Array[] } => {
  const doc = new Y.Doc();
  doc.clientID = clientID;
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  edit(doc);
  return { doc, state: Y.encodeStateAsUpdate(doc), updates };
};

/** A document made of these updates. */
export const docOf = (...updates: Uint8Array[]): Y.Doc => {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc;
};

// One client's structs in the root type `text`, by hand: Yjs would take long to make as many.
const structsOf = (
  client: number,
  count: number,
  write: (encoder: encoding.Encoder, clock: number) => void,
): Uint8Array => {
  const encoder = encoding.createEncoder();
  for (const number of [1, count, client, 0]) encoding.writeVarUint(encoder, number);
  for (let clock = 0; clock < count; clock += 1) write(encoder, clock);
  encoding.writeVarUint(encoder, 0);
  return encoding.toUint8Array(encoder);
};

const writeParent = (encoder: encoding.Encoder): void => {
  encoding.writeVarUint(encoder, 1);
  encoding.writeVarString(encoder, 'text');
};

/** A client that typed every word before the one before: nothing of it can be joined. */
export const prepended = (count: number, word = 'a', client = 7): Uint8Array => {
  // A word is as many clocks as it has characters; the first of the word before is to the right.
  const length = word.length;
  return structsOf(client, count, (encoder, i) => {
    encoding.writeUint8(encoder, i === 0 ? 4 : 4 | 64);
    if (i === 0) writeParent(encoder);
    else for (const number of [client, (i - 1) * length]) encoding.writeVarUint(encoder, number);
    encoding.writeVarString(encoder, word);
  });
};

/**
 * Two updates of some kilobytes; the second takes Yjs minutes: each of its elements is compared with all of the
 * first's to find its place.
 */
export const endless = (): [first: Uint8Array, second: Uint8Array] => [
  structsOf(1, 40_000, (encoder, clock) => {
    const content = clock % 2 ? 8 : 4;
    encoding.writeUint8(encoder, clock === 0 ? content : content | 128);
    if (clock === 0) writeParent(encoder);
    else for (const number of [1, clock - 1]) encoding.writeVarUint(encoder, number);
    if (content === 4) encoding.writeVarString(encoder, 'a');
    else for (const number of [1, 126]) encoding.writeVarUint(encoder, number);
  }),
  structsOf(3, 40_000, (encoder) => {
    encoding.writeUint8(encoder, 4);
    writeParent(encoder);
    encoding.writeVarString(encoder, 'b');
  }),
];

/**
 * An update of clients `first`, `first + 1`, and so on, each with one character: behind that of the client that
 * `refersTo` answers, or, for 0, at the start of a text of its own.
 */
export const crowd = (
  clients: number,
  refersTo: (client: number) => number,
  first = 2,
): Uint8Array => {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, clients);
  for (let client = first + clients - 1; client >= first; client -= 1) {
    const other = refersTo(client);
    for (const number of [1, client, 0]) encoding.writeVarUint(encoder, number);
    encoding.writeUint8(encoder, other ? 4 | 128 : 4);
    if (other) for (const number of [other, 0]) encoding.writeVarUint(encoder, number);
    else {
      encoding.writeVarUint(encoder, 1);
      encoding.writeVarString(encoder, `t${client}`);
    }
    encoding.writeVarString(encoder, 'a');
  }
  encoding.writeVarUint(encoder, 0);
  return encoding.toUint8Array(encoder);
};
