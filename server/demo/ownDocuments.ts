import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { type RawData, WebSocket } from 'ws';
import {
  Awareness,
  applyAwarenessUpdate,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness';
import { readSyncMessage, writeSyncStep1, writeUpdate } from 'y-protocols/sync';
import { Doc } from 'yjs';
import { type AwarenessChange, changedClients } from '../agent/awareness.js';
import type { Library, SharedDocument } from './rooms.js';

const messages = { sync: 0, awareness: 1 } as const;

/** The documents of a server that uses no library, but Yjs, y-protocols and ws. */
export const ownDocuments: Library = {
  docs: new Map<string, SharedDocument>(),
  open: (name) => {
    const doc = new OwnDocument(name);
    ownDocuments.docs.set(name, doc);
    return doc;
  },
  join: (socket, _request, room) => {
    const doc = ownDocuments.docs.get(room) ?? ownDocuments.open(room);
    socket.binaryType = 'nodebuffer';
    doc.conns.set(socket, new Set());
    socket.on('message', (data) => {
      // A client that sends anything else must not end the server.
      try {
        receive(doc, socket, bytesOf(data));
      } catch {
        socket.terminate();
      }
    });
    socket.on('close', () => leave(doc, socket));
    send(
      socket,
      syncMessage((encoder) => writeSyncStep1(encoder, doc)),
    );
    const clients = [...doc.awareness.getStates().keys()];
    if (clients.length > 0) send(socket, awarenessMessage(doc, clients));
  },
};

/** A document that sends what changes to everybody who has joined it. */
class OwnDocument extends Doc {
  readonly name: string;
  readonly awareness: Awareness;
  conns = new Map<object, Set<number>>();

  constructor(name: string) {
    super();
    this.name = name;
    this.awareness = new Awareness(this);
    this.awareness.setLocalState(null);
    this.on('update', (update: Uint8Array) => {
      this.#broadcast(syncMessage((encoder) => writeUpdate(encoder, update)));
    });
    this.awareness.on('update', (change: AwarenessChange, origin: unknown) => {
      const mine = this.conns.get(Object(origin));
      for (const client of [...change.added, ...change.updated]) mine?.add(client);
      for (const client of change.removed) mine?.delete(client);
      this.#broadcast(awarenessMessage(this, changedClients(change)));
    });
  }

  #broadcast(message: Uint8Array): void {
    for (const socket of this.conns.keys()) send(socket as WebSocket, message);
  }
}

function receive(doc: SharedDocument, socket: WebSocket, message: Uint8Array): void {
  const decoder = decoding.createDecoder(message);
  const kind = decoding.readVarUint(decoder);
  if (kind === messages.sync) {
    const answer = syncMessage((encoder) => readSyncMessage(decoder, encoder, doc, socket));
    // One byte is the kind of message: there is nothing to answer.
    if (answer.length > 1) send(socket, answer);
  } else if (kind === messages.awareness) {
    applyAwarenessUpdate(doc.awareness, decoding.readVarUint8Array(decoder), socket);
  }
}

function leave(doc: SharedDocument, socket: WebSocket): void {
  const clients = doc.conns.get(socket);
  if (clients === undefined) return;
  doc.conns.delete(socket);
  removeAwarenessStates(doc.awareness, [...clients], null);
}

function syncMessage(write: (encoder: encoding.Encoder) => unknown): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, messages.sync);
  write(encoder);
  return encoding.toUint8Array(encoder);
}

function awarenessMessage({ awareness }: SharedDocument, clients: number[]): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, messages.awareness);
  encoding.writeVarUint8Array(encoder, encodeAwarenessUpdate(awareness, clients));
  return encoding.toUint8Array(encoder);
}

function send(socket: WebSocket, message: Uint8Array): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(message);
}

function bytesOf(data: RawData): Uint8Array {
  return Array.isArray(data) ? Buffer.concat(data) : new Uint8Array(data);
}
