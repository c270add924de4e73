import { expect, jest, test } from '@jest/globals';
import { openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { startDouble, startStaged, visits } from '../../support/stage.js';
import { queriesOf } from './support/dashboard.js';
import { deployFile } from './support/files.js';
import { startPrometheus } from './support/prometheus.js';

jest.setTimeout(180_000);

const within = { withinMs: 60_000 };
const tokens = {
  DASHBOARD_TOKEN: 'a-token-of-viewers-alone',
  METRICS_TOKEN: 'a-token-of-scrapers',
};

async function stage() {
  const doubles = [await startDouble(), await startDouble()];
  doubles[0]?.rooms.set('notes', 3);
  doubles[1]?.rooms.set('notes', 1).set('lead', 1);
  const service = await startStaged(
    doubles,
    { ...tokens, REQUEST_TIMEOUT_MS: '1000' },
    { isHurried: true },
  );
  return { doubles, service };
}

const watchWithToken = async (url: string) => {
  const headers = { Authorization: `Bearer ${tokens.DASHBOARD_TOKEN}` };
  const stream = await openEventStream(url, { path: '/api/events?stream=changes', headers });
  return visits(stream, (it) => it.close());
};

test('Prometheus reads the service, alerts of a server that does not answer, and of its return not any more', async () => {
  const { doubles, service } = await stage();
  await watchWithToken(service.url);
  const prometheus = await startPrometheus({ url: service.url, token: tokens.METRICS_TOKEN });
  const now = async (expr: string) => (await prometheus.query(expr))[0]?.value[1];
  const firing = async () => (await prometheus.alerts()).map(({ labels }) => labels.alertname);
  await eventually(async () => {
    expect(await now('up{job="pubsub-dashboard"}')).toBe('1');
    expect(await now('pubsubdash_connections')).toBe('5');
    expect(await now('pubsubdash_rooms')).toBe('2');
    expect(await now('pubsubdash_complete')).toBe('1');
  }, within);
  // On a busy machine a server may be late for a moment, and the totals incomplete.
  await eventually(async () => expect(await firing()).toEqual([]), within);

  doubles[1]?.respond({ kind: 'reset' });
  doubles[1]?.respond({ kind: 'reset', to: 'health' });
  await eventually(async () => {
    expect(await firing()).toEqual(
      expect.arrayContaining(['PubsubServerUnreachable', 'PubsubCountsIncomplete']),
    );
  }, within);
  doubles[1]?.respond({ kind: 'normal' });
  doubles[1]?.respond({ kind: 'normal', to: 'health' });
  doubles[1]?.release();
  await eventually(async () => expect(await firing()).toEqual([]), within);
});

test('every query of the Grafana dashboard has an answer, and those that matter have a value', async () => {
  const { service } = await stage();
  await watchWithToken(service.url);
  const prometheus = await startPrometheus({ url: service.url, token: tokens.METRICS_TOKEN });
  const queries = queriesOf(await deployFile('grafana-dashboard.json'), { interval: '10s' });
  const without = async () => {
    const empty: string[] = [];
    for (const query of queries)
      if ((await prometheus.query(query)).length === 0) empty.push(query);
    return empty;
  };
  // What has not happened has no series: no source, Redis or table, no other instance, no diverged room.
  const mayBeEmpty =
    /_refused_|_errors_|discovery|dependency|divergent|leader_lag|histogram_quantile|> 0$/;
  await eventually(
    async () => expect((await without()).filter((query) => !mayBeEmpty.test(query))).toEqual([]),
    within,
  );
});

test('numbers of the fleet are absent while nobody looks, and there if each scrape is a look', async () => {
  const { service } = await stage();
  const { url } = service;
  const passive = await startPrometheus({ url, token: tokens.METRICS_TOKEN });
  await eventually(async () => {
    expect(await passive.query('pubsubdash_build_info')).toHaveLength(1);
  }, within);
  expect(await passive.query('pubsubdash_connections')).toEqual([]);
  const active = await startPrometheus({ url, token: tokens.METRICS_TOKEN, fleet: true });
  await eventually(async () => {
    expect((await active.query('pubsubdash_connections'))[0]?.value[1]).toBe('5');
  }, within);
});
