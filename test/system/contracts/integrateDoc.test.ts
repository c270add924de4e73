import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
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
const [, example = ''] = /^```js\n(.*?)^```$/ms.exec(page) ?? [];

/** The first server of the page, with the agent of this folder. */
async function startExample(dashboardUrl: string): Promise<{ port: number }> {
  const folder = owns(await mkdtemp(join(tmpdir(), 'integrate-')), (it) =>
    rm(it, { recursive: true }),
  );
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const agent = new URL('../../../server/agent/yWebsocket.ts', import.meta.url).href;
  const source = example.replace('@pubsub-dashboard/agent/y-websocket', agent);
  expect(source).not.toBe(example);
  await writeFile(join(folder, 'server.mjs'), source);
  const port = await freePort();
  const child = spawn(process.execPath, ['--import', 'tsx', 'server.mjs'], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '', PORT: `${port}`, DASHBOARD_URL: dashboardUrl },
    stdio: 'inherit',
  });
  const exited = once(child, 'exit');
  owns(child, () => {
    child.kill('SIGKILL');
    return exited;
  });
  return { port };
}

test('the first server of docs/integrate.md is found and counted', async () => {
  const service = await startStaged([]);
  const viewer = await watchMaps(service);
  const { port } = await startExample(service.url);
  await eventually(async () => expect(await serversOf(service)).toMatchObject([{ state: 'live' }]));
  const connection = visits(await openConnection(`ws://127.0.0.1:${port}`, 'a%20b'), (it) =>
    it.close(),
  );
  await untilShown(viewer, { 'a%20b': 1 });
  await connection.close();
  await untilShown(viewer, {});
});
