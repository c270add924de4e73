/** Awareness that no editor sends: as deep, as large and as many as Redis carries. */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect, test } from '@jest/globals';
import * as encoding from 'lib0/encoding';
import { eventually } from '../../support/eventually.js';
import { startRedis } from '../../support/redisServer.js';
import { calm, getJson, owns, startStaged } from '../../support/stage.js';
import { awarenessUpdate, framesOf, type Said } from '../../system/rooms/support/awareness.js';
import { startDocServer } from '../../system/rooms/support/docServer.js';
import { statusOf, untilStanding, watchRoom } from '../../system/rooms/support/rooms.js';

/** On a machine that is busy: far below what reading all of it takes. */
const longestTurnMs = 2000;

/** An update whose announcements have this text as their state, JSON or not. */
function announcing(clients: readonly number[], text: string): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, clients.length);
  for (const client of clients) {
    encoding.writeVarUint(encoder, client);
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarString(encoder, text);
  }
  return encoding.toUint8Array(encoder);
}

const numbers = (count: number, from = 1) => Array.from({ length: count }, (_, i) => from + i);
const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

test('deep JSON, large strings and a million clients are read in the worker thread, bounded and reported to viewers', async () => {
  const redis = owns(await startRedis(), (it) => it.stop());
  const server = await startDocServer();
  server.doc('r').getText('text').insert(0, 'x');
  const service = await startStaged([server], {
    ...calm,
    REDIS_URL: redis.url,
  });
  const viewer = await watchRoom(service, 'r', '?awareness=changes&as=updates');
  await untilStanding(viewer, 'live');
  await eventually(async () => expect(await redis.subscribers('r-presence')).toBe(1));
  const ada: Said = [7, 1, { user: { name: 'Ada' } }];
  await redis.publish('r-presence', awarenessUpdate(ada));
  await eventually(() => expect(framesOf(viewer).at(-1)?.[1].clients).toHaveLength(1));
  const attacks = [
    announcing([1], deep(500_000)),
    announcing([2], deep(101)),
    announcing([3], `"${'x'.repeat(64 * 1024)}"`),
    announcing([4], `{"${'k'.repeat(70_000)}":1}`),
    announcing(numbers(1_000_000, 10_000), '{}'),
    announcing(numbers(10_000, 2_000_000), '1'),
    announcing(numbers(200, 3_000_000), `"${'y'.repeat(4000)}"`),
    announcing([5], '{"a":1'),
    announcing([6], JSON.stringify(Object.fromEntries(numbers(5000).map((i) => [`k${i}`, i])))),
    new Uint8Array(900_000).fill(255),
  ];
  const before = process.memoryUsage().rss;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  for (let round = 0; round < 10; round += 1)
    await Promise.all(attacks.map((update) => redis.publish('r-presence', update)));
  await eventually(async () => {
    const late = await watchRoom(service, 'r', '?as=updates');
    await eventually(() => expect(framesOf(late)).not.toEqual([]));
    const [, people] = framesOf(late)[0] ?? [];
    expect(people?.leftOut).toBeGreaterThan(9000);
    expect(people?.clients.length).toBe(1000);
    // Who announced themselves as editors do is shown as ever.
    expect(people?.clients.find(({ client }) => client === 7)?.state).toEqual(ada[2]);
    const { omitted } = people?.clients.find(({ client }) => client === 2) ?? {};
    expect(omitted).toBe('too_deep');
    expect(people?.clients.find(({ client }) => client === 3)?.omitted).toBe('too_large');
    await late.close();
  });
  delay.disable();
  expect(delay.max / 1e6).toBeLessThan(longestTurnMs);
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 2 ** 20);
  await eventually(() => expect(statusOf(viewer).garbage).toBeGreaterThan(0));
  // Unreadable and oversized updates are counted as garbage or dropped.
  expect(await getJson(`${service.url}/health`)).toEqual({ status: 'ok' });
});
