/**
 * From a post to its receipt by a viewer: with one viewer and nothing else going on, and with 1,000
 * viewers while 50 events a second come in; beside it a program that only writes what was posted to all,
 * in the same frames. Clocks are the machine's: all processes share it.
 */
import { type BenchChild, startChild } from './children.js';
import { type Figure, median, report } from './figures.js';
import type { PostResult, PostRun } from './posterProcess.js';
import { startStage, startViewers, untilLive, untilTrue } from './stage.js';
import type { Seen } from './viewersProcess.js';

const isQuick = process.argv.includes('--quick');
const rounds = isQuick ? 1 : 5;
const rooms = 100;
const intervalMs = 50;

interface Case {
  name: string;
  viewers: number;
  readers: number;
  run: PostRun;
}

const cases: Case[] = [
  {
    name: 'one viewer, idle',
    viewers: 1,
    readers: 1,
    // Slower than frames come: every post finds the service at rest.
    run: { connections: 1, perSecond: 10, durationMs: isQuick ? 3000 : 12_000 },
  },
  {
    name: '1,000 viewers, 50 events a second',
    viewers: 1000,
    readers: 5,
    run: { connections: 4, perSecond: 50, durationMs: isQuick ? 3000 : 12_000 },
  },
];

interface Latencies {
  p50: number;
  p99: number;
}

/** For every post and reader the time until the reader had its count, or a later one. */
function latenciesOf({ posted }: PostResult, { changes }: Seen): Latencies {
  const latencies = changes.flatMap((seenByOne) => {
    const byRoom = new Map<string, [count: number, atMs: number][]>();
    for (const [room, count, atMs] of seenByOne)
      byRoom.set(room, [...(byRoom.get(room) ?? []), [count, atMs]]);
    return posted.map(([room, count, postedAt]) => {
      const [, seenAt] = byRoom.get(room)?.find(([shown]) => shown >= count) ?? [];
      if (seenAt === undefined) throw new Error(`nobody was told of ${count} in ${room}`);
      return seenAt - postedAt;
    });
  });
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

async function measure(
  poster: BenchChild<object>,
  viewers: BenchChild<object>,
  { run }: Case,
  url?: string,
): Promise<Latencies> {
  const order = { ...run, ...(url && { url }) };
  await poster.ask<PostResult>('post', { ...order, durationMs: 1000 });
  await viewers.ask('mark');
  const result = await poster.ask<PostResult>('post', order);
  // The last frame comes after the last answer.
  await new Promise((resolve) => setTimeout(resolve, 4 * intervalMs));
  return latenciesOf(result, await viewers.ask<Seen>('seen'));
}

async function ours(each: Case): Promise<Latencies> {
  const stage = await startStage(rooms, { FRAME_INTERVAL_MS: `${intervalMs}` });
  const { viewers: amount, readers } = each;
  const viewers = await startViewers({
    url: stage.service.ready.url,
    path: '/api/events?stream=changes',
    viewers: amount,
    readers,
  });
  await untilLive(stage);
  const latencies = await measure(stage.poster, viewers, each);
  await untilTrue(viewers, stage.poster);
  await viewers.stop();
  await stage.service.stop();
  await stage.poster.stop();
  return latencies;
}

async function limit(each: Case): Promise<Latencies> {
  const options = { kind: 'res.write', intervalMs, frameBytes: 100 };
  const program = await startChild<{ url: string }>('./limits/fanOut', { options });
  const poster = await startChild<object>('./posterProcess', { options: { rooms } });
  const { url } = program.ready;
  const { viewers: amount, readers } = each;
  const viewers = await startViewers({ url, path: '/', viewers: amount, readers });
  const latencies = await measure(poster, viewers, each, url);
  await viewers.stop();
  await program.stop();
  await poster.stop();
  return latencies;
}

async function figuresOf(each: Case): Promise<Figure[]> {
  const all: Record<'ours' | 'limit', Latencies>[] = [];
  for (let round = 0; round < rounds; round += 1)
    all.push({ ours: await ours(each), limit: await limit(each) });
  return (['p50', 'p99'] as const).map((name) => {
    const one = (side: 'ours' | 'limit') => median(all.map((round) => round[side][name]));
    const beside = { 'a bare program': one('limit') };
    const about = { figure: `${each.name}: ${name}`, unit: 'ms', ours: one('ours') };
    if (each.viewers > 1 && name === 'p99') {
      // May take a frame interval, and twice what a bare program needs beyond it.
      const over = all.map((round) => round.ours.p99 / (intervalMs + 2 * round.limit.p99));
      return { ...about, limits: beside, ratio: median(over), aim: 1, best: Math.min(...over) };
    }
    const ratios = all.map((round) => round.ours[name] / round.limit[name]);
    return { ...about, limits: beside, ratio: median(ratios), aim: 2, best: Math.min(...ratios) };
  });
}

const figures: Figure[] = [];
for (const each of cases) figures.push(...(await figuresOf(each)));
report('from a post to its receipt', figures);
