import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import type { RoomSummary } from '../../../server/rooms/lookup/roomList.js';
import { createTables, defaultNames } from '../../../server/store/dynamodb/tables.js';
import { eventually } from '../../support/eventually.js';
import { connectTo, nth, sharedFleet, startReal, untilTrue } from '../../support/fleet.js';
import { get } from '../../support/restApi.js';
import { stateOf, untilShown, watch } from '../../support/stage.js';
import { tablesOf } from '../contracts/store/support.js';
import { clientTo, startDynamo, tableNames } from './support/dynamoRun.js';
import { runService } from './support/serviceRun.js';

const fleet = sharedFleet(1);

test('the store stalls, is killed and restarts: counting goes on, lists show their age, and servers that it names are found', async () => {
  const dynamo = await startDynamo();
  const client = clientTo(dynamo);
  await createTables(client, defaultNames);
  await client.send(
    new PutItemCommand({ TableName: defaultNames.rooms, Item: { id: { S: 'a' } } }),
  );
  const service = await runService(fleet, { env: { ...dynamo.env, ...tableNames } });
  const viewer = await watch(service);
  const list = () => get(service, '/api/rooms');
  const failing = async () => (await get(service, '/api/servers')).headers['x-discovery-failed'];
  await eventually(async () => expect((await list()).headers).not.toHaveProperty('x-stale'));
  await eventually(async () => expect(await failing()).toBeUndefined());
  const server = nth(fleet, 0);
  /** Another connection is shown without the store. Answers show their age, or that the store is missing. */
  const countOn = async (connected: number) => {
    await connectTo(server, 'a');
    await untilShown(viewer, { a: connected });
    const stale = await list();
    expect(stale.headers).toMatchObject({ 'x-stale': 'true' });
    expect(stale.json<RoomSummary[]>()).toMatchObject([{ id: 'a', connections: connected }]);
    const past = await get(service, '/api/connections/since_yesterday/0');
    expect([past.status, past.json<{ error: { code: string } }>().error.code]).toEqual([
      503,
      'store_unavailable',
    ]);
    await eventually(async () => expect((await stateOf(service)).complete).toBe(true));
  };

  dynamo.suspend();
  await countOn(1);
  await dynamo.kill();
  await countOn(2);
  await eventually(async () => expect(await failing()).toContain('registered'));
  const late = await startReal();
  await connectTo(late, 'b');
  await dynamo.start();
  const expiresAt = Date.now() + 600_000;
  const item = { server: late.id as ServerId, origin: 'registered' as const, expiresAt };
  await tablesOf(client, defaultNames).servers.put(item);
  // The next round of discovery finds it.
  await untilShown(viewer, { a: 2, b: 1 });
  await untilTrue(viewer, [server, late]);
  await eventually(async () => expect((await list()).headers).not.toHaveProperty('x-stale'));
  await eventually(async () => expect(await failing()).toBeUndefined());
  expect(service.isRunning()).toBe(true);
});
