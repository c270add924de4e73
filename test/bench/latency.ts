/**
 * From a post to its receipt by a viewer: with one viewer and nothing else going on, and with 1,000
 * viewers while 50 events a second come in; beside it a program that only writes what was posted to all,
 * in the same frames. Clocks are the machine's: all processes share it.
 */
import { startChild, stopAll } from './children.js';
import { type Figure, inRounds, isQuick, type Round, report } from './figures.js';
import { latencies, type Side } from './latencies.js';
import type { PostRun } from './posterProcess.js';
import { startStage, startViewers, untilLive, untilTrue } from './stage.js';

const rooms = 100;

interface Case {
  name: string;
  viewers: number;
  readers: number;
  intervalMs: number;
  run: PostRun;
  rounds: number;
}

const cases: Case[] = [
  {
    name: 'one viewer, idle',
    viewers: 1,
    readers: 1,
    // Frames may come oftener than posts: every post finds the service at rest.
    intervalMs: 5,
    run: { connections: 1, perSecond: 100, durationMs: isQuick ? 2000 : 12_000 },
    rounds: isQuick ? 2 : 5,
  },
  {
    name: '1,000 viewers, 50 events a second',
    viewers: 1000,
    readers: 5,
    intervalMs: 50,
    run: { connections: 4, perSecond: 50, durationMs: isQuick ? 1200 : 12_000 },
    rounds: isQuick ? 2 : 5,
  },
];

async function startLimit({ viewers: amount, readers, intervalMs }: Case): Promise<Side> {
  const options = { kind: 'res.write', intervalMs, frameBytes: 100 };
  const sender = await startChild<{ url: string }>('./limits/fanOut', { options });
  const { url } = sender.ready;
  return { sender, url, viewers: await startReaders(url, '/', amount, readers) };
}

const startReaders = (url: string, path: string, viewers: number, readers: number) =>
  startViewers({ url, path, viewers, readers, notesChanges: true });

/** Both sides in turn, several rounds; the first one is short, warms up and is not counted. */
async function roundsOf(each: Case) {
  const stage = await startStage(rooms, { FRAME_INTERVAL_MS: `${each.intervalMs}` });
  const { poster, service } = stage;
  const path = '/api/events?stream=changes';
  const viewers = await startReaders(service.ready.url, path, each.viewers, each.readers);
  const ours: Side = { sender: service, viewers };
  const limit = await startLimit(each);
  await untilLive(stage);
  const round = async (what: Case) => ({
    ours: await latencies(ours, poster, what),
    limit: await latencies(limit, poster, what),
  });
  await round({ ...each, run: { ...each.run, durationMs: 700 } });
  const all = await inRounds(each.rounds, () => round(each));
  await untilTrue(viewers, poster);
  await stopAll(viewers, limit.viewers, service, limit.sender, poster);
  return all;
}

async function figuresOf(each: Case): Promise<Figure[]> {
  const all = await roundsOf(each);
  return (['p50', 'p99'] as const).map((name) => {
    const isAllowance = each.viewers > 1 && name === 'p99';
    return {
      figure: `${each.name}: ${name}`,
      unit: 'ms',
      aim: isAllowance ? 1 : 2,
      rounds: all.map(({ ours, limit }): Round => {
        const bare = { 'a bare program': limit[name] };
        // May take a frame interval, and twice what a bare program needs beyond it.
        const allowed = { 'a frame and twice a bare program': each.intervalMs + 2 * limit[name] };
        return {
          ours: ours[name],
          limits: isAllowance ? { ...allowed, ...bare } : bare,
          loadShare: Math.max(ours.loadShare, limit.loadShare),
        };
      }),
    };
  });
}

const figures: Figure[] = [];
for (const each of cases) figures.push(...(await figuresOf(each)));
report('from a post to its receipt', figures);
