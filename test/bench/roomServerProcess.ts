/** A process with one pub-sub server that holds one big room, and answers for it as the contract says. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as Y from 'yjs';
import { answerUsage } from './usage.js';

const { bytes } = JSON.parse(process.argv[2] ?? '{}') as { bytes: number };
const doc = new Y.Doc();
const line = 'The quick brown fox jumps over the lazy dog, again and again. '.repeat(16);
const lines = doc.getArray<string>('lines');
for (let size = 0; size < bytes; size += line.length * 50)
  lines.push(Array.from({ length: 50 }, () => line));
const state = Buffer.from(Y.encodeStateAsUpdate(doc));

const server = createServer((req, res) => {
  req.resume();
  req.on('end', () => {
    if (req.url?.startsWith('/api/room?')) {
      res.setHeader('Content-Type', 'application/octet-stream');
      res.end(state);
      return;
    }
    res.setHeader('Content-Type', 'application/json');
    res.end('[{"big":1}]');
  });
});
answerUsage();
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ type: 'listening', port, bytes: state.length });
});
