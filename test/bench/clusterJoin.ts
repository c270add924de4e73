/**
 * 1,000 servers with 1,000 rooms each: what a follower and the leader need when the follower's first viewer
 * comes, beside another viewer of the leader.
 */
import { stopAll } from './children.js';
import { startCluster } from './clusterStage.js';
import { type Figure, inRounds, isQuick, report } from './figures.js';
import { contentOf, startFleet, untilInactive } from './fleet.js';
import { measure } from './measure.js';
import { startViewers, untilSize } from './stage.js';

const rounds = isQuick ? 1 : 3;
const size = { servers: 1000, hung: 0, rooms: 1000 };
const content = contentOf(size);
/** By then frames of whole states, kept for those who come at the same time, are let go. */
const calmMs = 2500;

async function oneRound() {
  const fleet = await startFleet(size);
  const servers = fleet.ready.ports.map((port) => `127.0.0.1:${port}`);
  const cluster = await startCluster(servers, 1, {}, ['--expose-gc']);
  const { leader } = cluster;
  const [follower] = cluster.followers;
  if (!follower) throw new Error('there is no follower');
  await untilInactive(leader, 100);
  /** A viewer until it has every room. */
  const come = async (at: typeof leader) => {
    const path = '/api/events?stream=changes';
    const viewer = await startViewers({ url: at.ready.url, path, viewers: 0, readers: 0 });
    const measured = await measure(at, [fleet, viewer], async () => {
      await viewer.ask('come');
      return untilSize(viewer, content, 100);
    });
    return { viewer, measured };
  };
  const first = await come(leader);
  const another = await come(leader);
  await new Promise((resolve) => setTimeout(resolve, calmMs));
  await leader.ask('reset');
  const joined = await come(follower);
  const ofLeader = await leader.ask<{ longestTurnMs: number }>('read');
  await new Promise((resolve) => setTimeout(resolve, calmMs));
  const calm = await follower.ask<{ heldMb: number }>('read');
  await stopAll(first.viewer, another.viewer, joined.viewer);
  await cluster.stop();
  await fleet.stop();
  return { another: another.measured, joined: joined.measured, ofLeader, calm };
}

/** What a million rooms cost a follower with its first viewer. */
async function clusterJoin(): Promise<Figure[]> {
  const all = await inRounds(rounds, oneRound);
  const shares = all.map(({ joined }) => joined.loadShare);
  const figure = (name: string, unit: string, aim: number, values: number[]): Figure => ({
    figure: `a million rooms for a follower with its first viewer: ${name}`,
    unit,
    aim,
    rounds: values.map((ours, index) => ({ ours, loadShare: shares[index] ?? Number.NaN })),
  });
  const turns = all.map(({ joined }) => joined.longestTurnMs);
  const turnsOfLeader = all.map(({ ofLeader }) => ofLeader.longestTurnMs);
  const heldBytes = all.map(
    ({ joined, calm }) => ((calm.heldMb - joined.before.heldMb) * 2 ** 20) / content.rooms,
  );
  return [
    {
      ...figure('until it has all', 'ms', 2, []),
      rounds: all.map(({ joined, another }) => ({
        ours: joined.result.lastFrameMs,
        limits: { 'another viewer of the leader': another.result.lastFrameMs },
        loadShare: joined.loadShare,
      })),
    },
    // 50 is aimed at: docs/internals/benchmarks.md.
    figure('longest turn of its event loop', 'ms', 100, turns),
    figure("longest turn of the leader's", 'ms', 50, turnsOfLeader),
    figure('memory for each room', 'bytes', 150, heldBytes),
  ];
}

report('a follower joins a million rooms', await clusterJoin());
