import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { validate } from 'dockerfile-utils';
import { variables } from '../../../server/config/variables.js';
import { freePort } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import { ask } from '../../support/http.js';
import { owns, startDouble } from '../../support/stage.js';
import { makeNodeBase, npmOfThisMachine } from './support/baseImage.js';
import { execute, start } from './support/chroot.js';
import { deployFile } from './support/files.js';
import { buildImage, type Image } from './support/image.js';

jest.setTimeout(900_000);

const context = fileURLToPath(new URL('../../../', import.meta.url));
const { name, version, license, description } = JSON.parse(
  await readFile(join(context, 'package.json'), 'utf8'),
);
let scratch = '';
let image: Image;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'image-'));
  image = await buildImage({
    dockerfile: await deployFile('Dockerfile'),
    ignore: await deployFile('Dockerfile.dockerignore'),
    ...{ context, scratch, makeBase: makeNodeBase, network: await npmOfThisMachine() },
  });
}, 900_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** A container: read-only but for its volume, as the user of the image. */
async function startContainer(env: Record<string, string>) {
  const port = `${await freePort()}`;
  const volume = await mkdtemp(join(scratch, 'volume-'));
  const [uid = 0, gid = 0] = image.user.split(':').map(Number);
  await chown(volume, uid, gid);
  const options = {
    env: { ...image.env, PORT: port, ...env },
    user: image.user,
    mounts: Object.fromEntries(image.volumes.map((path) => [path, volume])),
    isReadOnly: true,
  };
  const child = owns(start(image, image.entrypoint, options), (it) => signal(it, 'SIGKILL'));
  const said = { text: '' };
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said.text += text;
    });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const url = `http://127.0.0.1:${port}`;
  return { child, options, said, exited, url, volume };
}

/** Sends a signal to the first process of a container, as Docker does. Nothing happens if it has ended. */
async function signal(child: ChildProcess, name: NodeJS.Signals): Promise<void> {
  const { pid, exitCode, signalCode } = child;
  if (exitCode !== null || signalCode !== null) return;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  process.kill(Number(children.trim().split(' ')[0]), name);
}

const withToken = { DASHBOARD_TOKEN: 'a-token-that-nobody-guesses' };

test('the Dockerfile has no problem that its linter knows', async () => {
  expect(validate(await deployFile('Dockerfile'))).toEqual([]);
});

test('the image has the compiled service and what it imports, and no way to install more', async () => {
  const inside = (path: string) => readdir(join(image.root, path));
  expect((await inside('app')).sort()).toEqual(
    ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'docs', 'node_modules', 'package.json'].sort(),
  );
  expect(await inside('app/dist/server')).not.toContain('agent');
  const packages = await inside('app/node_modules');
  expect(packages).toEqual(expect.arrayContaining(['koa', 'xstate', 'yjs']));
  for (const other of ['jest', 'typescript', 'vite', '@pubsub-dashboard'])
    expect(packages).not.toContain(other);
  expect(await inside('usr/local/bin')).not.toContain('npm');
});

test('what the image says of itself is true', () => {
  const { labels, env, ports, user, volumes } = image;
  const prefix = 'org.opencontainers.image';
  expect(labels).toMatchObject({
    [`${prefix}.title`]: name,
    [`${prefix}.description`]: description,
    [`${prefix}.licenses`]: license,
  });
  expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  expect(ports).toEqual([env.PORT]);
  expect(volumes).toEqual([env.STATE_DIR]);
  const known = ['NODE_ENV', ...variables.map((variable) => variable.name as string)];
  expect(Object.keys(env).filter((variable) => !known.includes(variable))).toEqual([]);
});

test('the version in the Dockerfile is that of the package', async () => {
  expect(await deployFile('Dockerfile')).toContain(`ARG VERSION=${version}\n`);
});

test('the user of the image owns its volume, and nothing else', async () => {
  const [uid = ''] = image.user.split(':');
  const find = [
    'find',
    '/',
    '-xdev',
    '-uid',
    uid,
    '-not',
    '-path',
    '/home/*',
    '-not',
    '-path',
    '/proc/*',
  ];
  const { text } = await execute(image, find, { env: {}, user: '0:0' });
  expect(text.trim().split('\n')).toEqual(image.volumes);
});

test('a container without a token says what is missing, and ends', async () => {
  const { said, exited } = await startContainer({});
  expect(await exited).not.toBe(0);
  expect(said.text).toContain('DASHBOARD_TOKEN is unset');
});

test('a container serves with a read-only file system, is healthy, and ends with SIGTERM', async () => {
  const server = { PUBSUB_SERVERS: '127.0.0.1:9' };
  const { child, options, said, exited, url } = await startContainer({ ...withToken, ...server });
  const isHealthy = async () => (await execute(image, image.healthcheck, options)).code === 0;
  await eventually(async () => expect(await isHealthy()).toBe(true), { withinMs: 60_000 });
  expect((await ask(`${url}/`)).text).toContain('<!doctype html>');
  const headers = { Authorization: `Bearer ${withToken.DASHBOARD_TOKEN}` };
  expect((await ask(`${url}/api/state`, { headers })).status).toBe(200);
  expect(said.text).not.toMatch(/EROFS|EACCES|EPERM/);
  await signal(child, image.signal as NodeJS.Signals);
  expect(await exited).toBe(0);
  expect(await isHealthy()).toBe(false);
});

test('a container remembers servers in its volume', async () => {
  const double = await startDouble();
  const env = { ...withToken, PUBSUB_NETWORKS: '127.0.0.0/8' };
  const { child, exited, url, volume } = await startContainer(env);
  const query = `${url}/api/events/clients?port=${double.id.split(':')[1]}`;
  await eventually(async () => expect((await ask(query)).status).toBe(200), { withinMs: 60_000 });
  // While it is written it has another name.
  const isWritten = (name: string) => name.endsWith('.json');
  const file = await eventually(async () => {
    const [name = '', ...others] = (await readdir(volume)).filter(isWritten);
    expect(others).toEqual([]);
    expect(await readFile(join(volume, name), 'utf8')).toContain(double.id);
    return name;
  });
  const { uid } = await stat(join(volume, file));
  expect(`${uid}`).toBe(image.user.split(':')[0]);
  await signal(child, 'SIGTERM');
  expect(await exited).toBe(0);
});
