import { stopAll } from './children.js';
import { type ClusterStage, startCluster } from './clusterStage.js';
import { type FanOutCase, type Fans, measureFrames, startFansOf, startOurs } from './fans.js';
import { type Figure, inRounds, isQuick } from './figures.js';
import { startPoster, startStage, untilLive, untilTrue } from './stage.js';

const rounds = isQuick ? 2 : 5;
const run = { connections: 4, perSecond: 50, durationMs: isQuick ? 800 : 5000 };
const warmUp = { ...run, durationMs: 600 };

/** In the long form every instance has as many viewers, the leader too. */
const each: FanOutCase = isQuick
  ? { viewers: 1000, rooms: 100, stream: 'changes', intervalMs: 50 }
  : { viewers: 5000, rooms: 100, stream: 'changes', intervalMs: 250 };

/** What a frame costs a follower for each viewer, beside one instance alone. */
export async function clusterFrames(): Promise<Figure[]> {
  const env = { FRAME_INTERVAL_MS: `${each.intervalMs}` };
  const alone = await startStage(each.rooms, env);
  const ofAlone = await startOurs(alone, each);
  await untilLive(alone);
  const poster = await startPoster(each.rooms);
  const cluster = await startCluster([poster.ready.id], isQuick ? 1 : 2, env);
  const all = await fansOfAll(cluster);
  const [ofFollower] = all as [Fans, ...Fans[]];
  for (const { viewers } of all) await untilTrue(viewers, poster);
  await untilTrue(ofAlone.viewers, alone.poster);
  const round = async (order: typeof run) => ({
    follower: await measureFrames(ofFollower, poster, each, order),
    alone: await measureFrames(ofAlone, alone.poster, each, order),
  });
  await round(warmUp);
  const results = await inRounds(rounds, () => round(run));
  for (const { viewers } of all) await untilTrue(viewers, poster);
  await stopAll(ofAlone.viewers, ...all.map(({ viewers }) => viewers));
  await cluster.stop();
  await stopAll(alone.service, alone.poster, poster);
  return [
    {
      figure: `a frame to each of ${each.viewers} viewers at a follower, ${each.rooms} rooms, changes`,
      unit: 'µs of processor',
      aim: 1.1,
      needsSpareLoad: true,
      rounds: results.map(({ follower, alone: beside }) => ({
        ours: follower.usPerFrame,
        limits: { 'one instance alone': beside.usPerFrame },
        loadShare: Math.max(follower.loadShare, beside.loadShare),
        notes: {
          'frames a second': follower.framesPerSecond,
          'frames a second alone': beside.framesPerSecond,
        },
      })),
    },
  ];
}

/** That of the first follower comes first. */
async function fansOfAll({ leader, followers }: ClusterStage): Promise<Fans[]> {
  const senders = isQuick ? followers : [...followers, leader];
  const fans: Fans[] = [];
  for (const sender of senders) fans.push(await startFansOf(sender, each));
  return fans;
}
