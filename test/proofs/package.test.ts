import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const { NODE_OPTIONS: _, ...env } = process.env;
const sources = ['machines', 'server', 'docs', 'package.json', 'tsconfig.json'];
const others = ['tsconfig.build.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];
const offline = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];

let scratch = '';
/** Where the package is installed, and nothing else. */
let installed = '';
let packed: string[] = [];

/** Builds a copy, because the build empties `dist`, which other tests use. */
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'package-'));
  const copy = join(scratch, 'copy');
  installed = join(scratch, 'installed');
  await mkdir(installed);
  for (const path of [...sources, ...others])
    await cp(join(root, path), join(copy, path), { recursive: true });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', scratch], {
    cwd: copy,
    env,
  });
  // What the build prints comes before.
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('[\n')));
  packed = files.map(({ path }: { path: string }) => path);
  const args = ['install', '--prefix', installed, ...offline, join(scratch, filename)];
  await run('npm', args, { cwd: installed, env });
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const bin = (...args: string[]) =>
  spawn(join(installed, 'node_modules/.bin/pubsub-dashboard'), args, {
    cwd: installed,
    env: { ...env, PORT: '0', STATE_DIR: 'none', LOG_LEVEL: 'info' },
  });

/** The output and the exit code of the command. */
async function outcomeOf(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = bin(...args);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, out, err };
}

/** Starts the installed service. Resolves with its address. */
async function start() {
  const child = bin();
  child.stderr.pipe(process.stderr);
  let log = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`exit ${code}: ${log}`)));
    child.stdout.on('data', (chunk) => {
      log += chunk;
      const [, found] = /"url":"([^"]+)","msg":"listening"/.exec(log) ?? [];
      if (found) resolve(found);
    });
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    return code;
  };
  return { url, stop };
}

test('the package has the compiled service and the built page, and no more', () => {
  const allowed = [
    /^dist\/machines\/\w+\.js$/,
    /^dist\/server\/(?!agent|demo|page)([\w-]+\/)*[\w-]+\.js$/,
    /^dist\/server\/cluster\/scripts\/\w+\.lua$/,
    /^dist\/server\/page\/(index\.html|assets\/[\w-]+\.(js|css|svg))(\.br|\.gz)?$/,
    /^(docs\/openapi\.yaml|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  ];
  expect(packed.filter((path) => !allowed.some((pattern) => pattern.test(path)))).toEqual([]);
  expect(packed).toEqual(
    expect.arrayContaining([
      'dist/server/cli.js',
      'dist/server/main.js',
      'dist/server/cluster/scripts/acquire.lua',
      'dist/server/documents/documentWorker.js',
      'dist/server/store/embedded/embeddedWorker.js',
      'dist/server/page/index.html',
      'docs/openapi.yaml',
    ]),
  );
});

test('the package depends on all that it imports', async () => {
  const folder = join(installed, 'node_modules/pubsub-dashboard');
  const { dependencies, optionalDependencies } = JSON.parse(
    await readFile(join(folder, 'package.json'), 'utf8'),
  );
  // Optional packages are loaded by tracing alone, which is loaded when it is on.
  const known = (path: string) =>
    path.startsWith('dist/server/tracing/')
      ? { ...dependencies, ...optionalDependencies }
      : dependencies;
  const files = (await readdir(folder, { recursive: true })).filter((path) =>
    /^dist\/(machines|server\/(?!page)).*\.js$/.test(path),
  );
  const imported = new Set<string>();
  const unknown: string[] = [];
  for (const path of files) {
    const code = await readFile(join(folder, path), 'utf8');
    const statement =
      /^(?:import|export)\b.* from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm;
    for (const [, from, bare, dynamic] of code.matchAll(statement)) {
      const name = from ?? bare ?? dynamic ?? '';
      if (/^(\.|node:)/.test(name)) continue;
      const packageName = name.replace(/^((?:@[^/]+\/)?[^/]+).*$/, '$1');
      imported.add(packageName);
      if (!(packageName in known(path))) unknown.push(`${packageName} in ${path}`);
    }
  }
  expect(unknown).toEqual([]);
  expect(imported.size).toBeGreaterThan(10);
});

test('the command serves the page, the counts and the tables, without install scripts', async () => {
  const { url, stop } = await start();
  const get = async (path: string) => {
    const answer = await fetch(`${url}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  expect((await get('/health')).status).toBe(200);
  const page = await get('/');
  expect(page.text).toContain('<!doctype html>');
  const [, script = ''] = /src="([^"]+\.js)"/.exec(page.text) ?? [];
  expect(new URL(script, url).pathname).toMatch(/^\/assets\//);
  expect((await get(new URL(script, url).pathname)).status).toBe(200);
  expect(JSON.parse((await get('/openapi.json')).text)).toMatchObject({
    openapi: expect.stringMatching(/^3/),
  });
  expect(await get('/api/rooms')).toEqual({ status: 200, text: '[]' });
  expect(JSON.parse((await get('/api/servers')).text)).toEqual([]);
  expect(await stop()).toBe(0);
});

test('the command tells its version and its settings', async () => {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  expect(await outcomeOf('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
  const help = await outcomeOf('--help');
  expect(help).toEqual({
    code: 0,
    out: expect.stringMatching(/^Usage: npx pubsub-dashboard\n/),
    err: '',
  });
});

test.each(['start', '--port=8080'])('the command refuses the argument %s', async (argument) => {
  expect(await outcomeOf(argument)).toEqual({
    code: 2,
    out: '',
    err: expect.stringContaining(`Unknown argument '${argument}'`),
  });
});
