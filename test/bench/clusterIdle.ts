import { setTimeout as pause } from 'node:timers/promises';
import { stopAll } from './children.js';
import { startCluster } from './clusterStage.js';
import { type Figure, inRounds, isQuick } from './figures.js';
import { type Measured, measure } from './measure.js';
import { startPoster, startService } from './stage.js';

const rounds = isQuick ? 1 : 3;
const idleMs = isQuick ? 10_000 : 30_000;
/** By then what was needed for the start has been compiled and collected. */
const calmMs = isQuick ? 5_000 : 60_000;
const followers = 2;

const percentOf = ({ cpuMs, tookMs }: Measured<unknown>) => (100 * cpuMs) / tookMs;

/** What a follower costs that nobody looks at, and what Redis is asked for it. */
export async function clusterIdle(): Promise<Figure[]> {
  const poster = await startPoster(100);
  const node = ['--expose-gc'];
  const env = { BENCH_TURNS: 'none' };
  const cluster = await startCluster([poster.ready.id], followers, env, node);
  const alone = await startService([poster.ready.id], env, node);
  const [follower] = cluster.followers;
  if (!follower) throw new Error('there is no follower');
  await pause(calmMs);
  const all = await inRounds(rounds, async () => {
    const before = await cluster.commands();
    const [ofFollower, ofAlone] = await Promise.all([
      measure(follower, [cluster.leader], () => pause(idleMs)),
      measure(alone, [], () => pause(idleMs)),
    ]);
    return { ofFollower, ofAlone, commands: (await cluster.commands()) - before };
  });
  await cluster.stop();
  await stopAll(alone, poster);
  const instances = 1 + followers;
  return [
    {
      figure: 'a follower that nobody looks at, beyond one instance alone',
      unit: '% of a processor',
      // 0.5 is aimed at: docs/internals/benchmarks.md.
      aim: 1,
      mayBeZero: true,
      rounds: all.map(({ ofFollower, ofAlone }) => ({
        ours: percentOf(ofFollower) - percentOf(ofAlone),
        loadShare: ofFollower.loadShare,
        notes: { 'the follower': percentOf(ofFollower), alone: percentOf(ofAlone) },
      })),
    },
    {
      figure: 'commands of Redis a second, for each instance that nobody looks at',
      unit: 'a second',
      aim: 10,
      rounds: all.map(({ ofFollower: { tookMs, loadShare }, commands }) => ({
        ours: (commands * 1_000) / tookMs / instances,
        loadShare,
      })),
    },
    {
      figure: 'memory of a follower that nobody looks at',
      unit: 'MB',
      aim: 1.2,
      rounds: all.map(({ ofFollower, ofAlone }) => ({
        ours: ofFollower.after.heldMb,
        limits: { 'one instance alone': ofAlone.after.heldMb },
        loadShare: ofFollower.loadShare,
        notes: {
          'memory of the process': ofFollower.after.rssMb,
          'memory of the process alone': ofAlone.after.rssMb,
        },
      })),
    },
  ];
}
