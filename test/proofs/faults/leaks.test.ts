import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { type RedisServer, startRedis } from '../../support/redisServer.js';
import { activationsOf, owns, startDouble } from '../../support/stage.js';
import { type DocServer, startDocServer } from '../../system/rooms/support/docServer.js';
import { dial, viewerRequest } from './support/dial.js';
import type { Census } from './support/preloadedCensus.js';
import { runService, type ServiceRun } from './support/serviceRun.js';
import { signIn } from './support/signIn.js';

const token = 'a-token-of-viewers';
const leaves = ['destroy', 'resetAndDestroy', 'end'] as const;
/** Every kind of stream. `#` makes a new room for each viewer. */
const paths = [
  '/api/events',
  '/api/events?stream=changes',
  '/api/updates',
  '/inspect/events',
  '/api/rooms/r-#/events',
];
/** Viewers at a time. Between two bunches there is no viewer, and all servers are silent. */
const bunch = 25;
const block = 1000;
const warmUp = 500;
/** Optimized code and bounded caches grow in some blocks. A leak grows in every block. */
const maxBlocks = 8;
/** Bytes that a viewer may leave in the heap, on average over a block. */
const maxBytes = 300;
/** Objects of one kind that a block may leave: less than one for each bunch. */
const maxKept = 20;

/** Bytes that a block may add to the heap snapshot of a thread. A leak of its 200 rooms would add thousands each. */
const maxThreadGrowth = 100_000;

const maxSockets = 5;

type Resources = Record<string, number>;

let visited = 0;

/** The server that holds the watched rooms, and the Redis that carries their updates. */
interface Surroundings {
  docs: DocServer;
  redis: RedisServer;
}

/**
 * A viewer signs in, opens a stream, and leaves in one of three ways. It sees the document of its room, or a
 * posted delta, before it leaves.
 */
async function visit(service: ServiceRun, { docs, redis }: Surroundings): Promise<void> {
  visited += 1;
  const i = visited;
  const headers = await signIn(service, token);
  const { socket, text } = dial(service);
  const kind = paths[i % paths.length] ?? '';
  const room = `r-${i}`;
  if (kind.includes('#')) docs.doc(room).getText('text').insert(0, `written in ${room}`);
  socket.write(viewerRequest(kind.replace('#', `${i}`), headers));
  await eventually(() => expect(text()).toContain('data: '));
  if (kind === '/api/events')
    await eventually(async () => {
      if (text().includes(`"${room}":`)) return;
      await docs.announce(room);
      throw new Error(`${room} is not counted yet`);
    });
  if (kind.includes('#')) {
    await eventually(() => expect(text()).toContain(`written in ${room}`));
    await eventually(async () => expect(await redis.subscribers(room)).toBe(1));
    docs.forget(room);
  }
  socket[leaves[i % leaves.length] ?? 'destroy']();
}

async function untilIdle({ url }: ServiceRun): Promise<void> {
  const headers = { Authorization: `Bearer ${token}`, Connection: 'close' };
  await eventually(async () => {
    const answer = await fetch(`${url}/api/state`, { headers });
    expect(await answer.json()).toMatchObject({ state: 'inactive', viewers: 0 });
  });
}

async function visits(service: ServiceRun, viewers: number, around: Surroundings): Promise<void> {
  for (let i = 0; i < viewers; i += bunch) {
    await Promise.all(Array.from({ length: bunch }, () => visit(service, around)));
    await untilIdle(service);
  }
  await eventually(async () => expect(await around.redis.channels()).toEqual([]));
}

const filesOf = ({ pid }: ServiceRun) => readdirSync(`/proc/${pid}/fd`).length;

/** Bytes of one observation: the object, its id and name, and its entries in maps and arrays. */
const maxRowBytes = 500;

/** How many observations the service keeps. Their number is bounded. */
async function observedBy({ url }: ServiceRun): Promise<number> {
  const headers = { Authorization: `Bearer ${token}`, Connection: 'close' };
  const answer = await fetch(`${url}/api/observations`, { headers });
  const { rooms, connections, gaps } = (await answer.json()) as {
    rooms: { kept: number };
    connections: { kept: number };
    gaps: unknown[];
  };
  return rooms.kept + connections.kept + gaps.length;
}

/** The growth between two counts of what a process holds, without its observations. */
function growthOf(before: Census, now: Census, observed: number) {
  const kinds = Object.keys(now.numbers);
  const more = kinds.map((kind) => {
    const growth = (now.numbers[kind] ?? 0) - (before.numbers[kind] ?? 0);
    return [kind, kind === 'objects' ? growth - observed : growth];
  });
  return {
    bytesPerViewer: (now.heapBytes - before.heapBytes - maxRowBytes * observed) / block,
    more: Object.fromEntries(more.filter(([, number]) => Number(number) > maxKept)),
    threads: now.threads.map((size, i) => size - (before.threads[i] ?? 0)),
  };
}

test('1,000 viewers who come and go, with an activation for each bunch, leave nothing behind', async () => {
  const double = await startDouble();
  const docs = await startDocServer();
  const redis = owns(await startRedis(), (it) => it.stop());
  const around = { docs, redis };
  const service = await runService([double, docs], {
    env: {
      REDIS_URL: redis.url,
      LINGER_MS: '0',
      DASHBOARD_TOKEN: token,
      INSPECT: 'true',
      MAX_VIEWERS_PER_ADDRESS: '100',
    },
    imports: ['./preloadedCensus.ts'],
    // Optimizing and flushing compiled code would change the heap by half a megabyte.
    nodeArgs: ['--expose-gc', '--no-opt', '--no-sparkplug', '--no-flush-bytecode'],
  });
  const census = async () => {
    // Connections of this process close after their answer.
    await eventually(async () => {
      const { TCPSocketWrap = 0 } = await service.ask<Resources>({ countResources: true });
      expect(TCPSocketWrap).toBeLessThanOrEqual(maxSockets);
    });
    return service.ask<Census>({ takeCensus: true });
  };
  await visits(service, warmUp, around);
  const files = filesOf(service);
  const activations = activationsOf(double);
  let before = await census();
  let observedBefore = await observedBy(service);
  for (let blocks = 1; ; blocks += 1) {
    await visits(service, block, around);
    expect(activationsOf(double) - activations).toBeGreaterThanOrEqual(blocks * (block / bunch));
    const now = await census();
    const observed = await observedBy(service);
    const { bytesPerViewer, more, threads } = growthOf(before, now, observed - observedBefore);
    observedBefore = observed;
    const grown = threads.filter((growth) => growth > maxThreadGrowth);
    // Two threads: of documents, and of the embedded store.
    expect([before.threads, now.threads]).toEqual([
      [expect.any(Number), expect.any(Number)],
      [expect.any(Number), expect.any(Number)],
    ]);
    before = now;
    if (bytesPerViewer < maxBytes && Object.keys(more).length === 0 && grown.length === 0) break;
    if (blocks < maxBlocks) continue;
    expect(more).toEqual({});
    expect(grown).toEqual([]);
    expect(bytesPerViewer).toBeLessThan(maxBytes);
  }
  await eventually(() => expect(filesOf(service)).toBeLessThanOrEqual(files + maxKept));
}, 480_000);
