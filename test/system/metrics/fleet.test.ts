import { describe, expect, test } from '@jest/globals';
import type { Service } from '../../../server/service.js';
import { eventually } from '../../support/eventually.js';
import { toldUrl, useHarness } from '../../support/harness.js';
import { ask, post } from '../../support/http.js';
import { type Samples, scrape } from '../../support/metricSamples.js';

const harness = useHarness();
const look = { path: '/metrics?fleet=true' };
/** Metrics that nobody knows while nobody looks. */
const ofFleet = /^(rooms|connections|complete|servers|discovery_last_success)/;
const namesOf = (samples: Samples) => Object.keys(samples).filter((name) => ofFleet.test(name));

const untilState = (service: Service, state: string) =>
  eventually(async () =>
    expect(await scrape(service)).toMatchObject({ [`activation_state{state="${state}"}`]: 1 }),
  );

describe('metrics of the fleet', () => {
  test('are absent while nobody looks, and right while somebody does', async () => {
    const servers = [await harness.server(), await harness.server()];
    for (const { rooms } of servers) rooms.set('a', 2);
    servers[0]?.rooms.set('b', 1);
    const service = await harness.service({ LINGER_MS: '0' });
    expect(namesOf(await scrape(service))).toEqual([]);
    const viewer = await harness.watch(service);
    await eventually(async () =>
      expect(await scrape(service)).toMatchObject({
        rooms: 2,
        connections: 5,
        complete: 1,
        'servers{state="live"}': 2,
        'servers{state="unreachable"}': 0,
        'activation_state{state="active"}': 1,
        'activation_state{state="inactive"}': 0,
        activation_duration_seconds_count: 1,
      }),
    );
    await viewer.close();
    await untilState(service, 'inactive');
    expect(namesOf(await scrape(service))).toEqual([]);
  });

  test('say which numbers are not known', async () => {
    const server = await harness.server();
    const service = await harness.service();
    server.respond({ kind: 'status', status: 503 });
    await harness.watch(service);
    await eventually(async () => {
      const samples = await scrape(service);
      expect(samples).toMatchObject({ complete: 0, 'servers{state="activating"}': 1 });
      expect(samples).not.toHaveProperty('rooms');
      expect(samples).not.toHaveProperty('connections');
      expect(
        samples['server_requests_total{request="activate",outcome="failed"}'],
      ).toBeGreaterThanOrEqual(1);
    });
  });

  test('are there between scrapes that look, and for as long as they say', async () => {
    (await harness.server()).rooms.set('a', 3);
    const service = await harness.service({ LINGER_MS: '0', METRICS_KEEP_ACTIVE: '1s' });
    await eventually(async () => expect(await scrape(service)).toMatchObject({ connections: 3 }));
    // A scrape would be a look.
    await eventually(() => expect(service.activation.getSnapshot().value).toBe('inactive'));
    const server = await harness.server();
    expect(server.requests).toEqual([]);
  });

  test('are asked for by a scrape with ?fleet=true, and by no other', async () => {
    const server = await harness.server();
    const service = await harness.service({ LINGER_MS: '0' });
    const before = server.requests.length;
    await scrape(service);
    await scrape(service, { path: '/metrics?fleet=false' });
    expect(server.requests).toHaveLength(before);
    expect(service.activation.getSnapshot().context.viewers).toBe(0);
    await scrape(service, look);
    await scrape(service, look);
    expect(service.activation.getSnapshot().context.viewers).toBe(1);
    await eventually(async () => expect(await scrape(service)).toMatchObject({ complete: 1 }));
    await expect(scrape(service, { path: '/metrics?fleet=yes' })).rejects.toThrow('400');
  });

  test('tell when each source of servers answered last', async () => {
    const service = await harness.service();
    const beforeSeconds = Math.floor(Date.now() / 1000) - 60;
    await harness.watch(service);
    await eventually(async () => {
      const samples = await scrape(service);
      const at = samples['discovery_last_success_timestamp_seconds{source="registered"}'];
      expect(at).toBeGreaterThan(beforeSeconds);
    });
  });
});

describe('what servers send', () => {
  test('is counted, with the time until viewers have it', async () => {
    const server = await harness.server();
    const service = await harness.service();
    const stream = await harness.watch(service);
    await server.open('a');
    await server.open('b');
    await eventually(() => expect(stream.rooms()).toEqual({ a: 1, b: 1 }));
    await post(server.eventsUrl ?? '', '{');
    await post(`${service.url}/api/events?token=x`, '{}');
    const samples = await scrape(service);
    expect(samples).toMatchObject({
      'posts_total{outcome="taken"}': 2,
      'posts_total{outcome="refused"}': 1,
      'posts_total{outcome="unknown_token"}': 1,
      'posts_total{outcome="passed"}': 0,
      deltas_total: 2,
      'post_to_frame_seconds_bucket{le="+Inf"}': samples.post_to_frame_seconds_count,
    });
    expect(samples.post_to_frame_seconds_count).toBeGreaterThanOrEqual(1);
    expect(samples.post_to_frame_seconds_count).toBeLessThanOrEqual(2);
  });

  test('is the answer to each kind of request', async () => {
    const server = await harness.server();
    const service = await harness.service({ PROBE_INTERVAL_MS: '50', LINGER_MS: '0' });
    const viewer = await harness.watch(service);
    const key = (request: string) =>
      `server_requests_total{request="${request}",outcome="answered"}`;
    await eventually(async () => {
      const samples = await scrape(service);
      expect(samples[key('probe')]).toBeGreaterThanOrEqual(1);
      expect(samples['server_request_duration_seconds_count{request="probe"}']).toBe(
        samples[key('probe')],
      );
    });
    await viewer.close();
    await untilState(service, 'inactive');
    const samples = await scrape(service);
    expect(samples[key('silence')]).toBe(2);
    expect(samples[key('activate')]).toBeGreaterThanOrEqual(1);
    expect(server.fatal).toEqual([]);
  });
});

describe('drift', () => {
  test('is what a lost post cost, once the next snapshots have corrected it', async () => {
    const server = await harness.server();
    const service = await harness.service({ RESYNC_INTERVAL_MS: '100' });
    const stream = await harness.watch(service);
    await server.open('a');
    await eventually(() => expect(stream.rooms()).toEqual({ a: 1 }));
    for (let i = 0; i < 3; i += 1) await server.open('lost', { lose: true });
    await eventually(() => expect(stream.rooms()).toEqual({ a: 1, lost: 3 }));
    await eventually(async () =>
      expect(await scrape(service)).toMatchObject({ snapshot_drift_connections_total: 3 }),
    );
    const { text } = await ask(`${service.url}/api/state`);
    expect(JSON.parse(text)).toMatchObject({ drift: 3 });
    expect((await scrape(service))['resyncs_total{reason="regular"}']).toBeGreaterThanOrEqual(1);
  });

  test('is not what a post was late', async () => {
    const server = await harness.server();
    const service = await harness.service();
    const stream = await harness.watch(service);
    const early = toldUrl(server);
    await server.open('late', { lose: true });
    // A body that cannot be read is evidence: a snapshot follows, and has the connection.
    await post(toldUrl(server), '{');
    await eventually(() => expect(stream.rooms()).toEqual({ late: 1 }));
    expect(await post(early, { room: 'late', add: 1 })).toMatchObject({ status: 204 });
    const told = toldUrl(server);
    await post(told, '{');
    await eventually(() => expect(toldUrl(server)).not.toBe(told));
    await eventually(async () =>
      expect((await scrape(service))['resyncs_total{reason="evidence"}']).toBeGreaterThanOrEqual(2),
    );
    expect(await scrape(service)).toMatchObject({ snapshot_drift_connections_total: 0 });
  });
});
