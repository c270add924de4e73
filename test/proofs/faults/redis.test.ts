import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { startReal, untilTrue } from '../../support/fleet.js';
import { startRedis } from '../../support/redisServer.js';
import { calm, owns, startStaged, watch } from '../../support/stage.js';
import {
  contentOf,
  documentOf,
  edit,
  statusOf,
  untilStanding,
  watchRoom,
} from '../../system/rooms/support/rooms.js';
import { startTcpRelay } from './support/tcpRelay.js';

test('the connection to Redis freezes, then Redis is restarted: rooms are polled, counts go on, and no update is missed', async () => {
  const redis = owns(await startRedis(), (it) => it.stop());
  const relay = await startTcpRelay(redis.port);
  const servers = [
    await startReal({ redisUrl: redis.url, forgetAfterMs: 50 }),
    await startReal({ redisUrl: redis.url, forgetAfterMs: 50 }),
  ] as const;
  const service = await startStaged(servers, {
    ...calm,
    REDIS_URL: `redis://127.0.0.1:${relay.port}`,
  });
  const counts = await watch(service);
  const [one, other] = [await edit(servers[0], 'r'), await edit(servers[1], 'r')];
  const viewer = await watchRoom(service, 'r');
  await untilStanding(viewer, 'live');
  expect(statusOf(viewer).source).toBe('redis');
  const untilShownAs = (text: string) =>
    eventually(() => {
      expect(contentOf(other.doc).text).toBe(text);
      expect(documentOf(viewer).text).toEqual({ type: 'text', value: text });
    });
  one.type('heard. ');
  await untilShownAs('heard. ');

  // The servers keep their connections to Redis. Only this service has lost its own.
  relay.freeze();
  one.type('not heard. ');
  await untilTrue(counts, servers);
  await eventually(() => expect(statusOf(viewer).source).toBe('poll'));
  await untilShownAs('heard. not heard. ');
  relay.cut();
  await redis.restart();
  relay.thaw();
  await untilStanding(viewer, 'live');
  await eventually(() => expect(statusOf(viewer).source).toBe('redis'));
  one.type('heard again.');
  await untilShownAs('heard. not heard. heard again.');
  await untilTrue(counts, servers);
  expect(statusOf(viewer).diverged).toEqual([]);
});
