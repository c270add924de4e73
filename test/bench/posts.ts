/**
 * What a post costs: processor time for one delta over 10 and 50 kept connections, and deltas a second in
 * batches of 100, all of them counted by the machine; beside it the same bodies taken by bare Koa and by
 * `node:http`. The counts are compared with the truth at the end.
 */
import got from 'got';
import { type BenchChild, startChild } from './children.js';
import { median, report, until } from './figures.js';
import type { PostResult, PostRun } from './posterProcess.js';
import type { Usage } from './usage.js';
import type { Seen } from './viewersProcess.js';

const isQuick = process.argv.includes('--quick');
const rounds = isQuick ? 2 : 7;
/** The same for all: how often a process wakes up is part of what a post costs it. */
const perSecond = 5000;
const durationMs = isQuick ? 800 : 3000;

interface Taker {
  process: BenchChild<{ url: string }>;
  /** Where to post; undefined: to the events URL that it gives out. */
  url?: string;
}
interface Measured {
  /** Processor time of whoever takes the posts, for one of them. */
  usPerPost: number;
  postsPerSecond: number;
  posterShare: number;
}

const poster = await startChild<{ id: string }>('./posterProcess', { options: { rooms: 100 } });
const koa = await startChild<{ url: string }>('./limits/posts', { options: 'koa' });
const http = await startChild<{ url: string }>('./limits/posts', { options: 'http' });
const service = await startChild<{ url: string }>('./serviceProcess', {
  env: { PORT: '0', PUBSUB_SERVERS: poster.ready.id, RESYNC_INTERVAL_MS: '600000' },
});
const viewer = await startChild('./viewersProcess', {
  options: {
    url: service.ready.url,
    path: '/api/events?stream=changes',
    viewers: 1,
    readers: 1,
  },
});
const stateOf = () => got(`${service.ready.url}/api/state`).json<Record<string, number>>();
await until(async () => (await stateOf()).live === 1);
const takers = {
  ours: { process: service },
  koa: { process: koa, url: koa.ready.url },
  http: { process: http, url: http.ready.url },
};

async function measure({ process: child, url }: Taker, run: Partial<PostRun>): Promise<Measured> {
  const before = await child.ask<Usage>('read');
  const order: PostRun = { connections: 10, durationMs, ...run, ...(url && { url }) };
  const result = await poster.ask<PostResult>('post', order);
  const after = await child.ask<Usage>('read');
  if (result.refused > 0) throw new Error(`${result.refused} posts were refused`);
  return {
    usPerPost: ((after.cpuMs - before.cpuMs) * 1000) / result.posts,
    postsPerSecond: (result.posts * 1000) / result.tookMs,
    posterShare: result.cpuShare,
  };
}

/** Every taker in turn, several rounds; the first one warms up and is not counted. */
async function compare(run: Partial<PostRun>) {
  const all: Record<keyof typeof takers, Measured>[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const ours = await measure(takers.ours, run);
    all.push({ ours, koa: await measure(takers.koa, run), http: await measure(takers.http, run) });
  }
  return all.slice(1);
}

async function costOfOne(connections: number) {
  const all = await compare({ connections, perSecond });
  const ratios = all.map(({ ours, koa }) => ours.usPerPost / koa.usPerPost);
  return {
    figure: `one delta, ${connections} connections`,
    unit: 'µs of processor',
    ours: median(all.map(({ ours }) => ours.usPerPost)),
    limits: {
      'bare Koa': median(all.map(({ koa }) => koa.usPerPost)),
      'node:http': median(all.map(({ http }) => http.usPerPost)),
    },
    ratio: median(ratios),
    aim: 1.3,
    best: Math.min(...ratios),
    notes: {
      'posts a second': median(all.map(({ ours }) => ours.postsPerSecond)),
      'processor share of the poster': median(all.map(({ ours }) => ours.posterShare)),
    },
  };
}

async function batches() {
  const batch = 100;
  const all = await compare({ batch });
  const perSecond = ({ usPerPost }: Measured) => (batch * 1e6) / usPerPost;
  const ratios = all.map(({ ours, http }) => perSecond(ours) / perSecond(http));
  return {
    figure: 'deltas in batches of 100, for each second of processor',
    unit: 'a second',
    ours: Math.round(median(all.map(({ ours }) => perSecond(ours)))),
    limits: { 'node:http': Math.round(median(all.map(({ http }) => perSecond(http)))) },
    ratio: median(ratios),
    aim: 0.6,
    isMoreBetter: true,
    best: Math.max(...ratios),
    notes: {
      'deltas a second, by the clock': median(all.map(({ ours }) => ours.postsPerSecond * batch)),
      'processor share of the poster': median(all.map(({ ours }) => ours.posterShare)),
    },
  };
}

// Compilers of the runtime need some ten thousand posts, the longer the more code there is.
for (const taker of Object.values(takers))
  await measure(taker, { connections: 10, durationMs: 3000 });

const figures = [await costOfOne(10), await costOfOne(50), await batches()];
// What the viewer ended with is the truth.
const { rooms } = await poster.ask<{ rooms: [string, number][] }>('truth');
await until(async () => {
  const seen = new Map((await viewer.ask<Seen>('seen')).rooms);
  return seen.size === rooms.length && rooms.every(([room, count]) => seen.get(room) === count);
});
report('posts of pub-sub servers', figures);
await viewer.stop();
for (const child of [service, koa, http, poster]) await child.stop();
