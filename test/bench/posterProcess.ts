/**
 * One pub-sub server that posts as fast as it is answered, or at a rate; in a process of its own. It
 * speaks to the service by the contract, and to a limit program by its URL. Sockets are raw: what an
 * HTTP client costs would be measured otherwise.
 */
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { answerUsage, monotonicMs, usage } from './usage.js';

interface Options {
  /** Rooms in its snapshot, each with one connection. */
  rooms: number;
}

/** What a run is told: where to, by how many connections, for how long, how fast. */
export interface PostRun {
  /** In place of the events URL. */
  url?: string;
  connections: number;
  durationMs: number;
  /** Deltas in one body. */
  batch?: number;
  /** Posts in a second over all connections; without it as many as are answered. */
  perSecond?: number;
}

/** What a run says at its end. */
export interface PostResult {
  posts: number;
  refused: number;
  tookMs: number;
  /** Of this process, of one processor: near 1 it was the bottleneck. */
  cpuShare: number;
  /** When a room came to a count, by the machine's monotonic clock; of paced runs. */
  posted: [room: string, count: number, atMs: number][];
}

const { rooms } = JSON.parse(process.argv[2] ?? '{}') as Options;
/** What the service is to show. */
const truth = new Map<string, number>();
for (let index = 0; index < rooms; index += 1) truth.set(`room-${index}`, 1);
/** What a limit program was told, which begins with nothing. */
const elsewhere = new Map<string, number>();
let eventsUrl = '';
let nextRoom = 0;

const server = createServer((req, res) => {
  let body = '';
  req.on('data', (chunk) => {
    body += chunk;
  });
  req.on('end', () => {
    if (req.method !== 'PUT') return void res.end('okay');
    const told = JSON.parse(body) as { active: boolean; eventsUrl: string };
    eventsUrl = told.eventsUrl;
    if (!told.active) return void res.end('okay');
    const entries = [...truth].map(([room, count]) => ({ [room]: count }));
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify(entries));
  });
});

const countsOf = ({ url }: PostRun) => (url ? elsewhere : truth);

/** One more connection in the next room, in turn. */
function open(order: PostRun): { room: string; add: 1 } {
  const room = `room-${nextRoom}`;
  nextRoom = (nextRoom + 1) % rooms;
  const counts = countsOf(order);
  counts.set(room, (counts.get(room) ?? 0) + 1);
  return { room, add: 1 };
}

function request(order: PostRun): string {
  const { url = eventsUrl, batch } = order;
  const { host, pathname, search } = new URL(url);
  const path = pathname === '/' ? '/api/events' : pathname;
  const body = JSON.stringify(
    batch ? Array.from({ length: batch }, () => open(order)) : open(order),
  );
  const head = `POST ${path}${search} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`;
  return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** One connection: resolves when the answer to what it sent has come; its status. */
class Lane {
  readonly #socket: Socket;
  #answered: (status: number) => void = () => {};
  #text = '';

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname).setNoDelay();
    this.#socket.on('data', (chunk) => this.#take(String(chunk)));
    this.#socket.on('close', () => this.#answered(0));
    this.#socket.on('error', () => {});
  }

  post(text: string): Promise<number> {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#socket.write(text);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    this.#text += chunk;
    // Answers of 204 have no body; every other is a failure of the run.
    if (!this.#text.includes('\r\n\r\n')) return;
    const status = Number(this.#text.slice(9, 12));
    this.#text = '';
    this.#answered(status);
  }
}

async function run(order: PostRun): Promise<PostResult> {
  const lanes = Array.from({ length: order.connections }, () => new Lane(order.url ?? eventsUrl));
  const before = usage();
  const result = order.perSecond ? await paced(lanes, order) : await flood(lanes, order);
  const after = usage();
  for (const lane of lanes) lane.close();
  const tookMs = after.atMs - before.atMs;
  return { ...result, tookMs, cpuShare: (after.cpuMs - before.cpuMs) / tookMs };
}

async function flood(lanes: Lane[], order: PostRun) {
  const end = performance.now() + order.durationMs;
  let posts = 0;
  let refused = 0;
  const work = async (lane: Lane) => {
    while (performance.now() < end) {
      const status = await lane.post(request(order));
      posts += 1;
      if (status !== 204) refused += 1;
      if (status === 0) return;
    }
  };
  await Promise.all(lanes.map(work));
  return { posts, refused, posted: [] };
}

async function paced(lanes: Lane[], order: PostRun) {
  const { durationMs, perSecond = 1 } = order;
  const posted: PostResult['posted'] = [];
  const free = [...lanes];
  const answers: Promise<void>[] = [];
  const total = Math.round((durationMs * perSecond) / 1000);
  let refused = 0;
  const begin = performance.now();
  for (let index = 0; index < total; index += 1) {
    const dueInMs = begin + (index * 1000) / perSecond - performance.now();
    if (dueInMs > 0) await new Promise((resolve) => setTimeout(resolve, dueInMs));
    let lane = free.shift();
    while (!lane) {
      await new Promise((resolve) => setImmediate(resolve));
      lane = free.shift();
    }
    const text = request(order);
    const room = /"room":"([^"]+)"/.exec(text)?.[1] ?? '';
    posted.push([room, countsOf(order).get(room) ?? 0, monotonicMs()]);
    const used = lane;
    const answer = used.post(text).then((status) => {
      if (status !== 204) refused += 1;
      free.push(used);
    });
    answers.push(answer);
  }
  await Promise.all(answers);
  return { posts: total, refused, posted };
}

process.on('message', async ({ type, ...order }: { type: string } & PostRun) => {
  if (type === 'post') process.send?.({ type, ...(await run(order)) });
  if (type === 'truth') process.send?.({ type, rooms: [...truth] });
});
server.listen(0, '127.0.0.1', () => {
  answerUsage();
  const { port } = server.address() as AddressInfo;
  process.send?.({ type: 'listening', id: `127.0.0.1:${port}` });
});
