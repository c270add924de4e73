import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { openConnection } from '../../../server/demo/openConnection.js';
import { freePort } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import {
  owns,
  serversOf,
  startStaged,
  untilShown,
  visits,
  watchMaps,
} from '../../support/stage.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const page = await readFile(join(root, 'docs/integrate.md'), 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, block = '']) => block,
  );
const copies = blocks('sh').filter((block) => block.startsWith('cp '));
const [example = ''] = blocks('ts');
const run = promisify(execFile);

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** The server of the page, from nothing but the files that the page has copied. */
async function startExample(dashboardUrl: string): Promise<{ port: number }> {
  const folder = owns(await mkdtemp(join(tmpdir(), 'integrate-')), (it) =>
    rm(it, { recursive: true }),
  );
  for (const copy of copies)
    await run('sh', ['-ec', copy.replaceAll('my-server/', folder)], { cwd: root });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  const port = await freePort();
  const source = example
    .replace('const port = 8001;', `const port = ${port};`)
    .replace('http://127.0.0.1:8000', dashboardUrl);
  await writeFile(join(folder, 'server.ts'), source);
  const args = ['--import', 'tsx', 'server.ts'];
  owns(spawn(process.execPath, args, { cwd: folder, stdio: 'inherit' }), stop);
  return { port };
}

test('the server of docs/integrate.md is found and counted', async () => {
  expect(copies).toHaveLength(2);
  const service = await startStaged([]);
  const viewer = await watchMaps(service);
  const { port } = await startExample(service.url);
  const id = `127.0.0.1:${port}`;
  await eventually(async () =>
    expect(await serversOf(service)).toMatchObject([{ id, state: 'live' }]),
  );
  const connection = visits(await openConnection(`ws://${id}`, 'a%20b'), (it) => it.close());
  await untilShown(viewer, { 'a%20b': 1 });
  await connection.close();
  await untilShown(viewer, {});
});
