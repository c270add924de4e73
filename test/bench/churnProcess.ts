/**
 * Pub-sub servers on which people come and go, in a process of its own: rooms are opened, left and never used again,
 * and others with new names take their place.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Lane } from './lanes.js';
import { answerUsage } from './usage.js';

/** How many servers, and rooms and deltas a second of all of them. */
export interface ChurnOptions {
  servers: number;
  rooms: number;
  perSecond: number;
}

/** What is true when nothing is on its way, and what was posted. */
export interface ChurnTruth {
  rooms: number;
  connections: number;
  deltas: number;
  refused: number;
}

const { servers, rooms, perSecond } = JSON.parse(process.argv[2] ?? '{}') as ChurnOptions;
const tickMs = 20;
const mostInRoom = 4;
/** Of the deltas, those of rooms that are left for good. */
const shareLeft = 0.05;

let serial = 0;
let deltas = 0;
let refused = 0;
let isRunning = false;
let seed = 1;

/** From 0 up to a number, the same in every run. */
function random(below: number): number {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % below;
}

class Churned {
  /** Names of the rooms that are in use, and the connections in each. */
  readonly #names = Array.from({ length: Math.ceil(rooms / servers) }, newName);
  readonly counts = new Map(this.#names.map((name) => [name, 1 + random(mostInRoom)]));
  #eventsUrl: URL | undefined;
  #lane: Lane | undefined;
  #isBusy = false;
  #due = 0;

  listen(): Promise<number> {
    const server = createServer(async (req, res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      if (req.method !== 'PUT') return void res.end('okay');
      const told = JSON.parse(String(Buffer.concat(chunks))) as {
        active?: boolean;
        eventsUrl?: string;
      };
      if (told.active === undefined) return void res.end('okay');
      this.#eventsUrl = told.active && told.eventsUrl ? new URL(told.eventsUrl) : undefined;
      res.setHeader('Content-Type', 'application/json');
      res.end(JSON.stringify([...this.counts].map(([name, count]) => ({ [name]: count }))));
    });
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  }

  /** Posts so many more deltas, or with the next post if one is on its way. */
  async post(more: number): Promise<void> {
    this.#due += more;
    const url = this.#eventsUrl;
    if (this.#isBusy || !url || this.#due < 1) return;
    this.#isBusy = true;
    const batch: string[] = [];
    for (; this.#due >= 1; this.#due -= 1) batch.push(...this.#change());
    const body = `[${batch.join(',')}]`;
    this.#lane ??= new Lane(url.hostname, Number(url.port));
    const head = `POST ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: application/json\r\n`;
    const status = await this.#lane.post(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    deltas += batch.length;
    if (status !== 204) refused += 1;
    this.#isBusy = false;
  }

  get isIdle(): boolean {
    return !this.#isBusy;
  }

  /** Somebody comes or goes. Now and then all go, and another room takes the place. */
  #change(): string[] {
    const slot = random(this.#names.length);
    const name = this.#names[slot] ?? '';
    const count = this.counts.get(name) ?? 0;
    if (random(1000) < shareLeft * 1000) {
      const next = newName();
      this.#names[slot] = next;
      this.counts.delete(name);
      this.counts.set(next, 1);
      return [...Array.from({ length: count }, () => delta(name, -1)), delta(next, 1)];
    }
    const isOpened = count === 0 || (count < mostInRoom && random(2) === 0);
    const add = isOpened ? 1 : -1;
    if (count + add === 0) this.counts.delete(name);
    else this.counts.set(name, count + add);
    return [delta(name, add)];
  }
}

function newName(): string {
  serial += 1;
  return `workspace-${serial % 97}%2Fdoc:${serial}`;
}

const delta = (room: string, add: number) => `{"room":"${room}","add":${add}}`;

const all = Array.from({ length: servers }, () => new Churned());

function truth(): ChurnTruth {
  const counts = all.flatMap((server) => [...server.counts.values()]);
  const connections = counts.reduce((sum, count) => sum + count, 0);
  return { rooms: counts.length, connections, deltas, refused };
}

/** A late tick catches up. */
let ticked = performance.now();
setInterval(() => {
  const now = performance.now();
  const due = ((now - ticked) / 1000) * perSecond;
  ticked = now;
  if (isRunning) for (const server of all) void server.post(due / servers);
}, tickMs);

process.on('message', ({ type }: { type: string }) => {
  if (type === 'begin') {
    isRunning = true;
    process.send?.({ type });
  }
  if (type === 'end') {
    isRunning = false;
    process.send?.({ type, isIdle: all.every(({ isIdle }) => isIdle), ...truth() });
  }
});
answerUsage();
const ports = await Promise.all(all.map((server) => server.listen()));
process.send?.({ type: 'listening', ids: ports.map((port) => `127.0.0.1:${port}`) });
