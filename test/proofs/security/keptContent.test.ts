import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { clusterKeys } from '../../../server/cluster/keys.js';
import type { Editor } from '../../../server/demo/editors.js';
import type { ServerProcess } from '../../../server/demo/pubSubFleet.js';
import { secrets, secretsIn, writeSecrets } from '../../support/contentSecrets.js';
import { eventually } from '../../support/eventually.js';
import { askEveryRoute } from '../../support/everyRoute.js';
import { startReal } from '../../support/fleet.js';
import { ask } from '../../support/http.js';
import type { RedisServer } from '../../support/redisServer.js';
import { startTestService } from '../../support/service.js';
import { owns, untilShown, watchMaps } from '../../support/stage.js';
import { Cluster } from '../../support/testCluster.js';
import { edit } from '../../system/rooms/support/rooms.js';
import { startLogged } from '../../system/security/logged.js';

jest.setTimeout(120_000);

const room = 'name-of-room';

/** A real server with a room whose document has secrets. */
async function startEdited(): Promise<{ server: ServerProcess; ada: Editor }> {
  const server = await startReal();
  const ada = await edit(server, room, secrets.person);
  writeSecrets(ada);
  return { server, ada };
}

/** Asks for everything that a service has, until it has shown an update. */
async function readAll(service: { url: string }, ada: Editor): Promise<void> {
  const answers = await askEveryRoute(service.url, room);
  await eventually(() => {
    ada.type(secrets.update);
    expect(answers.some(({ body }) => secretsIn(body(), []).includes(secrets.update))).toBe(true);
  });
  await askEveryRoute(service.url, room);
}

test('the log has no document, no update and nobody, at its lowest level', async () => {
  const { server, ada } = await startEdited();
  const { service, lines } = await startLogged({ PUBSUB_SERVERS: server.id, INSPECT: 'true' });
  await untilShown(await watchMaps(service), { [room]: 1 });
  await readAll(service, ada);
  await service.stop();
  expect(lines.length).toBeGreaterThan(3);
  expect(secretsIn(Buffer.from(lines.join('')), [])).toEqual([]);
});

test('DATA_DIR has names of rooms, but no document, no update and nobody', async () => {
  const folder = owns(mkdtempSync(join(tmpdir(), 'data-')), (it) =>
    rmSync(it, { recursive: true }),
  );
  const { server, ada } = await startEdited();
  const service = await startTestService({ DATA_DIR: folder, PUBSUB_SERVERS: server.id });
  await untilShown(await watchMaps(service), { [room]: 1 });
  await edit(server, room, secrets.person);
  await readAll(service, ada);
  await service.stop();
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
  const written = Buffer.concat(files.map((path) => readFileSync(path)));
  expect(written.toString('latin1')).toContain(room);
  expect(secretsIn(written, [ada.doc.clientID])).toEqual([]);
});

test('the Redis of a cluster has the keys of the docs, without content or names of rooms', async () => {
  const { server, ada } = await startEdited();
  const cluster = await Cluster.start(2, 0, {
    PUBSUB_SERVERS: server.id,
    INSPECT: 'true',
  });
  for (const service of cluster.services) {
    const viewer = await cluster.watch(service);
    await eventually(() => expect(viewer.rooms()).toEqual({ [room]: 1 }));
    await ask(`${service.url}/api/events/clients`);
    await readAll(service, ada);
  }
  const { keys, values } = await contentsOf(cluster.redis);
  const documented = Object.values(clusterKeys);
  const isDocumented = (key: string) =>
    documented.some((known) => key === known || key.startsWith(`${clusterKeys.attempts}:`));
  expect(keys.filter((key) => !isDocumented(key))).toEqual([]);
  expect(keys).toEqual(expect.arrayContaining([clusterKeys.lease, clusterKeys.instances]));
  const written = Buffer.from(values);
  expect(secretsIn(written, [ada.doc.clientID])).toEqual([]);
  expect(values).not.toContain(room);
});

/** Every key of a Redis, and all values as text. */
async function contentsOf({ call }: RedisServer): Promise<{ keys: string[]; values: string }> {
  const keys = (await call('KEYS', '*')) as string[];
  const values = await Promise.all(keys.map((key) => readKey(call, key)));
  return { keys, values: JSON.stringify(values) };
}

async function readKey(call: RedisServer['call'], key: string): Promise<unknown> {
  const type = await call('TYPE', key);
  if (type === 'hash') return call('HGETALL', key);
  if (type === 'list') return call('LRANGE', key, '0', '-1');
  if (type === 'zset') return call('ZRANGE', key, '0', '-1', 'WITHSCORES');
  return call('GET', key);
}
