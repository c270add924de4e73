/**
 * One pub-sub server that posts as fast as it is answered, or at a rate; in a process of its own. It
 * speaks to the service by the contract, and to a limit program with the same path and token. Sockets are
 * raw: what an HTTP client costs would be measured otherwise.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Lane, Lanes } from './lanes.js';
import { answerUsage, monotonicMs } from './usage.js';

interface Options {
  /** Rooms in its snapshot, each with one connection. */
  rooms: number;
}

/** What a run is told: where to, by how many connections, for how long, how fast. */
export interface PostRun {
  /** In place of the service. */
  url?: string | undefined;
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
  /** When a room came to a count, by the machine's monotonic clock; of paced runs. */
  posted: [room: string, count: number, atMs: number][];
}

type Run = Omit<PostResult, 'tookMs'>;

const { rooms } = JSON.parse(process.argv[2] ?? '{}') as Options;
/** What the service is to show. */
const truth = new Map<string, number>();
for (let index = 0; index < rooms; index += 1) truth.set(`room-${index}`, 1);
/** What limit programs were told, which begin with nothing. */
const elsewhere = new Map<string, Map<string, number>>();
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

function countsOf({ url }: PostRun): Map<string, number> {
  if (url === undefined) return truth;
  const counts = elsewhere.get(url) ?? new Map<string, number>();
  elsewhere.set(url, counts);
  return counts;
}

/** Makes the requests of a run: one more connection in the next room, in turn. */
class Requests {
  readonly #counts: Map<string, number>;
  readonly #order: PostRun;
  #url = '';
  #head = '';

  constructor(order: PostRun) {
    this.#counts = countsOf(order);
    this.#order = order;
  }

  /** The room of a request with one delta, and its count from then on. */
  next(): { text: string; room: string; count: number } {
    const { room, count } = this.#open();
    return { text: this.#textOf(deltaOf(room)), room, count };
  }

  nextText(): string {
    const { batch } = this.#order;
    if (batch === undefined) return this.next().text;
    const deltas = Array.from({ length: batch }, () => deltaOf(this.#open().room));
    return this.#textOf(`[${deltas.join(',')}]`);
  }

  #textOf(body: string): string {
    if (this.#url !== eventsUrl) this.#turnTo(eventsUrl);
    return `${this.#head}Content-Length: ${body.length}\r\n\r\n${body}`;
  }

  /** The service may give another URL meanwhile, as when it confirms a first snapshot. */
  #turnTo(url: string): void {
    const { pathname, search } = new URL(url);
    const { host } = new URL(this.#order.url ?? url);
    this.#url = url;
    this.#head = `POST ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`;
  }

  #open(): { room: string; count: number } {
    const room = `room-${nextRoom}`;
    nextRoom = (nextRoom + 1) % rooms;
    const count = (this.#counts.get(room) ?? 0) + 1;
    this.#counts.set(room, count);
    return { room, count };
  }
}

/** By hand: in batches `JSON.stringify` would keep this process as busy as the one that is measured. */
const deltaOf = (room: string) => `{"room":"${room}","add":1}`;

async function run(order: PostRun): Promise<PostResult> {
  const { hostname, port } = new URL(order.url ?? eventsUrl);
  const lanes = Array.from({ length: order.connections }, () => new Lane(hostname, Number(port)));
  const beganAt = monotonicMs();
  const result = order.perSecond ? await paced(lanes, order) : await flood(lanes, order);
  const tookMs = monotonicMs() - beganAt;
  for (const lane of lanes) lane.close();
  return { ...result, tookMs };
}

async function flood(lanes: readonly Lane[], order: PostRun): Promise<Run> {
  const requests = new Requests(order);
  const end = performance.now() + order.durationMs;
  let posts = 0;
  let refused = 0;
  const work = async (lane: Lane) => {
    while (performance.now() < end) {
      const status = await lane.post(requests.nextText());
      posts += 1;
      if (status !== 204) refused += 1;
    }
  };
  await Promise.all(lanes.map(work));
  return { posts, refused, posted: [] };
}

async function paced(all: readonly Lane[], order: PostRun): Promise<Run> {
  const { durationMs, perSecond = 1 } = order;
  const requests = new Requests(order);
  const lanes = new Lanes(all);
  const posted: PostResult['posted'] = [];
  const answers: Promise<number>[] = [];
  const total = Math.round((durationMs * perSecond) / 1000);
  const begin = performance.now();
  for (let index = 0; index < total; index += 1) {
    const dueInMs = begin + (index * 1000) / perSecond - performance.now();
    if (dueInMs > 0) await new Promise((resolve) => setTimeout(resolve, dueInMs));
    const lane = await lanes.take();
    const { text, room, count } = requests.next();
    posted.push([room, count, monotonicMs()]);
    const answer = lane.post(text);
    answers.push(answer);
    // Nobody catches a lost lane: it ends this process, and the run with it.
    answer.then(() => lanes.giveBack(lane));
  }
  const statuses = await Promise.all(answers);
  return { posts: total, refused: statuses.filter((status) => status !== 204).length, posted };
}

process.on('message', async ({ type, ...order }: { type: string } & PostRun) => {
  if (type === 'post') process.send?.({ type, ...(await run(order)) });
  if (type === 'truth') process.send?.({ type, rooms: [...truth] });
});
answerUsage();
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ type: 'listening', id: `127.0.0.1:${port}` });
});
