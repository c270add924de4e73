import { beforeEach, expect, test } from '@jest/globals';
import type { Service } from '../../../server/service.js';
import { eventually } from '../../support/eventually.js';
import { type RedisServer, startRedis } from '../../support/redisServer.js';
import { calm, owns, startStaged } from '../../support/stage.js';
import { awarenessUpdate, framesOf, peopleOf } from './support/awareness.js';
import { type DocServer, startDocServer } from './support/docServer.js';
import { untilStanding, watchRoom } from './support/rooms.js';

let redis: RedisServer;
let server: DocServer;
beforeEach(async () => {
  redis = owns(await startRedis(), (it) => it.stop());
  server = await startDocServer();
});

const intervalMs = 250;
const start = (env: Record<string, string> = {}): Promise<Service> =>
  startStaged([server], {
    ...calm,
    FRAME_INTERVAL_MS: String(intervalMs),
    REDIS_URL: redis.url,
    ...env,
  });

async function watchLive(service: Service, query = '') {
  const viewer = await watchRoom(service, 'r', query);
  await untilStanding(viewer, 'live');
  await eventually(async () => expect(await redis.subscribers('r-presence')).toBe(1));
  return viewer;
}

test('awareness is sent at most once in a frame interval, and only the changes to viewers that ask for them', async () => {
  const service = await start();
  server.doc('r').getText('text').insert(0, 'x');
  const whole = await watchLive(service);
  const changes = await watchLive(service, '?as=updates&awareness=changes');
  const people = 50;
  const rounds = 20;
  const before = [framesOf(whole).length, framesOf(changes).length];
  const began = performance.now();
  for (let clock = 1; clock <= rounds; clock += 1) {
    for (let client = 1; client <= people; client += 1)
      void redis.publish('r-presence', awarenessUpdate([client, clock, { at: clock, client }]));
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  for (const viewer of [whole, changes])
    await eventually(() => {
      const shown = peopleOf(framesOf(viewer));
      expect(shown.size).toBe(people);
      for (const { client, state } of shown.values()) expect(state).toEqual({ at: rounds, client });
    });
  const most = (performance.now() - began) / intervalMs + 2;
  expect(framesOf(whole).length - (before[0] ?? 0)).toBeLessThanOrEqual(most);
  expect(framesOf(changes).length - (before[1] ?? 0)).toBeLessThanOrEqual(most);

  await redis.publish(
    'r-presence',
    awarenessUpdate([7, rounds + 1, { moved: true }], [8, rounds + 1, null]),
  );
  await eventually(() =>
    expect(framesOf(changes).at(-1)).toMatchObject([
      'awareness-changes',
      { clients: [{ client: 7, state: { moved: true } }], gone: [8], leftOut: 0 },
    ]),
  );
  await eventually(() => expect(framesOf(whole).at(-1)?.[1].clients).toHaveLength(people - 1));
  expect(framesOf(whole).map(([event]) => event)).not.toContain('awareness-changes');
  // A later viewer gets all clients first.
  const late = await watchLive(service, '?as=updates&awareness=changes');
  await eventually(() => expect(framesOf(late)[0]?.[1].clients).toHaveLength(people - 1));
  expect(framesOf(late)[0]?.[0]).toBe('awareness');
});

test('a renewed state without a change makes no frame', async () => {
  const service = await start();
  server.doc('r').getText('text').insert(0, 'x');
  const viewer = await watchLive(service, '?awareness=changes');
  await redis.publish('r-presence', awarenessUpdate([1, 1, { name: 'Ada' }]));
  await eventually(() => expect(peopleOf(framesOf(viewer)).size).toBe(1));
  const told = framesOf(viewer).length;
  for (let clock = 2; clock < 20; clock += 1)
    await redis.publish('r-presence', awarenessUpdate([1, clock, { name: 'Ada' }]));
  await redis.publish('r-presence', awarenessUpdate([2, 1, { name: 'Grace' }]));
  await eventually(() => expect(peopleOf(framesOf(viewer)).size).toBe(2));
  expect(framesOf(viewer).length).toBe(told + 1);
  expect(
    framesOf(viewer)
      .at(-1)?.[1]
      .clients.map(({ client }) => client),
  ).toEqual([2]);
});

test('every client is listed or counted, in a crowd and with a large state', async () => {
  const service = await start({ FRAME_INTERVAL_MS: '20' });
  server.doc('r').getText('text').insert(0, 'x');
  const viewer = await watchLive(service);
  const people = () => framesOf(viewer).at(-1)?.[1];
  const large = (kb: number) => ({ text: 'x'.repeat(kb * 1000) });
  for (let client = 1; client <= 40; client += 1)
    await redis.publish('r-presence', awarenessUpdate([client, 1, large(40)]));
  await eventually(() => {
    const { clients = [], leftOut } = people() ?? {};
    expect([clients.length, leftOut]).toEqual([40, 0]);
    const shown = clients.filter(({ omitted }) => omitted === undefined);
    expect(shown).toHaveLength(26);
    for (const { omitted, bytes } of clients.filter((each) => !shown.includes(each)))
      expect([omitted, bytes]).toEqual(['too_large', 40_011]);
  });
  // One grows until it cannot be shown, or even read; it is there all the same.
  await redis.publish('r-presence', awarenessUpdate([1, 2, large(2000)]));
  await eventually(() =>
    expect(people()?.clients[0]).toMatchObject({ client: 1, omitted: 'too_large' }),
  );
  for (let client = 41; client <= 1200; client += 1)
    void redis.publish('r-presence', awarenessUpdate([client, 1, {}]));
  await eventually(() => {
    const { clients = [], leftOut, dropped } = people() ?? {};
    expect([clients.length, leftOut, dropped]).toEqual([1000, 200, 0]);
  });
});
