import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { expect, test } from '@jest/globals';
import { freePort } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import { owns, serversOf, startDouble, untilShown, watch, wishesOf } from '../../support/stage.js';
import { runService } from './support/serviceRun.js';

async function stateFolder(): Promise<string> {
  return owns(await mkdtemp(join(tmpdir(), 'restart-')), (it) => rm(it, { recursive: true }));
}

/** The content of the files that the service keeps in a home. */
async function filesIn(home: string): Promise<string> {
  const folder = join(home, '.local', 'state', 'pubsub-dashboard');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  return (await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))).join();
}

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'servers that were found by their start-up query are known again after %s, without any configuration',
  async (signal) => {
    const server = await startDouble();
    server.rooms.set('r', 1);
    // Only a home and the port are set.
    const env = { HOME: await stateFolder(), PORT: String(await freePort()) };
    const before = await runService([], { env });
    const viewer = await watch(before);
    await server.askAtStartup(before.url, { port: server.port });
    await untilShown(viewer, { r: 1 });
    await eventually(async () => expect(await filesIn(env.HOME)).toMatch(server.id));
    process.kill(before.pid, signal);
    await eventually(() => expect(before.isRunning()).toBe(false));

    const after = await runService([], { env });
    await eventually(() => expect(wishesOf(server).at(-1)?.active).toBe(false));
    await untilShown(await watch(after), { r: 1 });
    expect(await serversOf(after)).toMatchObject([{ id: server.id, state: 'live' }]);
  },
  60_000,
);

test('a second service of the same user remembers its own servers', async () => {
  const server = await startDouble();
  const HOME = await stateFolder();
  const first = await runService([], { env: { HOME, PORT: String(await freePort()) } });
  await watch(first);
  await server.askAtStartup(first.url, { port: server.port });
  await eventually(async () => expect(await filesIn(HOME)).toMatch(server.id));
  const second = await runService([], { env: { HOME, PORT: String(await freePort()) } });
  const viewer = await watch(second);
  await eventually(() => expect(viewer.seen().state).toBe('active'));
  expect(viewer.seen()).toMatchObject({ complete: false, reason: 'no_server_known', servers: {} });
  for (const { eventsUrl } of wishesOf(server)) expect(eventsUrl).toMatch(first.url);
});

test('a folder that cannot be written is logged once, and the service goes on', async () => {
  const server = await startDouble();
  server.rooms.set('r', 1);
  const env = { STATE_DIR: '/proc/nowhere', PORT: String(await freePort()) };
  const service = await runService([], { env });
  const viewer = await watch(service);
  await server.askAtStartup(service.url, { port: server.port });
  await untilShown(viewer, { r: 1 });
  const warnings = () => service.log().match(/servers cannot be remembered/g) ?? [];
  await eventually(() => expect(warnings()).toHaveLength(1));
});
