import { setTimeout as pause } from 'node:timers/promises';
import { createRandom } from '../../../server/demo/random.js';
import type { Cluster } from './cluster.js';
import type { Instance } from './instance.js';
import type { Watcher } from './watcher.js';

/** What a scenario found. Times are in milliseconds. */
export interface Findings {
  /** Of each round: from the fault until all viewers were right and complete for good. */
  allRightMs: number[];
  /** The same of each viewer that noticed anything. */
  viewerRightMs: number[];
  /** How the longest of them came about. */
  longest?: string;
  /** More to tell, by name. */
  notes: Record<string, number>;
}

/** A scenario plays its rounds on a cluster that is at rest. */
export interface Scenario {
  readonly name: string;
  /** Rounds of the quick form. */
  readonly quickRounds: number;
  /** Needs networks that can be cut. */
  readonly needsNetwork?: boolean;
  /** Variables of the instances. */
  readonly env?: Record<string, string>;
  readonly play: (cluster: Cluster, rounds: number) => Promise<Findings>;
}

/** One round of a scenario. The first has index 0. */
interface Round {
  cluster: Cluster;
  findings: Findings;
  index: number;
}

const viewers = 9;
const changesPerSecond = 20;
const recoveredWithinMs = 60_000;

/** Has something happen, and measures until all viewers are right and complete for good. */
async function measure(
  { cluster, findings }: Round,
  fault: () => Promise<unknown>,
  { least = 5_000 }: { least?: number } = {},
): Promise<void> {
  await cluster.untilRight();
  const faultAtMs = performance.now();
  await fault();
  // What it takes until the fault is noticed may pass before anything changes.
  await pause(Math.max(0, least - (performance.now() - faultAtMs)));
  await cluster.untilRight(recoveredWithinMs);
  const since = (watcher?: Watcher) => Math.max(0, cluster.referee.lastBadMs(watcher) - faultAtMs);
  noteAllRight({ cluster, findings }, since());
  for (const watcher of cluster.watchers)
    if (since(watcher) > 0) findings.viewerRightMs.push(Math.round(since(watcher)));
}

/** Notes how long after this time all viewers are right and complete for good. */
async function noteRecovery({ cluster, findings }: Round, sinceMs: number): Promise<void> {
  await cluster.untilRight(recoveredWithinMs);
  noteAllRight({ cluster, findings }, cluster.referee.lastBadMs() - sinceMs);
}

function noteAllRight({ cluster, findings }: Omit<Round, 'index'>, ms: number): void {
  const isLongest = findings.allRightMs.every((each) => each < ms);
  findings.allRightMs.push(Math.round(ms));
  if (!isLongest) return;
  const happened = cluster.instances.map(({ url, happened }) => `${url} ${happened.at(-1)}`);
  findings.longest = [...happened, cluster.referee.courseOfLast()].join('; ');
}

/** Kills an instance, and starts it again a moment after. */
async function killAndRestart(instance: Instance): Promise<void> {
  await instance.kill();
  await pause(1_000);
  await instance.start();
}

const sumOf = (watchers: Iterable<Watcher>, name: 'resumed' | 'snapshots') =>
  [...watchers].reduce((sum, { figures }) => sum + figures[name], 0);

function noteResumes(cluster: Cluster, findings: Findings): void {
  findings.notes['reconnections that resumed'] = sumOf(cluster.watchers, 'resumed');
  findings.notes['reconnections with a whole snapshot'] = sumOf(cluster.watchers, 'snapshots');
}

async function untilState(cluster: Cluster, wanted: RegExp): Promise<void> {
  const end = performance.now() + recoveredWithinMs;
  for (;;) {
    const state = await cluster.state().catch((cause: Error) => cause.message);
    if (wanted.test(state)) return;
    if (performance.now() > end) throw new Error(`the state is ${state}, not ${wanted}`);
    await pause(20);
  }
}

async function expectAnotherLeader(cluster: Cluster, before: Instance): Promise<void> {
  if ((await cluster.leader()) === before)
    throw new Error('the leader that reaches no server still leads');
}

/** Plays rounds while counts change. */
function inRounds(playRound: (round: Round) => Promise<void>): Scenario['play'] {
  return async (cluster, rounds) => {
    const findings: Findings = { allRightMs: [], viewerRightMs: [], notes: {} };
    cluster.crowd.churn(changesPerSecond);
    for (let index = 0; index < rounds; index += 1) await playRound({ cluster, findings, index });
    return findings;
  };
}

/** The same with viewers, who are right and complete at the beginning of each round. */
function inWatchedRounds(playRound: (round: Round) => Promise<void>): Scenario['play'] {
  const play = inRounds(async (round) => {
    await round.cluster.untilRight();
    await playRound(round);
  });
  return async (cluster, rounds) => {
    cluster.watch(viewers);
    const findings = await play(cluster, rounds);
    noteResumes(cluster, findings);
    return findings;
  };
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'the leader is killed under load',
    quickRounds: 2,
    play: inWatchedRounds(async (round) => {
      const leader = await round.cluster.leader();
      await measure(round, () => killAndRestart(leader));
    }),
  },
  {
    name: 'the leader is killed while nobody looks',
    quickRounds: 1,
    play: inRounds(async (round) => {
      const { cluster, index } = round;
      await untilState(cluster, /^inactive$/);
      await killAndRestart(await cluster.leader());
      // Sometimes before there is another leader.
      await pause(index % 2 === 0 ? 0 : 4_000);
      const cameAtMs = performance.now();
      cluster.watch(viewers);
      await noteRecovery(round, cameAtMs);
      cluster.unwatchAll();
    }),
  },
  {
    name: 'the leader is killed during an activation',
    quickRounds: 1,
    play: (cluster, rounds) => {
      const random = createRandom(cluster.options.seed ?? 1);
      const play = inRounds(async (round) => {
        await untilState(cluster, /^inactive$/);
        const leader = await cluster.leader();
        cluster.watch(viewers);
        await pause(random() * 60);
        const killedAtMs = performance.now();
        await killAndRestart(leader);
        await noteRecovery(round, killedAtMs);
        cluster.unwatchAll();
      });
      return play(cluster, rounds);
    },
  },
  {
    name: 'the leader is killed during a deactivation',
    quickRounds: 1,
    play: inRounds(async (round) => {
      const { cluster, index } = round;
      cluster.watch(viewers);
      await cluster.untilRight();
      const leader = await cluster.leader();
      cluster.unwatchAll();
      await untilState(cluster, /^(deactivating|inactive)$/);
      await killAndRestart(leader);
      if (index % 2 === 0) await untilState(cluster, /^inactive$/);
      const cameAtMs = performance.now();
      cluster.watch(viewers);
      await noteRecovery(round, cameAtMs);
      cluster.unwatchAll();
    }),
  },
  {
    name: 'the leader is suspended for 10 s and goes on',
    quickRounds: 1,
    play: inWatchedRounds(async (round) => {
      const { cluster, findings } = round;
      const { referee, watchers } = cluster;
      const leader = await cluster.leader();
      referee.pause(leader.url);
      const suspendedAtMs = performance.now();
      leader.suspend();
      const others = [...watchers].filter(({ instance }) => instance !== leader.url);
      await pause(10_000);
      const worst = Math.max(...others.map((each) => referee.lastBadMs(each)));
      findings.viewerRightMs.push(Math.max(0, Math.round(worst - suspendedAtMs)));
      const resumedAtMs = performance.now();
      leader.resume();
      referee.resume(leader.url);
      await pause(5_000);
      await noteRecovery(round, resumedAtMs);
    }),
  },
  {
    name: 'Redis is killed and restarted empty',
    quickRounds: 1,
    play: inWatchedRounds(async (round) => {
      const { cluster, index } = round;
      await cluster.redis.stop();
      await pause(index % 2 === 0 ? 6_000 : 500);
      const startedAtMs = performance.now();
      await cluster.redis.restart();
      await pause(5_000);
      await noteRecovery(round, startedAtMs);
    }),
  },
  {
    name: 'the leader reaches no server, while their posts arrive',
    quickRounds: 1,
    play: inWatchedRounds(async (round) => {
      const { cluster } = round;
      const leader = await cluster.leader();
      const ports = cluster.servers.map(({ port }) => port);
      await measure(round, async () => leader.cutOff(ports), { least: 15_000 });
      await expectAnotherLeader(cluster, leader);
      leader.cutOff([]);
    }),
  },
  {
    name: 'the leader is cut off from the servers, not from Redis',
    quickRounds: 1,
    needsNetwork: true,
    play: inWatchedRounds(async (round) => {
      const { cluster } = round;
      const { network } = cluster.options;
      const leader = await cluster.leader();
      const index = cluster.instances.indexOf(leader);
      await measure(round, async () => network?.cutServers(index), { least: 15_000 });
      await expectAnotherLeader(cluster, leader);
      network?.mend(index);
    }),
  },
  {
    name: 'the leader is cut off from Redis, not from the servers',
    quickRounds: 1,
    needsNetwork: true,
    play: inWatchedRounds(async (round) => {
      const { cluster } = round;
      const { network } = cluster.options;
      const index = cluster.instances.indexOf(await cluster.leader());
      network?.cutRedis(index);
      // Its own viewers have incomplete numbers until it is mended.
      await pause(10_000);
      const mendedAtMs = performance.now();
      network?.mend(index);
      await pause(5_000);
      await noteRecovery(round, mendedAtMs);
    }),
  },
  {
    name: 'viewers who come back to another instance resume',
    quickRounds: 2,
    play: inWatchedRounds(async (round) => {
      const { watchers } = round.cluster;
      const before = sumOf(watchers, 'resumed');
      const cut = async () => {
        for (const watcher of watchers) watcher.cut();
      };
      await measure(round, cut, { least: 3_000 });
      const resumed = sumOf(watchers, 'resumed') - before;
      if (resumed !== viewers)
        throw new Error(
          `${resumed} of ${viewers} viewers resumed, ${sumOf(watchers, 'snapshots')} got a whole snapshot`,
        );
    }),
  },
  {
    name: 'all instances are replaced one by one under load',
    quickRounds: 1,
    play: inWatchedRounds(async (round) => {
      for (const instance of round.cluster.instances) {
        await measure(round, async () => {
          const code = await instance.terminate();
          if (code !== 0) throw new Error(`${instance.url} exited with ${code}`);
          await instance.start();
        });
      }
    }),
  },
];
