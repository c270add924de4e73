import { expect, test } from '@jest/globals';
import { prefix, readMetrics } from '../../../server/metrics/definitions.js';
import {
  MetricsRegistry,
  type Readers,
  type Reading,
} from '../../../server/metrics/metricsRegistry.js';

/** Readers that have nothing to say, apart from some. */
function readers(some: Partial<Record<keyof Readers, () => Reading[]>> = {}): Readers {
  const none = Object.fromEntries(readMetrics.map(({ name }) => [name, () => [] as Reading[]]));
  return { ...none, ...some } as Readers;
}

const linesOf = async (registry: MetricsRegistry, name: string) =>
  (await registry.expose()).text.split('\n').filter((line) => line.startsWith(prefix + name));

test('a gauge without a reading is absent, also after it had one', async () => {
  const rooms: { now: Reading[] } = { now: [] };
  const registry = new MetricsRegistry(readers({ rooms: () => rooms.now }));
  expect(await linesOf(registry, 'rooms')).toEqual([]);
  rooms.now = [[3]];
  expect(await linesOf(registry, 'rooms')).toEqual(['pubsubdash_rooms 3']);
  rooms.now = [];
  expect(await linesOf(registry, 'rooms')).toEqual([]);
});

test('labels that are no longer read are gone', async () => {
  const servers: { now: Reading[] } = { now: [[1, { state: 'live' }]] };
  const registry = new MetricsRegistry(readers({ servers: () => servers.now }));
  expect(await linesOf(registry, 'servers')).toEqual(['pubsubdash_servers{state="live"} 1']);
  servers.now = [[0, { state: 'deaf' }]];
  expect(await linesOf(registry, 'servers')).toEqual(['pubsubdash_servers{state="deaf"} 0']);
});

test('a counter has the value that was read at the last scrape', async () => {
  let deltas = 5;
  const registry = new MetricsRegistry(readers({ deltas_total: () => [[deltas]] }));
  expect(await linesOf(registry, 'deltas')).toEqual(['pubsubdash_deltas_total 5']);
  deltas = 7;
  expect(await linesOf(registry, 'deltas')).toEqual(['pubsubdash_deltas_total 7']);
});

test('a histogram has what was noted before the first scrape', async () => {
  const registry = new MetricsRegistry(readers());
  registry.observe('server_request_duration_seconds', 0.02, { request: 'probe' });
  const lines = await linesOf(registry, 'server_request_duration_seconds');
  expect(lines).toContain(
    'pubsubdash_server_request_duration_seconds_bucket{le="0.01",request="probe"} 0',
  );
  expect(lines).toContain('pubsubdash_server_request_duration_seconds_count{request="probe"} 1');
});

test('two registries have the metrics of the process, each on its own', async () => {
  for (const registry of [new MetricsRegistry(readers()), new MetricsRegistry(readers())]) {
    const { type, text } = await registry.expose();
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('process_cpu_seconds_total');
  }
});
