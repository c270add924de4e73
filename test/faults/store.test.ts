import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from '@jest/globals';
import dynalite from 'dynalite';
import type { ServerId } from '../../machines/ports.js';
import { createClient } from '../../server/adapters/dynamodb/client.js';
import { createTables, defaultNames } from '../../server/adapters/dynamodb/tables.js';
import { freePort } from '../../server/demo/serviceChild.js';
import type { RoomSummary } from '../../server/rooms/roomList.js';
import { tablesOf } from '../contracts/store/support.js';
import { get, startRest } from '../server/rest/support.js';
import { eventually } from '../support/eventually.js';
import { connectTo, sharedFleet, startReal, untilTrue } from '../support/fleet.js';
import { owns, untilShown, watch } from '../support/stage.js';
import { startTcpRelay } from './support/tcpRelay.js';

const fleet = sharedFleet(1);
const region = 'local';
const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };

/** A DynamoDB server that keeps its tables in a folder, and can be started again where it was. */
async function startDynamo() {
  const path = owns(await mkdtemp(join(tmpdir(), 'faults-')), (it) => rm(it, { recursive: true }));
  const port = await freePort();
  let server: Server | undefined;
  const start = async () => {
    server = dynalite({ path, createTableMs: 0 });
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
  };
  const stop = async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    server = undefined;
  };
  await start();
  return owns({ port, start, stop }, stop);
}

const clientTo = (port: number) =>
  owns(createClient({ endpoint: `http://127.0.0.1:${port}`, region, credentials }), (it) =>
    it.destroy(),
  );

test('the store stalls, is killed and starts again: counts go on, lists say their age, and what it names then is found', async () => {
  const dynamo = await startDynamo();
  const own = clientTo(dynamo.port);
  await createTables(own, defaultNames);
  await own.send(new PutItemCommand({ TableName: defaultNames.rooms, Item: { id: { S: 'a' } } }));
  const relay = await startTcpRelay(dynamo.port);
  const store = { ...tablesOf(clientTo(relay.port), defaultNames), close: async () => {} };
  const service = await startRest(
    { store },
    { servers: fleet, env: { DYNAMODB_TABLE: 'given' }, overrides: { discoveryIntervalMs: 200 } },
  );
  const viewer = await watch(service);
  const failing = async () => (await get(service, '/api/servers')).headers['x-discovery-failed'];
  const list = () => get(service, '/api/rooms');
  expect((await list()).headers).not.toHaveProperty('x-stale');
  await eventually(async () => expect(await failing()).toBeUndefined());
  const [server] = fleet;
  if (!server) throw new Error('there is one');
  /** A connection more is shown at once, whatever the store does. */
  const countOn = async (connections: number) => {
    await connectTo(server, 'a');
    await untilShown(viewer, { a: connections }, 1000);
    const stale = await list();
    expect(stale.headers).toMatchObject({ 'x-stale': 'true' });
    expect(stale.json<RoomSummary[]>()).toMatchObject([{ id: 'a', connections }]);
    await eventually(async () => expect(await failing()).toContain('registered'));
  };

  relay.freeze();
  await countOn(1);
  await dynamo.stop();
  relay.cut();
  relay.thaw();
  await countOn(2);
  const late = await startReal();
  await connectTo(late, 'b');
  await dynamo.start();
  const id = late.id as ServerId;
  await tablesOf(own, defaultNames).servers.put({
    server: id,
    origin: 'registered',
    expiresAt: Date.now() + 600_000,
  });
  await untilShown(viewer, { a: 2, b: 1 });
  await untilTrue(viewer, [server, late]);
  await eventually(async () => expect((await list()).headers).not.toHaveProperty('x-stale'));
  expect(await failing()).toBeUndefined();
});
