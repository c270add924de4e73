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
  play(cluster: Cluster, rounds: number): Promise<Findings>;
}

const viewers = 9;
const changesPerSecond = 20;
const recoveredWithinMs = 60_000;
const noFindings = (): Findings => ({ allRightMs: [], viewerRightMs: [], notes: {} });

/** Has something happen, and measures until all viewers are right and complete for good. */
async function measure(
  cluster: Cluster,
  findings: Findings,
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
  findings.allRightMs.push(Math.round(since()));
  for (const watcher of cluster.watchers)
    if (since(watcher) > 0) findings.viewerRightMs.push(Math.round(since(watcher)));
}

/** Kills an instance, and starts it again a moment after. */
async function killAndRestart(instance: Instance): Promise<void> {
  await instance.kill();
  await pause(1_000);
  await instance.start();
}

async function watchUnderLoad(cluster: Cluster): Promise<void> {
  cluster.watch(viewers);
  cluster.crowd.churn(changesPerSecond);
  await cluster.untilRight();
}

const sumOf = (watchers: Iterable<Watcher>, name: 'resumed' | 'snapshots') =>
  [...watchers].reduce((sum, { figures }) => sum + figures[name], 0);

function noteResumes(cluster: Cluster, findings: Findings): void {
  findings.notes['reconnections that resumed'] = sumOf(cluster.watchers, 'resumed');
  findings.notes['reconnections that began anew'] = sumOf(cluster.watchers, 'snapshots');
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

export const scenarios: readonly Scenario[] = [
  {
    name: 'the leader is killed under load',
    quickRounds: 2,
    async play(cluster, rounds) {
      const findings = noFindings();
      await watchUnderLoad(cluster);
      for (let round = 0; round < rounds; round += 1) {
        const leader = await cluster.leader();
        await measure(cluster, findings, () => killAndRestart(leader));
      }
      noteResumes(cluster, findings);
      return findings;
    },
  },
  {
    name: 'the leader is killed while nobody looks',
    quickRounds: 1,
    async play(cluster, rounds) {
      const findings = noFindings();
      cluster.crowd.churn(changesPerSecond);
      for (let round = 0; round < rounds; round += 1) {
        await untilState(cluster, /^inactive$/);
        const leader = await cluster.leader();
        await killAndRestart(leader);
        // Sometimes before there is another leader.
        await pause(round % 2 === 0 ? 0 : 4_000);
        const cameAtMs = performance.now();
        cluster.watch(viewers);
        await cluster.untilRight(recoveredWithinMs);
        findings.allRightMs.push(Math.round(cluster.referee.lastBadMs() - cameAtMs));
        cluster.unwatchAll();
      }
      return findings;
    },
  },
  {
    name: 'the leader is killed during an activation',
    quickRounds: 1,
    async play(cluster, rounds) {
      const findings = noFindings();
      const random = createRandom(cluster.options.seed ?? 1);
      cluster.crowd.churn(changesPerSecond);
      for (let round = 0; round < rounds; round += 1) {
        await untilState(cluster, /^inactive$/);
        const leader = await cluster.leader();
        cluster.watch(viewers);
        await pause(random() * 60);
        const killedAtMs = performance.now();
        await killAndRestart(leader);
        await cluster.untilRight(recoveredWithinMs);
        findings.allRightMs.push(Math.round(cluster.referee.lastBadMs() - killedAtMs));
        cluster.unwatchAll();
      }
      return findings;
    },
  },
  {
    name: 'the leader is killed during a deactivation',
    quickRounds: 1,
    async play(cluster, rounds) {
      const findings = noFindings();
      cluster.crowd.churn(changesPerSecond);
      for (let round = 0; round < rounds; round += 1) {
        cluster.watch(viewers);
        await cluster.untilRight();
        const leader = await cluster.leader();
        cluster.unwatchAll();
        await untilState(cluster, /^(deactivating|inactive)$/);
        await killAndRestart(leader);
        if (round % 2 === 0) await untilState(cluster, /^inactive$/);
        const cameAtMs = performance.now();
        cluster.watch(viewers);
        await cluster.untilRight(recoveredWithinMs);
        findings.allRightMs.push(Math.round(cluster.referee.lastBadMs() - cameAtMs));
        cluster.unwatchAll();
      }
      return findings;
    },
  },
  {
    name: 'the leader is suspended for 10 s and goes on',
    quickRounds: 1,
    async play(cluster, rounds) {
      const findings = noFindings();
      await watchUnderLoad(cluster);
      for (let round = 0; round < rounds; round += 1) {
        const leader = await cluster.leader();
        await cluster.untilRight();
        cluster.referee.pause(leader.url);
        const suspendedAtMs = performance.now();
        leader.suspend();
        const others = [...cluster.watchers].filter(({ instance }) => instance !== leader.url);
        await pause(10_000);
        const worst = Math.max(...others.map((each) => cluster.referee.lastBadMs(each)));
        findings.viewerRightMs.push(Math.max(0, Math.round(worst - suspendedAtMs)));
        const resumedAtMs = performance.now();
        leader.resume();
        cluster.referee.resume(leader.url);
        await pause(5_000);
        await cluster.untilRight(recoveredWithinMs);
        findings.allRightMs.push(Math.round(cluster.referee.lastBadMs() - resumedAtMs));
      }
      noteResumes(cluster, findings);
      return findings;
    },
  },
  {
    name: 'Redis is killed and restarted empty',
    quickRounds: 1,
    async play(cluster, rounds) {
      const findings = noFindings();
      await watchUnderLoad(cluster);
      for (let round = 0; round < rounds; round += 1) {
        await cluster.untilRight();
        await cluster.redis.stop();
        await pause(round % 2 === 0 ? 6_000 : 500);
        const startedAtMs = performance.now();
        await cluster.redis.restart();
        await pause(5_000);
        await cluster.untilRight(recoveredWithinMs);
        findings.allRightMs.push(Math.round(cluster.referee.lastBadMs() - startedAtMs));
      }
      noteResumes(cluster, findings);
      return findings;
    },
  },
  {
    name: 'the leader reaches no server, while their posts arrive',
    quickRounds: 1,
    async play(cluster, rounds) {
      const findings = noFindings();
      await watchUnderLoad(cluster);
      for (let round = 0; round < rounds; round += 1) {
        const leader = await cluster.leader();
        const ports = cluster.servers.map(({ port }) => port);
        await measure(cluster, findings, async () => leader.cutOff(ports), { least: 15_000 });
        if ((await cluster.leader()) === leader)
          throw new Error('the leader that reaches no server still leads');
        leader.cutOff([]);
      }
      noteResumes(cluster, findings);
      return findings;
    },
  },
  {
    name: 'the leader is cut off from the servers, not from Redis',
    quickRounds: 1,
    needsNetwork: true,
    async play(cluster, rounds) {
      const findings = noFindings();
      await watchUnderLoad(cluster);
      for (let round = 0; round < rounds; round += 1) {
        const leader = await cluster.leader();
        const index = cluster.instances.indexOf(leader);
        const cut = async () => cluster.options.network?.cutServers(index);
        await measure(cluster, findings, cut, { least: 15_000 });
        const next = await cluster.leader();
        if (next === leader) throw new Error('the leader that reaches no server still leads');
        cluster.options.network?.mend(index);
      }
      noteResumes(cluster, findings);
      return findings;
    },
  },
  {
    name: 'the leader is cut off from Redis, not from the servers',
    quickRounds: 1,
    needsNetwork: true,
    async play(cluster, rounds) {
      const findings = noFindings();
      await watchUnderLoad(cluster);
      for (let round = 0; round < rounds; round += 1) {
        const leader = await cluster.leader();
        const index = cluster.instances.indexOf(leader);
        // Its own viewers have incomplete numbers until it is mended.
        await cluster.untilRight();
        cluster.options.network?.cutRedis(index);
        await pause(10_000);
        const mendedAtMs = performance.now();
        cluster.options.network?.mend(index);
        await pause(5_000);
        await cluster.untilRight(recoveredWithinMs);
        findings.allRightMs.push(Math.round(cluster.referee.lastBadMs() - mendedAtMs));
      }
      noteResumes(cluster, findings);
      return findings;
    },
  },
  {
    name: 'viewers who come back to another instance resume',
    quickRounds: 2,
    async play(cluster, rounds) {
      const findings = noFindings();
      await watchUnderLoad(cluster);
      for (let round = 0; round < rounds; round += 1) {
        const before = sumOf(cluster.watchers, 'resumed');
        const cut = async () => {
          for (const watcher of cluster.watchers) watcher.cut();
        };
        await measure(cluster, findings, cut, { least: 3_000 });
        const resumed = sumOf(cluster.watchers, 'resumed') - before;
        if (resumed !== viewers)
          throw new Error(
            `${resumed} of ${viewers} viewers resumed, ${sumOf(cluster.watchers, 'snapshots')} began anew`,
          );
      }
      noteResumes(cluster, findings);
      return findings;
    },
  },
  {
    name: 'all instances are replaced one by one under load',
    quickRounds: 1,
    async play(cluster, rounds) {
      const findings = noFindings();
      await watchUnderLoad(cluster);
      for (let round = 0; round < rounds; round += 1) {
        for (const instance of cluster.instances) {
          await measure(cluster, findings, async () => {
            const code = await instance.terminate();
            if (code !== 0) throw new Error(`${instance.url} exited with ${code}`);
            await instance.start();
          });
        }
      }
      noteResumes(cluster, findings);
      return findings;
    },
  },
];
