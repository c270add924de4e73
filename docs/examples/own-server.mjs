// A server of your own with the protocol of y-websocket, reported to the dashboard.
// npm install @pubsub-dashboard/agent lib0 ws y-protocols yjs
import { createServer } from 'node:http';
import { createAgent } from '@pubsub-dashboard/agent';
import { createDecoder, readVarUint } from 'lib0/decoding';
import { createEncoder, toUint8Array, writeVarUint } from 'lib0/encoding';
import { WebSocketServer } from 'ws';
import { readSyncMessage, writeSyncStep1, writeUpdate } from 'y-protocols/sync';
import { Doc, encodeStateAsUpdate } from 'yjs';

/** Name of a room: its document and its connections. */
const rooms = new Map();

const agent = createAgent({
  url: process.env.DASHBOARD_URL ?? 'http://127.0.0.1:8000',
  documents: {
    connections: () => Array.from(rooms, ([name, { sockets }]) => [name, sockets.size]),
    encodedState: (name) => {
      const room = rooms.get(name);
      return room && encodeStateAsUpdate(room.doc);
    },
  },
});

const server = createServer((_, response) => response.end('My own page'));
new WebSocketServer({ server }).on('connection', (socket, request) => {
  const name = request.url.slice(1).split('?')[0];
  const room = rooms.get(name) ?? createRoom(name);
  socket.on('message', (data) => {
    const decoder = createDecoder(new Uint8Array(data));
    // Awareness (1) is left out here.
    if (readVarUint(decoder) !== 0) return;
    const answer = message((encoder) => readSyncMessage(decoder, encoder, room.doc, socket));
    if (answer.length > 1) socket.send(answer);
  });
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    // In one step: the number of connections changes, and the agent is told.
    room.sockets.delete(socket);
    agent.closed(name);
  });
  room.sockets.add(socket);
  agent.opened(name);
  socket.send(message((encoder) => writeSyncStep1(encoder, room.doc)));
});
server.listen(Number(process.env.PORT ?? 1234));
agent.start();

function createRoom(name) {
  const room = { doc: new Doc(), sockets: new Set() };
  rooms.set(name, room);
  room.doc.on('update', (update, origin) => {
    const change = message((encoder) => writeUpdate(encoder, update));
    for (const socket of room.sockets) socket.send(change);
    if (room.sockets.has(origin)) agent.updated(name, update);
  });
  return room;
}

/** A message of synchronization (0). */
function message(write) {
  const encoder = createEncoder();
  writeVarUint(encoder, 0);
  write(encoder);
  return toUint8Array(encoder);
}
