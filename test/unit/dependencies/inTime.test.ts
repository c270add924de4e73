/** That what does not answer is known in time: the intervals of the code, added up. No clock of the machine. */

import { expect, test } from '@jest/globals';
import { Activity } from '../../../server/activity/activity.js';
import { noteDependencies } from '../../../server/activity/dependencyActivity.js';
import {
  checkAgainMs,
  clusterRetryMs,
  failuresBeforeNoted,
} from '../../../server/cluster/connect.js';
import { readConfig } from '../../../server/config/config.js';
import { Checks } from '../../../server/dependencies/checks.js';
import { checkTimes } from '../../../server/dependencies/checkTimes.js';
import { Dependencies } from '../../../server/dependencies/dependencies.js';
import { DependencyLog } from '../../../server/dependencies/dependencyLog.js';
import { createLog } from '../../../server/log.js';
import { Counts } from '../../../server/metrics/counts.js';
import { readersOf } from '../../../server/metrics/readers.js';
import { failingDependencies, pollMs, service } from '../../../server/page/model/polling.js';
import { defaultTimeouts, redisRetryMs } from '../../../server/redis/redisChannels.js';
import { reopenMs } from '../../../server/store/lateStore.js';
import { WebhookQueue } from '../../../server/webhooks/webhookQueue.js';
import type { StateReport } from '../../../server/wire/serviceState.js';
import { HandClock } from '../../support/handClock.js';

const limitMs = 10_000;
/** For the answers of this service to the page, and for what others need to act. */
const spareMs = 500;

const { clusterBeatMs } = readConfig({});
const { pingEveryMs, answerWithinMs } = defaultTimeouts;
type Row = [name: string, failedMs: number, recoveredMs: number];
const checked = Object.entries(checkTimes).map(
  ([name, { everyMs, deadlineMs }]): Row => [name, everyMs + deadlineMs, everyMs + deadlineMs],
);

/** The longest time until its end is noticed, and until its return is. */
const times: Row[] = [
  ...checked,
  // At its return an attempt to connect may be under way, in a cluster one to find its nodes before.
  ['redis', pingEveryMs + answerWithinMs, answerWithinMs + redisRetryMs.max],
  ['redis of a Redis Cluster', pingEveryMs + answerWithinMs, 2 * answerWithinMs + redisRetryMs.max],
  [
    'cluster',
    failuresBeforeNoted * clusterBeatMs + clusterBeatMs,
    // Connecting fails once more, then its policy is asked for, which may be too early once.
    clusterBeatMs + clusterRetryMs.max + 2 * clusterBeatMs + checkAgainMs,
  ],
  ['data_dir, at the start', 0, reopenMs],
];

test.each(times)('%s: its end and its return are shown in time', (_, failedMs, recoveredMs) => {
  expect(failedMs + pollMs + spareMs).toBeLessThanOrEqual(limitMs);
  expect(recoveredMs + pollMs + spareMs).toBeLessThanOrEqual(limitMs);
});

test.each(Object.entries(checkTimes))(
  'a check of %s notices both after its interval and its deadline at the latest',
  async (_, checkTime) => {
    const clock = new HandClock();
    const dependencies = new Dependencies(() => clock.wallMs());
    const changes: [state: string, atMs: number][] = [];
    dependencies.onChange(({ state }) => changes.push([state, clock.monotonicMs()]));
    let isAlive = true;
    const ask = () => (isAlive ? Promise.resolve() : new Promise<void>(() => {}));
    const checks = new Checks({ clock });
    const dependency = dependencies.add('it', 'there');
    checks.start({ dependency, ask, causeOf: String, times: checkTime });
    await settle();
    const { everyMs, deadlineMs } = checkTime;
    // Killed right after it has answered, and revived right after a question was sent.
    isAlive = false;
    await advance(clock, everyMs + deadlineMs - 1);
    expect(changes).toEqual([['answers', 0]]);
    await advance(clock, 1);
    expect(changes.at(-1)).toEqual(['fails', everyMs + deadlineMs]);
    await advance(clock, everyMs);
    const revivedAtMs = clock.monotonicMs();
    isAlive = true;
    await advance(clock, deadlineMs);
    await advance(clock, everyMs);
    expect(changes.at(-1)).toEqual(['answers', revivedAtMs + deadlineMs + everyMs]);
    checks.close();
  },
);

test('from then on the log, the state, the page, the metric and the webhook say so, and no time passes', async () => {
  const clock = new HandClock();
  const dependencies = new Dependencies(() => clock.wallMs());
  const lines: Record<string, unknown>[] = [];
  const log = createLog('info', { write: (line) => void lines.push(JSON.parse(line)) });
  new DependencyLog(dependencies, log);
  const activity = new Activity({ instance: 'http://here' });
  const sent: unknown[] = [];
  const webhooks = new WebhookQueue({
    clock,
    deliver: async ({ kind, cause }) => void sent.push([kind, cause]),
    onDelivered: () => {},
    onFailed: () => {},
    onDropped: () => {},
  });
  activity.onEvent((event) => webhooks.add(event));
  noteDependencies(dependencies, (event) => activity.note(event));
  const readers = readersOf({
    counts: new Counts(),
    fleet: () => undefined,
    rooms: () => ({ watched: 0, divergent: 0 }),
    leaderLagMs: () => null,
    dependencies: () => dependencies.reports(),
  });
  /** What the page shows after its next question. */
  const pageShows = () => {
    service.value = { dependencies: dependencies.reports() } as unknown as StateReport;
    return failingDependencies.value.map(({ name, cause }) => [name, cause]);
  };

  const redis = dependencies.add('redis', 'a:1');
  redis.failed('NOAUTH Authentication required.');
  await settle();
  const cause = 'NOAUTH Authentication required.';
  expect(lines.at(-1)).toMatchObject({ dependency: 'redis', cause });
  expect(dependencies.reports()).toMatchObject([{ name: 'redis', state: 'fails', cause }]);
  expect(pageShows()).toEqual([['redis', cause]]);
  expect(readers.dependency_up()).toEqual([[0, { dependency: 'redis' }]]);
  expect(sent).toEqual([['dependency.failed', cause]]);

  redis.answered();
  await settle();
  expect(lines.at(-1)).toMatchObject({ msg: 'a dependency answers again' });
  expect(dependencies.reports()).toMatchObject([{ name: 'redis', state: 'answers', cause: null }]);
  expect(pageShows()).toEqual([]);
  expect(readers.dependency_up()).toEqual([[1, { dependency: 'redis' }]]);
  expect(sent.at(-1)).toEqual(['dependency.recovered', null]);
  expect(clock.monotonicMs()).toBe(0);
});

/** Lets promises settle. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function advance(clock: HandClock, ms: number): Promise<void> {
  clock.advance(ms);
  await settle();
}
