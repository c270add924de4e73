import { expect, test } from '@jest/globals';
import type { ServerDetails, ServerView } from '../../../server/wire/serverView.js';
import { eventually } from '../../support/eventually.js';
import {
  getJson,
  startDouble,
  startStaged,
  stopStaged,
  untilServer,
  watch,
} from '../../support/stage.js';
import { startAgent } from './support.js';

const detailsOf = ({ url }: { url: string }) => getJson<ServerDetails[]>(`${url}/api/servers`);

test('a server that tells of itself is shown with it, and one that does not without', async () => {
  const [told, deployed] = [await startDouble(), await startDouble()];
  told.agent = {
    capabilities: ['names'],
    name: 'web-1',
    agent: '0.1.0',
    host: 'hocuspocus 3.4.4',
    uptimeSeconds: 60,
    memoryBytes: 80_000_000,
    documents: { inMemory: 10, idle: 2 },
  };
  const service = await startStaged([told, deployed]);
  const [row, plain] = await detailsOf(service);
  const { toldAt = '', startedAt } = row?.agent ?? {};
  expect(row).toMatchObject({ id: told.id, name: 'web-1' });
  expect(row?.agent).toEqual({
    toldAt,
    capabilities: ['names'],
    version: '0.1.0',
    host: 'hocuspocus 3.4.4',
    node: null,
    startedAt: new Date(Date.parse(toldAt) - 60_000).toISOString(),
    memoryBytes: 80_000_000,
    eventLoopDelayMs: null,
    documents: { inMemory: 10, idle: 2 },
    stores: null,
  });
  expect(startedAt).toEqual(expect.any(String));
  expect(plain?.id).toBe(deployed.id);
  expect(Object.keys(plain ?? {})).not.toEqual(expect.arrayContaining(['name']));
  expect(Object.keys(plain ?? {})).not.toEqual(expect.arrayContaining(['agent']));
});

test('the changes stream has the name, but not the rest', async () => {
  const told = await startDouble();
  told.agent = { name: 'web-1', memoryBytes: 1 };
  const service = await startStaged([told]);
  const viewer = await watch(service);
  await untilServer(viewer, told.id, 'live');
  const servers = viewer.messages.flatMap(
    ({ data }) => (JSON.parse(data).servers ?? []) as ServerView[],
  );
  expect(servers.at(-1)).toMatchObject({ id: told.id, name: 'web-1' });
  expect(viewer.messages.filter(({ data }) => data.includes('"agent"'))).toEqual([]);
});

test('nothing is kept of a server that is gone', async () => {
  const told = await startDouble();
  told.agent = { name: 'web-1' };
  const service = await startStaged([]);
  await told.askAtStartup(service.url, { port: told.port });
  await eventually(async () => expect(await detailsOf(service)).toMatchObject([{ name: 'web-1' }]));
  const viewer = await watch(service);
  await untilServer(viewer, told.id, 'live');
  const { activation: actor } = service;
  actor.send({ type: 'server.lost', server: told.id });
  await eventually(() => expect(viewer.seen().servers[told.id]).toBeUndefined());
  expect(await detailsOf(service)).toEqual([]);
  // It comes back as one without an agent, and is asked nothing before it is shown.
  told.respond({ kind: 'hang' });
  actor.send({ type: 'servers.found', servers: [told.id], standing: 'found' });
  const [row] = await detailsOf(service);
  expect(row?.id).toBe(told.id);
  expect(row?.name).toBeUndefined();
  await stopStaged(service);
});

test('an agent tells its version, its process and its documents', async () => {
  const service = await startStaged([]);
  const { connections, port } = await startAgent({
    url: service.url,
    name: 'büro',
    hostKind: 'a test',
  });
  connections.set('a', 1).set('b', 0);
  const viewer = await watch(service);
  await untilServer(viewer, `127.0.0.1:${port}`, 'live');
  await eventually(async () =>
    expect(await detailsOf(service)).toMatchObject([
      {
        name: 'büro',
        agent: {
          capabilities: ['names', 'rooms'],
          version: expect.stringMatching(/^\d+\.\d+\.\d+/),
          host: 'a test',
          node: process.version,
          startedAt: expect.any(String),
          memoryBytes: expect.any(Number),
          documents: { inMemory: 2, idle: 1 },
        },
      },
    ]),
  );
});
