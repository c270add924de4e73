import { expect, test } from '@jest/globals';
import type { Result } from '../../../server/agent/check/check.js';
import { hocuspocus, type Opener } from '../../../server/agent/check/opener.js';
import { runChecks } from '../../../server/agent/check/runChecks.js';
import { freePort } from '../../../server/demo/serviceChild.js';
import { owns } from '../../support/stage.js';
import type { HocuspocusReady } from './hocuspocusHost.js';
import type { HostClient, HostKind } from './hostKind.js';
import { startHost as startHocuspocus } from './hostProcess.js';
import { installHost } from './install.js';
import { startHost } from './startHost.js';
import { ySocketIoKind } from './ySocketIoKind.js';
import { yWebsocketKinds } from './yWebsocketKinds.js';

const withinMs = 10_000;
/** Nobody listens there. */
const url = 'http://127.0.0.1:9';

const failuresOf = (results: readonly Result[]) =>
  results.filter(({ result }) => result === 'fail');

test.each([2, 3, 4])('Hocuspocus %s with the agent passes every check', async (version) => {
  const folder = `hocuspocus-${version}`;
  await installHost(folder);
  const options = { folder, dashboard: { url } };
  const host = await startHocuspocus<HocuspocusReady>('hocuspocusHost', options);
  owns(host, () => host.kill());
  const results = await runChecks({
    url: new URL(`http://127.0.0.1:${host.ready.controlPort}`),
    opener: hocuspocus(new URL(`ws://127.0.0.1:${host.ready.port}`), withinMs, 'ok'),
    withinMs,
    sendsBadInput: true,
  });
  expect(failuresOf(results)).toEqual([]);
  // Hocuspocus never answers to clients of these two documents.
  expect(results.find(({ id }) => id === 'names')?.seen).toBe(
    "11 names; the server refuses '__proto__' 'constructor'",
  );
  expect(await host.ask('rejections')).toEqual([]);
});

/** Clients of a kind of host, for a check. */
function openerOf({ connect }: HostKind, address: string, names: Opener['names']): Opener {
  const open = async (room: string) => {
    const client = await connect(address, room);
    return { close: client.close, send: (message: Uint8Array) => pass(message, client) };
  };
  return { names, many: 200, open };
}

/** Passes on a message of the y-websocket protocol as what this client sends. */
function pass(message: Uint8Array, client: HostClient): void {
  const isAwareness = message[0] === 1;
  const content = message.subarray(isAwareness ? 1 : 2);
  // After its length.
  const bytes = content.subarray(content.findIndex((byte) => byte < 128) + 1);
  if (isAwareness) client.tell(bytes);
  else client.edit(bytes);
}

const kinds = [
  ...yWebsocketKinds.map((kind) => ({ kind, name: kind.name, names: 'path' as const })),
  { kind: ySocketIoKind, name: ySocketIoKind.name, names: 'any' as const },
];

test.each(kinds)('$name with the agent passes every check', async ({ kind, names }) => {
  const controlPort = await freePort();
  const settings = { dashboardUrl: url, controlPort, isStoring: true, deadlineMs: 5_000 };
  const host = owns(await startHost(kind, settings), (it) => it.kill());
  const results = await runChecks({
    url: new URL(`http://127.0.0.1:${controlPort}`),
    opener: openerOf(kind, host.url, names),
    withinMs,
    sendsBadInput: true,
  });
  expect(failuresOf(results)).toEqual([]);
  expect(results.filter(({ result }) => result === 'pass').length).toBeGreaterThan(25);
});
