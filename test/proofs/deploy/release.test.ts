import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const { NODE_OPTIONS: _, ...env } = process.env;
const files = ['machines', 'server', 'docs', 'README.md', 'LICENSE', 'CHANGELOG.md'];
const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const { version } = manifest;
let copy = '';

/** A copy: packing empties `dist`, which other tests read. Its changelog has the version. */
beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'release-'));
  for (const path of [...files, ...settings])
    await cp(join(root, path), join(copy, path), { recursive: true });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  const changelog = await readFile(join(copy, 'CHANGELOG.md'), 'utf8');
  const entry = `## [${version}]\n\n### Added\n\n- Everything.\n\n## [Unreleased]`;
  await writeFile(join(copy, 'CHANGELOG.md'), changelog.replace('## [Unreleased]', entry));
});
afterAll(() => rm(copy, { recursive: true, force: true }));

const release = (...args: string[]) =>
  promisify(execFile)('npm', ['run', '-s', 'release', '--', ...args], { cwd: copy, env });

test('a release is refused while any place has another version than the tag', async () => {
  await release('check', `v${version}`);
  await expect(release('check', 'v9.9.9')).rejects.toThrow('Chart.yaml');
  const file = join(copy, 'docs/deploy/chart/Chart.yaml');
  const chart = await readFile(file, 'utf8');
  await writeFile(file, chart.replace(`appVersion: ${version}`, 'appVersion: 0.0.9'));
  await expect(release('check', `v${version}`)).rejects.toThrow('appVersion in Chart.yaml: 0.0.9');
  await writeFile(file, chart);
});

test('a release has both packages, the list of what the service installs, and its notes', async () => {
  await release('pack', 'out');
  expect((await readdir(join(copy, 'out'))).sort()).toEqual([
    'notes.md',
    `pubsub-dashboard-${version}.cdx.json`,
    `pubsub-dashboard-${version}.tgz`,
    `pubsub-dashboard-agent-${version}.tgz`,
  ]);
  expect(await readFile(join(copy, 'out/notes.md'), 'utf8')).toBe('### Added\n\n- Everything.\n');
  const list = await readFile(join(copy, `out/pubsub-dashboard-${version}.cdx.json`), 'utf8');
  const service = JSON.parse(list);
  expect(service).toMatchObject({
    bomFormat: 'CycloneDX',
    metadata: { component: { name: 'pubsub-dashboard', version } },
  });
  const listed = service.components.map(({ name }: { name: string }) => name);
  expect(listed).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)));
  // Packages that only tests and the build need. Some of the others are needed by those too.
  for (const name of ['jest', 'typescript', 'vite', 'playwright-core'])
    expect(listed).not.toContain(name);
  const agent = JSON.parse(await readFile(join(root, 'server/agent/package.json'), 'utf8'));
  expect(agent.dependencies).toBeUndefined();
});

interface Job {
  permissions?: Record<string, string>;
  needs?: string | string[];
  steps: { uses?: string; run?: string; with?: Record<string, unknown> }[];
}

test('each job of the release has the rights that it needs, and no others', async () => {
  const workflow = parse(await readFile(join(root, '.github/workflows/release.yml'), 'utf8'));
  const jobs: Record<string, Job> = workflow.jobs;
  expect(workflow.permissions).toEqual({});
  const rights = Object.fromEntries(
    Object.entries(jobs).map(([name, { permissions = {} }]) => [
      name,
      Object.keys(permissions)
        .filter((it) => permissions[it] === 'write')
        .sort(),
    ]),
  );
  expect(rights).toEqual({
    build: [],
    packages: ['attestations', 'id-token'],
    image: ['id-token'],
    notes: ['contents'],
  });
  // What installs and runs packages of others has no right to publish.
  const runs = (name: string) => jobs[name]?.steps.map(({ run = '' }) => run).join('\n') ?? '';
  for (const name of ['packages', 'image', 'notes'])
    expect(runs(name)).not.toMatch(/npm (ci|install|run)/);
  for (const command of runs('packages').match(/npm publish.*/g) ?? [])
    expect(command).toContain('--provenance');
  expect(runs('packages').match(/npm publish/g)).toHaveLength(2);
});

test('the names of files in the workflow are those that a release has', async () => {
  const text = await readFile(join(root, '.github/workflows/release.yml'), 'utf8');
  const globs = [...text.matchAll(/release\/([\w*.[\]-]+\.\w+)/g)].map(([, glob = '']) => glob);
  const packages = ['pubsub-dashboard', 'pubsub-dashboard-agent'].map(
    (it) => `${it}-${version}.tgz`,
  );
  const names = [...packages, `pubsub-dashboard-${version}.cdx.json`, 'notes.md'];
  expect(globs.length).toBeGreaterThan(4);
  for (const glob of globs) {
    const pattern = new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
    expect([glob, names.some((name) => pattern.test(name))]).toEqual([glob, true]);
  }
  expect(text).toContain('docs/deploy/Dockerfile');
});
