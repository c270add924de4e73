import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, expect, test } from '@jest/globals';
import { freePort } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import { owns } from '../../support/stage.js';
import { startComparison } from './comparison.js';
import { exampleFolder, removeBuiltAgent } from './exampleFolder.js';
import { HocuspocusClient } from './hocuspocusClient.js';

afterAll(removeBuiltAgent);

/** Runs an example as its reader would. Resolves with the port that it was given, once it is reported. */
async function startExample(example: string, host: string) {
  const comparison = owns(await startComparison(), (it) => it.end());
  const folder = owns(await exampleFolder(example, host), (it) => it.remove());
  const port = await freePort();
  const env = { ...process.env, NODE_OPTIONS: '', PORT: `${port}`, DASHBOARD_URL: comparison.url };
  const child = spawn(process.execPath, [folder.path], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  owns(child, () => {
    child.kill('SIGKILL');
    return exited;
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk;
    });
  await comparison.untilLive().catch((cause: Error) => {
    throw new Error(`${cause.message}. ${output}`);
  });
  return { comparison, port };
}

test.each([
  ['hocuspocus-2.mjs', 'hocuspocus-2'],
  ['hocuspocus.mjs', 'hocuspocus-3'],
  ['hocuspocus.mjs', 'hocuspocus-4'],
  ['hocuspocus-http.mjs', 'hocuspocus-3'],
])('docs/examples/%s runs with %s, and its connections are counted', async (example, host) => {
  const { comparison, port } = await startExample(example, host);
  const client = owns(await HocuspocusClient.open(port), (it) => it.terminate());
  expect(await client.join('notes')).toBe('joined');
  await eventually(() => expect(comparison.shown()).toEqual({ notes: 1 }));
  const answer = await fetch(`${comparison.url}/api/room?room=notes`);
  expect(answer.status).toBe(200);
  await client.close();
  await eventually(() => expect(comparison.shown()).toEqual({}));
});
