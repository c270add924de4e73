/**
 * What a post costs: processor time for one delta over 10 and 50 kept connections, and deltas a second in
 * batches of 100, all of them counted by the machine; beside it the same bodies taken by bare Koa and by
 * `node:http`. The counts are compared with the truth at the end.
 */
import { type BenchChild, startChild, stopAll } from './children.js';
import { type Figure, inRounds, isQuick, type Round, report } from './figures.js';
import { measure } from './measure.js';
import type { PostRun } from './posterProcess.js';
import { post, startStage, startViewers, untilLive, untilTrue } from './stage.js';

const rounds = isQuick ? 2 : 7;
/** The same for all: how often a process wakes up is part of what a post costs it. */
const perSecond = 5000;
const durationMs = isQuick ? 500 : 3000;

interface Taker {
  process: BenchChild<{ url: string }>;
  /** Where to post; undefined: to the events URL that it gives out. */
  url?: string;
}

interface Cost {
  usPerPost: number;
  postsPerSecond: number;
  loadShare: number;
}

const startLimit = (kind: string) =>
  startChild<{ url: string }>('./limits/posts', { options: kind });

const stage = await startStage(100);
const { poster, service } = stage;
const koa = await startLimit('koa');
const http = await startLimit('http');
const viewers = await startViewers({
  url: service.ready.url,
  path: '/api/events?stream=changes',
  viewers: 1,
  readers: 1,
});
await untilLive(stage);
const takers = {
  ours: { process: service },
  koa: { process: koa, url: koa.ready.url },
  http: { process: http, url: http.ready.url },
};

async function costOf({ process: child, url }: Taker, run: Partial<PostRun>): Promise<Cost> {
  const order: PostRun = { connections: 10, durationMs, ...run, url };
  const { result, cpuMs, loadShare } = await measure(child, [poster], () => post(poster, order));
  return {
    usPerPost: (cpuMs * 1000) / result.posts,
    postsPerSecond: (result.posts * 1000) / result.tookMs,
    loadShare,
  };
}

/** Every taker in turn, several rounds; the first one warms up and is not counted. */
async function compare(run: Partial<PostRun>) {
  const all = await inRounds(rounds + 1, async () => ({
    ours: await costOf(takers.ours, run),
    koa: await costOf(takers.koa, run),
    http: await costOf(takers.http, run),
  }));
  return all.slice(1);
}

async function costOfOne(connections: number): Promise<Figure> {
  const all = await compare({ connections, perSecond });
  return {
    figure: `one delta, ${connections} connections`,
    unit: 'µs of processor',
    aim: 1.3,
    needsSpareLoad: true,
    rounds: all.map(
      ({ ours, koa, http }): Round => ({
        ours: ours.usPerPost,
        limits: { 'bare Koa': koa.usPerPost, 'node:http': http.usPerPost },
        loadShare: Math.max(ours.loadShare, koa.loadShare, http.loadShare),
        notes: {
          'posts a second': ours.postsPerSecond,
        },
      }),
    ),
  };
}

async function batches(): Promise<Figure> {
  const batch = 100;
  const all = await compare({ batch });
  const perCpuSecond = ({ usPerPost }: Cost) => Math.round((batch * 1e6) / usPerPost);
  const byTheClock = ({ postsPerSecond }: Cost) => Math.round(batch * postsPerSecond);
  return {
    figure: 'deltas in batches of 100, for each second of processor',
    unit: 'a second',
    aim: 0.6,
    isMoreBetter: true,
    needsSpareLoad: true,
    rounds: all.map(
      ({ ours, koa, http }): Round => ({
        ours: perCpuSecond(ours),
        limits: { 'node:http': perCpuSecond(http), 'bare Koa': perCpuSecond(koa) },
        loadShare: Math.max(ours.loadShare, koa.loadShare, http.loadShare),
        notes: {
          'deltas a second, by the clock': byTheClock(ours),
          'the same, node:http': byTheClock(http),
        },
      }),
    ),
  };
}

// Compilers of the runtime need some ten thousand posts, the longer the more code there is.
for (const taker of Object.values(takers))
  await costOf(taker, { connections: 10, durationMs: isQuick ? 1500 : 3000 });

const figures = [await costOfOne(10), await costOfOne(50), await batches()];
await untilTrue(viewers, poster);
report('posts of pub-sub servers', figures);
await stopAll(viewers, service, koa, http, poster);
