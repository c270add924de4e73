import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, expect, test } from '@jest/globals';
import { applyUpdate, Doc, encodeStateAsUpdate } from 'yjs';
import { freePort } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import { owns } from '../../support/stage.js';
import { startComparison } from './comparison.js';
import { exampleFolder, removeBuiltAgent } from './exampleFolder.js';
import { HocuspocusClient } from './hocuspocusClient.js';
import type { HostKind } from './hostKind.js';
import { ySocketIoKind } from './ySocketIoKind.js';
import { yWebsocketKinds } from './yWebsocketKinds.js';

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

const [yWebsocket] = yWebsocketKinds as [HostKind];

test.each([
  ['y-websocket.mjs', 'y-websocket-1', yWebsocket],
  ['y-websocket.mjs', 'y-websocket-2', yWebsocket],
  ['y-websocket-server.mjs', 'y-websocket-server-0.1.1', yWebsocket],
  ['y-websocket-server.mjs', 'y-websocket-server-0.1.5', yWebsocket],
  ['y-socket.io.mjs', 'y-socket.io-1', ySocketIoKind],
  ['own-server.mjs', 'y-websocket-2', yWebsocket],
])('docs/examples/%s runs with %s, and its documents are shown', async (example, host, kind) => {
  const { comparison, port } = await startExample(example, host);
  const url = `${kind === ySocketIoKind ? 'http' : 'ws'}://127.0.0.1:${port}`;
  const client = owns(await kind.connect(url, 'notes'), (it) => it.terminate());
  await eventually(() => expect(comparison.shown()).toEqual({ notes: 1 }));
  const doc = new Doc();
  doc.getText('text').insert(0, 'hello');
  client.edit(encodeStateAsUpdate(doc));
  await eventually(async () => {
    const answer = await fetch(`${comparison.url}/api/room?room=notes`);
    const shown = new Doc();
    applyUpdate(shown, new Uint8Array(await answer.arrayBuffer()));
    expect(shown.getText('text').toJSON()).toBe('hello');
  });
  expect(await (await fetch(`http://127.0.0.1:${port}/health`)).text()).toBe('My own page');
  await client.close();
  await eventually(() => expect(comparison.shown()).toEqual({}));
});
