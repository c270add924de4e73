import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const { NODE_OPTIONS: _, ...env } = process.env;
const offline = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund'];

/** What each entry gives to its users. */
const entries = [
  ['@pubsub-dashboard/agent', 'createAgent'],
  ['@pubsub-dashboard/agent/hocuspocus', 'Dashboard'],
  ['@pubsub-dashboard/agent/y-websocket', 'attachDashboard'],
  ['@pubsub-dashboard/agent/y-socket.io', 'attachDashboard'],
] as const;

let scratch = '';
/** An empty project with the package, and nothing else. */
let project = '';
let packed: string[] = [];

/** Builds a copy: the build empties `dist`, and other tests may read it. */
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'agent-package-'));
  const copy = join(scratch, 'copy');
  project = join(scratch, 'project');
  await mkdir(project);
  await cp(join(root, 'tsconfig.json'), join(copy, 'tsconfig.json'));
  await cp(join(root, 'server/agent'), join(copy, 'server/agent'), { recursive: true });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  const packing = await run('npm', ['pack', '--json', '--pack-destination', scratch], {
    cwd: join(copy, 'server/agent'),
    env,
  });
  // What the build prints comes before.
  const [{ filename, files }] = JSON.parse(packing.stdout.slice(packing.stdout.indexOf('[\n')));
  packed = files.map(({ path }: { path: string }) => path);
  await writeFile(join(project, 'package.json'), '{"name":"project","private":true}');
  await run('npm', ['install', ...offline, join(scratch, filename)], { cwd: project, env });
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Runs a file of the project. Resolves with what it prints. */
async function outputOf(name: string, code: string): Promise<string> {
  await writeFile(join(project, name), code);
  return (await run(process.execPath, [name], { cwd: project, env })).stdout.trim();
}

test('the package is the sources, compiled in both ways, with types', async () => {
  const sources = (await readdir(join(root, 'server/agent'), { recursive: true }))
    .filter((path) => path.endsWith('.ts') && !path.startsWith('dist'))
    .map((path) => path.slice(0, -3));
  const compiled = sources.flatMap((path) =>
    // The command is a module only.
    (path.startsWith('check/') ? ['esm'] : ['esm', 'cjs']).flatMap((form) =>
      ['js', 'd.ts'].map((extension) => `dist/${form}/${path}.${extension}`),
    ),
  );
  const others = ['LICENSE', 'README.md', 'package.json', 'dist/cjs/package.json'];
  expect(packed.toSorted()).toEqual([...compiled, ...others].toSorted());
});

test('the package has no dependencies, and installs nothing beside itself', async () => {
  const installed = await readdir(join(project, 'node_modules'));
  expect(installed.filter((name) => !name.startsWith('.'))).toEqual(['@pubsub-dashboard']);
});

describe.each(entries)('%s', (entry, name) => {
  test('can be imported', async () => {
    const code = `import { ${name} } from '${entry}'; console.log(typeof ${name});`;
    expect(await outputOf('entry.mjs', code)).toBe('function');
  });

  test('can be required', async () => {
    const code = `const { ${name} } = require('${entry}'); console.log(typeof ${name});`;
    expect(await outputOf('entry.cjs', code)).toBe('function');
  });
});

test('every entry has types, for modules of both kinds', async () => {
  const code = entries
    .map(([entry, name], index) => `import { ${name} as entry${index} } from '${entry}';`)
    .join('\n');
  const uses = 'const agent = entry0({ documents: 7 });\nvoid [agent, entry1, entry2, entry3];\n';
  for (const name of ['types.mts', 'types.cts'])
    await writeFile(join(project, name), `${code}\n// @ts-expect-error\n${uses}`);
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023'];
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
  const tsc = join(root, 'node_modules/.bin/tsc');
  const check = run(tsc, [...options, ...types, 'types.mts', 'types.cts'], { cwd: project, env });
  const failure = await check.catch(({ stdout }: { stdout: string }) => stdout);
  expect(failure).toMatchObject({ stdout: '' });
});

test('an agent of the package listens, answers, and lets its process end', async () => {
  const code = `
    import { get } from 'node:http';
    import { createAgent } from '@pubsub-dashboard/agent';
    const documents = { connections: () => [['r', 1]], encodedState: () => undefined };
    const agent = createAgent({ url: 'http://127.0.0.1:1', documents, log: { info() {}, warn() {} } });
    const { port } = await agent.start();
    get({ port, host: '127.0.0.1', path: '/health' }, async (answer) => {
      for await (const chunk of answer) console.log(String(chunk));
    });`;
  expect(await outputOf('agent.mjs', code)).toBe('okay');
});

test('the command of the package runs', async () => {
  const { bin } = JSON.parse(await readFile(join(root, 'server/agent/package.json'), 'utf8'));
  const [name = ''] = Object.keys(bin);
  const command = run(join(project, 'node_modules/.bin', name), ['--help'], { cwd: project, env });
  expect((await command).stdout).toContain('check');
});
