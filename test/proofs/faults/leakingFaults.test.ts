import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { startReal, untilTrue } from '../../support/fleet.js';
import { startRedis } from '../../support/redisServer.js';
import { owns, serversOf, watch } from '../../support/stage.js';
import { edit, untilStanding, watchRoom } from '../../system/rooms/support/rooms.js';
import type { Census } from './support/preloadedCensus.js';
import { runService } from './support/serviceRun.js';

/** A leak would leave one object in each. */
const rounds = 4;
test('servers and a Redis that die, hang and return leave nothing behind', async () => {
  const redis = owns(await startRedis(), (it) => it.stop());
  const options = { redisUrl: redis.url };
  const well = await startReal(options);
  const hanging = await startReal(options);
  let dying = await startReal(options);
  const { port } = dying;
  const service = await runService([well, hanging, dying], {
    env: { REDIS_URL: redis.url },
    imports: ['./preloadedCensus.ts'],
    nodeArgs: ['--expose-gc'],
  });
  const counts = await watch(service);
  await edit(well, 'r');
  const viewer = await watchRoom(service, 'r');
  const untilState = (id: string, state: string) =>
    eventually(async () => {
      const row = (await serversOf(service)).find((server) => server.id === id);
      expect(row?.state).toBe(state);
    });
  const untilWell = async () => {
    await untilStanding(viewer, 'live');
    for (const { id } of [well, hanging, dying]) await untilState(id, 'live');
    await untilTrue(counts, [well, hanging, dying]);
  };
  const round = async () => {
    await dying.kill();
    hanging.suspend();
    await redis.restart();
    for (const { id } of [hanging, dying]) await untilState(id, 'unreachable');
    hanging.resume();
    dying = await startReal({ ...options, port });
    await untilWell();
  };
  const numbers = async () => (await service.ask<Census>({ takeCensus: true })).numbers;

  await untilWell();
  await round();
  const before = await numbers();
  for (let i = 0; i < rounds; i += 1) await round();
  await eventually(
    async () => {
      const { objects, ...now } = await numbers();
      // The numbers vary with what is under way, but not by one for each round.
      const more = Object.entries(now).filter(
        ([kind, number]) => number - (before[kind] ?? 0) >= rounds,
      );
      expect(more).toEqual([]);
      // An idle connection of this test is kept for 65 s.
    },
    { withinMs: 180_000 },
  );
});
