import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { oldVariables } from '../../../server/config/oldVariables.js';
import { freePort } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import {
  getJson,
  owns,
  serversOf,
  startDouble,
  untilShown,
  watchMaps,
} from '../../support/stage.js';
import { fargateTask, startEcs } from '../../system/discovery/ecsDouble.js';
import { runService } from '../faults/support/serviceRun.js';

const page = await readFile(
  new URL('../../../docs/migrate-from-symphony.md', import.meta.url),
  'utf8',
);
const sections = new Map(page.split(/^## /m).map((text) => [text.split('\n', 1)[0] ?? '', text]));

/** The commands and settings of a section, line by line. */
function linesIn(title: string): string[] {
  const blocks = [...(sections.get(title) ?? '').matchAll(/^```sh\n(.*?)^```$/gms)];
  return blocks.flatMap(([, lines = '']) => lines.trim().split('\n'));
}

const settingsIn = (title: string) =>
  Object.fromEntries(linesIn(title).map((line) => line.split(/=(.*)/s).slice(0, 2)));

const run = promisify(execFile);
/** Runs a command of the page with another port. Resolves with what it prints. */
const printed = async (command: string, port: string) =>
  (await run('sh', ['-c', command.replaceAll(':8000', `:${port}`)])).stdout;
const letIn = settingsIn('1. Let the old page in');
const where = settingsIn('2. Set its address');
const ecs = settingsIn('3. Rename the variables');
const table = settingsIn('4. Let it read the rooms table');
const commands = linesIn('5. Check that it works');
/** Variables of the page, for a service on loopback. */
const here = async () => ({
  ...letIn,
  ...where,
  HOST: '127.0.0.1',
  PUBLIC_URL: '',
  PORT: String(await freePort()),
  STATE_DIR: 'none',
});

test('the tests below use every setting of the page', () => {
  expect(Object.keys(letIn)).toEqual(['AUTH', 'CORS_ORIGINS', 'ALLOWED_HOSTS']);
  expect(Object.keys(where)).toEqual(['HOST', 'PORT', 'PUBLIC_URL']);
  expect(Object.keys(ecs)).toEqual(['ECS_CLUSTER', 'ECS_SERVICE', 'PUBSUB_PORT', 'AWS_REGION']);
  expect(Object.keys(table)).toEqual(['DYNAMODB_TABLE']);
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| `([A-Z_]+)` \|$/gm)];
  expect(rows.map(([, old, ours]) => [old, ours])).toEqual(
    Object.entries(oldVariables).map(([old, [ours]]) => [old, ours]),
  );
});

test('with these settings the commands print what the page says, and the old page reads counts', async () => {
  const server = await startDouble();
  server.rooms.set('notes', 2);
  const env = await here();
  const service = await runService([], { env });
  await server.askAtStartup(service.url, { port: server.port });
  const outputs: string[] = [];
  for (const command of commands) {
    expect(command).toMatch(/^curl -sf /);
    // The store of a service that has just been started may not be open yet.
    await eventually(async () => outputs.push(await printed(command, env.PORT)));
  }
  const [state = '', servers = '', rooms = '', headers = ''] = outputs;
  expect(JSON.parse(state)).toMatchObject({ reason: 'not_counting' });
  expect([JSON.parse(servers), JSON.parse(rooms)]).toEqual([expect.any(Array), expect.any(Array)]);
  expect(headers).toMatch(/^HTTP\/1.1 200 /);
  expect(headers.toLowerCase()).toContain(
    `access-control-allow-origin: ${letIn.CORS_ORIGINS}`.toLowerCase(),
  );

  const viewer = await watchMaps(service);
  await untilShown(viewer, { notes: 2 });
  const rest = (path: string) => getJson<object[]>(`${service.url}${path}`);
  const [room] = await rest('/api/rooms');
  expect(room).toMatchObject({ id: 'notes', name: 'notes', bytes: null, active: true });
  expect(room).toHaveProperty('createdAt');
  expect(await rest('/api/connections/latest')).toEqual([]);
  expect(await rest('/api/connections/since_yesterday/9')).toEqual([]);
  await server.open('notes');
  await eventually(async () =>
    expect(await rest('/api/connections/latest')).toMatchObject([
      { roomName: 'notes', observed: true },
    ]),
  );
  expect((await fetch(`${service.url}/api/rooms/stored`)).status).toBe(404);
});

test('without one of these settings the old page is refused', async () => {
  const last = commands.at(-1) ?? '';
  for (const [name, instead, expected] of [
    ['ALLOWED_HOSTS', '', /^HTTP\/1.1 421 /],
    ['CORS_ORIGINS', '', /^HTTP\/1.1 200 (?!.*access-control-allow-origin)/is],
    ['AUTH', 'token', /^HTTP\/1.1 401 /],
  ] as const) {
    const env = { ...(await here()), DASHBOARD_TOKEN: 'secret', [name]: instead };
    await runService([], { env });
    const shown = await printed(last.replace('-sf', '-s'), env.PORT);
    expect([name, shown]).toEqual([name, expect.stringMatching(expected)]);
  }
});

test('old variables are logged as warnings, and ours find the tasks of the ECS service', async () => {
  const double = await startDouble();
  const api = owns(await startEcs(100), (it) => it.stop());
  api.tasks.set('arn:1', fargateTask('127.0.0.1'));
  const aws = {
    AWS_ENDPOINT_URL_ECS: api.url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  };
  const old = { WS_CLUSTER: 'a', WS_SERVICE: 'b', WS_PORT: '3', REGION: 'c' };
  const before = await runService([], { env: { ...(await here()), ...aws, ...old } });
  await eventually(() => {
    for (const name of Object.keys(old)) expect(before.log()).toContain(`${name} is `);
  });
  const env = { ...(await here()), ...aws, ...ecs, PUBSUB_PORT: String(double.port) };
  const after = await runService([], { env: { ...env, ...old } });
  await eventually(async () => expect(await serversOf(after)).toMatchObject([{ id: double.id }]));
  expect(after.log()).not.toMatch(/WS_|REGION/);
  const [{ input } = { input: {} }] = api.requests;
  expect(input).toMatchObject({ cluster: ecs.ECS_CLUSTER, serviceName: ecs.ECS_SERVICE });
});
