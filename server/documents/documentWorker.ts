import { parentPort, workerData } from 'node:worker_threads';
import { DocumentError } from './documentErrors.js';
import type {
  Bytes,
  DocumentLimits,
  FromThread,
  Request,
  Requests,
  ToThread,
} from './documentProtocol.js';
import { LiveDocument } from './liveDocument.js';
import { RoomAwareness } from './roomAwareness.js';

/** Worker thread for documents. `Documents` starts it, sends one request at a time and ends it. */

if (parentPort === null) throw new Error('documentWorker runs in a worker thread');
const port = parentPort;
const limits = workerData as DocumentLimits;
const rooms = new Map<number, LiveDocument>();
const awareness = new Map<number, RoomAwareness>();

function open(room: number): LiveDocument {
  const spareBytes = () => {
    let used = 0;
    for (const [id, other] of rooms) if (id !== room) used += other.bytes;
    return limits.maxTotalBytes - used;
  };
  const document = new LiveDocument(limits, spareBytes);
  rooms.set(room, document);
  return document;
}

function inBase64(bytes: Uint8Array): Bytes {
  const { buffer, byteOffset, length } = bytes;
  return new Uint8Array(Buffer.from(Buffer.from(buffer, byteOffset, length).toString('base64')));
}

function awarenessOf(room: number): RoomAwareness {
  const known = awareness.get(room) ?? new RoomAwareness();
  awareness.set(room, known);
  return known;
}

type DocumentRequest = Exclude<Request, { name: 'awareness' }>;

function answer(
  document: LiveDocument,
  request: DocumentRequest,
): Requests[DocumentRequest['name']]['answer'] {
  switch (request.name) {
    case 'merge':
      return document.merge(request.state, request.from);
    case 'check':
      return { state: request.state, waiting: document.check(request.state) };
    case 'apply':
      return document.apply(request.updates);
    case 'toJson':
      return document.toJson(request.types);
    case 'encode':
      return { update: request.isText ? inBase64(document.encode()) : document.encode() };
    case 'stateVector':
      return { stateVector: document.stateVector() };
    case 'divergence':
      return document.divergence(request.servers);
    case 'dropPending':
      return document.dropPending();
  }
}

/** The buffers of an answer, which move to the main thread. */
const buffersOf = (value: object): ArrayBuffer[] =>
  Object.values(value).flatMap((part: unknown) =>
    part instanceof Uint8Array && part.buffer instanceof ArrayBuffer ? [part.buffer] : [],
  );

port.on('message', (message: ToThread) => {
  if (message.name === 'close') {
    rooms.delete(message.room);
    awareness.delete(message.room);
    return;
  }
  if (message.name === 'awareness') {
    const result = awarenessOf(message.room).answer(message);
    port.postMessage(
      { type: 'answered', answer: result, isLost: false } satisfies FromThread,
      buffersOf(result),
    );
    return;
  }
  const document = rooms.get(message.room) ?? open(message.room);
  try {
    const result = answer(document, message);
    const reply: FromThread = { type: 'answered', answer: result, isLost: document.takeLoss() };
    port.postMessage(reply, buffersOf(result));
  } catch (cause) {
    // Anything else is a defect or lack of memory: the thread ends, and its owner starts another.
    if (!(cause instanceof DocumentError)) throw cause;
    const { code, message: reason } = cause;
    const isLost = document.takeLoss();
    port.postMessage({ type: 'refused', code, message: reason, isLost } satisfies FromThread);
  }
});

port.postMessage({ type: 'ready' } satisfies FromThread);
