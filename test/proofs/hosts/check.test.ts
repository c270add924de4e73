import { expect, test } from '@jest/globals';
import { hocuspocus } from '../../../server/agent/check/opener.js';
import { runChecks } from '../../../server/agent/check/runChecks.js';
import { owns } from '../../support/stage.js';
import type { HocuspocusReady } from './hocuspocusHost.js';
import { startHost } from './hostProcess.js';
import { installHost } from './install.js';

const withinMs = 10_000;
/** Nobody listens there. */
const url = 'http://127.0.0.1:9';

test.each([2, 3, 4])('Hocuspocus %s with the agent passes every check', async (version) => {
  const folder = `hocuspocus-${version}`;
  await installHost(folder);
  const options = { folder, dashboard: { url } };
  const host = await startHost<HocuspocusReady>('hocuspocusHost', options);
  owns(host, () => host.kill());
  const results = await runChecks({
    url: new URL(`http://127.0.0.1:${host.ready.controlPort}`),
    opener: hocuspocus(new URL(`ws://127.0.0.1:${host.ready.port}`), withinMs, 'ok'),
    withinMs,
    sendsBadInput: true,
  });
  expect(results.filter(({ result }) => result === 'fail')).toEqual([]);
  // Hocuspocus never answers to clients of these two documents.
  expect(results.find(({ id }) => id === 'names')?.seen).toBe(
    "11 names; the server refuses '__proto__' 'constructor'",
  );
  expect(await host.ask('rejections')).toEqual([]);
});
