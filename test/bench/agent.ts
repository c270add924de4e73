/**
 * What an agent costs its host: the turn of the event loop that takes a snapshot of 100,000 rooms, which
 * is the longest one until it is sent, and the processor time of 1,000 opens and closes a second with an active dashboard, beyond
 * that without one. The counts that the dashboard gets are compared with the truth.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import got from 'got';
import type { Churn } from './agentHostProcess.js';
import { type BenchChild, startChild, stopAll } from './children.js';
import { inRounds, isQuick, report } from './figures.js';
import { measure, thisProcess } from './measure.js';
import { until } from './within.js';

const rounds = isQuick ? 3 : 7;
const snapshots = isQuick ? 10 : 50;
const rooms = 100_000;
const churn: Churn = { perSecond: 1_000, seconds: isQuick ? 2 : 10 };

let added = 0;
let deltas = 0;
const dashboard = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    for (const { add } of [JSON.parse(Buffer.concat(parts).toString())].flat()) {
      added += add;
      deltas += Math.abs(add);
    }
    response.writeHead(204).end();
  });
});
await new Promise<void>((resolve) => dashboard.listen(0, '127.0.0.1', resolve));
const eventsUrl = `http://127.0.0.1:${(dashboard.address() as AddressInfo).port}/api/events`;
const host = await startChild<{ port: number }>('./agentHostProcess', { options: { rooms } });

const activate = (active: boolean) =>
  got.put(`http://127.0.0.1:${host.ready.port}/api/dashboard`, { json: { active, eventsUrl } });

async function snapshotTurn() {
  const measured = await measure(host, [thisProcess], async () => {
    // The first interval after a reset is not recorded.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const snapshot = (await activate(true).json()) as object[];
    if (snapshot.length !== rooms) throw new Error(`${snapshot.length} rooms in the snapshot`);
  });
  const { turnMs } = await host.ask<{ turnMs: number }>('turn');
  const { longestTurnMs, loadShare, tookMs, cpuMs } = measured;
  return {
    ours: turnMs,
    loadShare,
    notes: {
      'longest turn by the clock, ms': longestTurnMs,
      'answered in, ms': tookMs,
      'processor in all, ms': cpuMs,
    },
  };
}

/** In percent of a processor. */
async function shareOf(child: BenchChild<object>) {
  const { result, cpuMs, tookMs, loadShare } = await measure(child, [thisProcess], () =>
    child.ask<{ changes: number }>('churn', churn),
  );
  return { changes: result.changes, share: (cpuMs * 100) / tookMs, loadShare };
}

async function churnRound() {
  await activate(false);
  const without = await shareOf(host);
  await activate(true);
  deltas = 0;
  added = 0;
  const active = await shareOf(host);
  await until(
    'all changes are posted',
    () => deltas === active.changes && added === active.changes % 2,
  );
  return {
    ours: active.share - without.share,
    loadShare: Math.max(active.loadShare, without.loadShare),
    notes: { 'without a dashboard': without.share, 'with an active one': active.share },
  };
}

// Both are to be compiled by the runtime before they are measured.
await snapshotTurn();
await churnRound();
report('what an agent costs its host', [
  {
    figure: 'the turn that takes a snapshot of 100,000 rooms',
    unit: 'ms of processor',
    aim: 10,
    rounds: await inRounds(snapshots, snapshotTurn),
  },
  {
    figure: '1,000 opens and closes a second, active beyond inactive',
    unit: '% of a processor',
    aim: 3,
    mayBeZero: true,
    rounds: await inRounds(rounds, churnRound),
  },
]);
await stopAll(host);
dashboard.closeAllConnections();
dashboard.close();
