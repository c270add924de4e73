/**
 * The limit of sending frames: what was posted since the last frame goes to every viewer as one shared
 * buffer, as big as a frame of the service would be, by `res.write` or pre-chunked by `socket.write`.
 * No backpressure, no resume, no start: a process of its own.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerUsage } from '../usage.js';

interface Options {
  kind: 'res.write' | 'socket.write';
  intervalMs: number;
  /** Frames are filled up to so many bytes. */
  frameBytes: number;
}

const { kind, intervalMs, frameBytes } = JSON.parse(process.argv[2] ?? '{}') as Options;
const viewers = new Set<ServerResponse>();
const counts = new Map<string, number>();
const changed = new Set<string>();
let timer: NodeJS.Timeout | undefined;
let lastAt = Number.NEGATIVE_INFINITY;

function broadcast(): void {
  timer = undefined;
  lastAt = performance.now();
  const rooms = Object.fromEntries([...changed].map((room) => [room, counts.get(room)]));
  changed.clear();
  const data = `event: changes\ndata: ${JSON.stringify({ rooms })}`;
  const frame = Buffer.from(`${data.padEnd(frameBytes - 2)}\n\n`);
  const chunk = Buffer.concat([
    Buffer.from(`${frame.length.toString(16)}\r\n`),
    frame,
    Buffer.from('\r\n'),
  ]);
  for (const res of viewers) {
    if (kind === 'res.write') res.write(frame);
    else res.socket?.write(chunk);
  }
}

function touch(): void {
  if (timer) return;
  timer = setTimeout(broadcast, Math.max(0, lastAt + intervalMs - performance.now()));
}

const server = createServer((req, res) => {
  if (req.method === 'GET') {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(':\n\n');
    viewers.add(res);
    res.on('close', () => viewers.delete(res));
    return;
  }
  let body = '';
  req.on('data', (chunk) => {
    body += chunk;
  });
  req.on('end', () => {
    const { room, add } = JSON.parse(body) as { room: string; add: number };
    counts.set(room, (counts.get(room) ?? 0) + add);
    changed.add(room);
    touch();
    res.writeHead(204).end();
  });
});
server.listen(0, '127.0.0.1', 4096, () => {
  const { port } = server.address() as AddressInfo;
  answerUsage();
  process.send?.({ type: 'listening', url: `http://127.0.0.1:${port}` });
});
