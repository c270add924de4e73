import { stopAll } from './children.js';
import { startCluster } from './clusterStage.js';
import { type Figure, inRounds, isQuick } from './figures.js';
import { latencies, type Side } from './latencies.js';
import { startPoster, startService, startViewers, untilTrue } from './stage.js';

const rooms = 100;
const rounds = isQuick ? 2 : 5;
const intervalMs = 5;
const run = { connections: 1, perSecond: 100, durationMs: isQuick ? 2000 : 12_000 };
/** More than alone, in milliseconds. */
const aimMs = 5;

/** From a post to its receipt by one viewer at a follower, beside one instance alone; nothing else goes on. */
export async function clusterLatency(): Promise<Figure[]> {
  const env = { FRAME_INTERVAL_MS: `${intervalMs}` };
  const [poster, posterOfAlone] = [await startPoster(rooms), await startPoster(rooms)];
  const cluster = await startCluster([poster.ready.id], 1, env);
  const [follower] = cluster.followers;
  if (!follower) throw new Error('there is no follower');
  const alone = await startService([posterOfAlone.ready.id], env);
  const sides: Record<'ours' | 'alone', Side> = {
    ours: { sender: follower, viewers: await startReader(follower.ready.url) },
    alone: { sender: alone, viewers: await startReader(alone.ready.url) },
  };
  await untilTrue(sides.ours.viewers, poster);
  await untilTrue(sides.alone.viewers, posterOfAlone);
  const round = async (order: typeof run) => ({
    ours: await latencies(sides.ours, poster, { run: order, intervalMs }),
    alone: await latencies(sides.alone, posterOfAlone, { run: order, intervalMs }),
  });
  await round({ ...run, durationMs: 700 });
  const all = await inRounds(rounds, () => round(run));
  await stopAll(sides.ours.viewers, sides.alone.viewers);
  await cluster.stop();
  await stopAll(alone, poster, posterOfAlone);
  return [
    {
      figure: 'from a post to a viewer at a follower, beyond one instance alone, idle: p50',
      unit: 'ms',
      aim: aimMs,
      mayBeZero: true,
      rounds: all.map(({ ours, alone: beside }) => ({
        ours: ours.p50 - beside.p50,
        loadShare: Math.max(ours.loadShare, beside.loadShare),
        notes: {
          'at a follower': ours.p50,
          alone: beside.p50,
          'at a follower, p99': ours.p99,
          'alone, p99': beside.p99,
        },
      })),
    },
  ];
}

const startReader = (url: string) =>
  startViewers({
    url,
    path: '/api/events?stream=changes',
    viewers: 1,
    readers: 1,
    notesChanges: true,
  });
