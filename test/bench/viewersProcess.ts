/**
 * Many viewers of one stream in a process of its own. All of them count bytes; a few read every message,
 * and note when each room came to a count.
 */
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { createParser } from 'eventsource-parser';
import { answerUsage, monotonicMs, usage } from './usage.js';

interface Options {
  url: string;
  path: string;
  viewers: number;
  /** Those that read; the others count bytes. */
  readers: number;
}

/** What the viewers saw since the last `mark`. */
export interface Seen {
  viewers: number;
  /** Messages that a reader got. */
  frames: number;
  frameBytes: number;
  leastBytes: number;
  mostBytes: number;
  /** Viewers that the service ended. */
  ended: number;
  /** For each reader when it saw a count of a room, by the machine's monotonic clock. */
  changes: [room: string, count: number, atMs: number][][];
  /** The rooms as the last reader has them. */
  rooms: [room: string, count: number][];
}

/** What the last reader has: rooms, and the sum of their counts. */
export interface Size {
  rooms: number;
  connections: number;
}

const { url, path, viewers, readers } = JSON.parse(process.argv[2] ?? '{}') as Options;
const { hostname, port, host } = new URL(url);

/** One that counts the bytes of its connection. */
class Viewer {
  bytes = 0;
  isEnded = false;
  socket: Socket | undefined;

  /** Resolves with its first bytes, or its end. */
  open(): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(Number(port), hostname);
      this.socket = socket;
      this.isEnded = false;
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/event-stream\r\n\r\n`);
      socket.on('data', (chunk) => {
        this.bytes += chunk.length;
        resolve();
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        if (this.socket === socket) this.isEnded = true;
        resolve();
      });
    });
  }
}

/** One that reads every message. */
class Reader {
  bytes = 0;
  frames = 0;
  changes: Seen['changes'][number] = [];
  rooms = new Map<string, number>();
  readonly #parser = createParser({ onEvent: ({ event, data }) => this.#read(event, data) });

  open(): Promise<void> {
    return new Promise((resolve) => {
      get(`${url}${path}`, (res) => {
        res.setEncoding('utf8').on('data', (text: string) => {
          this.bytes += text.length;
          this.#parser.feed(text);
          resolve();
        });
        res.on('error', () => {});
      });
    });
  }

  #read(event: string | undefined, data: string): void {
    const message = JSON.parse(data);
    const rooms: Record<string, number> | undefined = event ? message.rooms : message;
    if (!rooms) return;
    this.frames += 1;
    const atMs = monotonicMs();
    const before = this.rooms;
    if (event !== 'changes') this.rooms = new Map();
    for (const [room, count] of Object.entries(rooms)) {
      if (before.get(room) !== count) this.changes.push([room, count, atMs]);
      if (count === 0) this.rooms.delete(room);
      else this.rooms.set(room, count);
    }
  }
}

const all = Array.from({ length: viewers - readers }, () => new Viewer());
for (let first = 0; first < all.length; first += 100)
  await Promise.all(all.slice(first, first + 100).map((viewer) => viewer.open()));

const reading = Array.from({ length: readers }, () => new Reader());
for (const reader of reading) await reader.open();

function seen(): Seen {
  const bytes = all.map((viewer) => viewer.bytes);
  const [reader] = reading;
  return {
    viewers,
    frames: reader?.frames ?? 0,
    frameBytes: reader ? reader.bytes / Math.max(1, reader.frames) : 0,
    leastBytes: Math.min(...bytes),
    mostBytes: Math.max(...bytes),
    ended: all.filter(({ isEnded }) => isEnded).length,
    changes: reading.map(({ changes }) => changes),
    rooms: [...(reading.at(-1)?.rooms ?? [])],
  };
}

process.on('message', async ({ type, amount = 0 }: { type: string; amount?: number }) => {
  if (type === 'mark') {
    for (const viewer of all) viewer.bytes = 0;
    for (const reader of reading) {
      reader.bytes = 0;
      reader.frames = 0;
      reader.changes = [];
    }
    process.send?.({ type });
  }
  if (type === 'seen') process.send?.({ type, ...seen() });
  if (type === 'size') {
    const counts = [...(reading.at(-1)?.rooms.values() ?? [])];
    const connections = counts.reduce((sum, count) => sum + count, 0);
    process.send?.({ type, rooms: counts.length, connections });
  }
  if (type === 'stopReading') {
    for (const { socket } of all) socket?.pause();
    process.send?.({ type });
  }
  if (type === 'reconnect') {
    const some = all.slice(0, amount);
    for (const viewer of some) viewer.socket?.destroy();
    await Promise.all(some.map((viewer) => viewer.open()));
    process.send?.({ type, ...usage() });
  }
});
answerUsage();
process.send?.({ type: 'listening' });
