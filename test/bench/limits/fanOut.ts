/**
 * The limit of sending frames: what was posted since the last frame goes to every viewer as one shared
 * buffer, as big as a frame of the service would be, by `res.write`, by `res.write` without chunks around
 * it, or pre-chunked by `socket.write`. No backpressure, no resume, no start: a process of its own.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerUsage } from '../usage.js';

export const fanOutKinds = ['res.write', 'res.write without chunks', 'socket.write'] as const;

/** How often frames go out at the most, and up to how many bytes they are filled. */
export interface Pacing {
  intervalMs: number;
  frameBytes: number;
}

const { kind, ...first } = JSON.parse(process.argv[2] ?? '{}') as Pacing & {
  kind: (typeof fanOutKinds)[number];
};
let { intervalMs, frameBytes } = first;
const viewers = new Set<ServerResponse>();
const counts = new Map<string, number>();
const changed = new Set<string>();
let isScheduled = false;
let lastAt = Number.NEGATIVE_INFINITY;

function broadcast(): void {
  isScheduled = false;
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
    if (kind === 'socket.write') res.socket?.write(chunk);
    else res.write(frame);
  }
}

/** At once when a frame is due, as the service does it. */
function touch(): void {
  if (isScheduled) return;
  isScheduled = true;
  const waitMs = lastAt + intervalMs - performance.now();
  if (waitMs > 0) setTimeout(broadcast, waitMs);
  else setImmediate(broadcast);
}

function addViewer(res: ServerResponse): void {
  if (kind === 'res.write without chunks') {
    res.useChunkedEncodingByDefault = false;
    res.setHeader('Connection', 'close');
  }
  res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(':\n\n');
  viewers.add(res);
  res.on('close', () => viewers.delete(res));
}

const server = createServer((req, res) => {
  if (req.method === 'GET') {
    addViewer(res);
    return;
  }
  let body = '';
  req.on('data', (part) => {
    body += part;
  });
  req.on('end', () => {
    const { room, add } = JSON.parse(body) as { room: string; add: number };
    counts.set(room, (counts.get(room) ?? 0) + add);
    changed.add(room);
    touch();
    res.writeHead(204).end();
  });
});
process.on('message', ({ type, ...pacing }: { type: string } & Pacing) => {
  if (type !== 'pace') return;
  ({ intervalMs, frameBytes } = pacing);
  process.send?.({ type });
});
answerUsage();
server.listen(0, '127.0.0.1', 4096, () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ type: 'listening', url: `http://127.0.0.1:${port}` });
});
