import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';
import { scrape } from '../../support/metricSamples.js';

const harness = useHarness();

describe('metrics of viewers', () => {
  test('have open streams by kind, and what was sent on them', async () => {
    const server = await harness.server();
    server.rooms.set('a', 1);
    const service = await harness.service();
    const maps = await harness.watch(service);
    const changes = await harness.stream(service, { path: '/api/events?stream=changes' });
    await harness.stream(service, { path: '/api/room/events?room=a' });
    await harness.stream(service, { path: '/api/updates' });
    await eventually(() => expect(changes.rooms()).toEqual({ a: 1 }));
    await eventually(() => expect(maps.rooms()).toEqual({ a: 1 }));
    const samples = await scrape(service);
    expect(samples).toMatchObject({
      'viewers{stream="rooms"}': 1,
      'viewers{stream="changes"}': 1,
      'viewers{stream="room"}': 1,
      'viewers{stream="updates"}': 1,
      'viewers{stream="inspector"}': 0,
      viewer_connections_total: 4,
      viewers_cut_total: 0,
      frames_dropped_total: 0,
    });
    for (const stream of ['rooms', 'changes', 'room', 'updates'])
      expect(samples[`frames_total{stream="${stream}"}`]).toBeGreaterThanOrEqual(1);
    expect(samples.sent_bytes_total).toBeGreaterThan(100);
    await changes.close();
    await eventually(async () =>
      expect(await scrape(service)).toMatchObject({
        'viewers{stream="changes"}': 0,
        viewer_connections_total: 4,
      }),
    );
  });

  test('have those that were refused, by the limit', async () => {
    const service = await harness.service({ MAX_VIEWERS: '1' });
    await harness.watch(service);
    const json = { headers: { Accept: 'application/json' } };
    expect((await ask(`${service.url}/api/events`, json)).code).toBe('too_many_viewers');
    expect(await scrape(service)).toMatchObject({
      'viewers_refused_total{reason="max_viewers"}': 1,
      'viewers_refused_total{reason="max_viewers_per_address"}': 0,
      'viewers_refused_total{reason="stream_limit"}': 0,
      'viewers_refused_total{reason="draining"}': 0,
      viewer_connections_total: 1,
    });
  });

  test('have those that came back, with what they missed or with a snapshot', async () => {
    const server = await harness.server();
    const service = await harness.service();
    const path = '/api/events?stream=changes';
    const stream = await harness.watch(service, { path });
    await server.open('a');
    await eventually(() => expect(stream.rooms()).toEqual({ a: 1 }));
    const id = stream.messages.findLast((message) => message.id)?.id ?? 'none';
    for (const last of [id, 'of.another-1'])
      await harness.stream(service, { path, headers: { 'Last-Event-ID': last } });
    expect(await scrape(service)).toMatchObject({
      'viewer_resumes_total{outcome="resumed"}': 1,
      'viewer_resumes_total{outcome="restarted"}': 1,
    });
  });

  test('are of one service, also if another runs in the same process', async () => {
    const [one, other] = [await harness.service(), await harness.service()];
    await harness.watch(one);
    expect(await scrape(one)).toMatchObject({ viewer_connections_total: 1, leader: 1 });
    expect(await scrape(other)).toMatchObject({ viewer_connections_total: 0, leader: 1 });
  });

  test('say nothing of divergent rooms while none is watched', async () => {
    const server = await harness.server();
    server.rooms.set('a', 1);
    const service = await harness.service();
    expect(await scrape(service)).not.toHaveProperty('divergent_rooms');
    await harness.stream(service, { path: '/api/room/events?room=a' });
    await eventually(async () => {
      const samples = await scrape(service);
      expect(samples).toMatchObject({ divergent_rooms: 0 });
      // The double holds no documents.
      expect(
        samples['server_requests_total{request="state",outcome="answered"}'],
      ).toBeGreaterThanOrEqual(1);
    });
  });
});
