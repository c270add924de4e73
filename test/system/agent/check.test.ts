import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { allChecks } from '../../../server/agent/check/allChecks.js';
import { yWebsocket } from '../../../server/agent/check/opener.js';
import { runChecks } from '../../../server/agent/check/runChecks.js';
import { startReal } from '../../support/fleet.js';
import { failuresOf } from './support/failuresOf.js';

test('a server without a fault passes all checks', async () => {
  expect(await failuresOf()).toEqual({});
});

test('a real server with our agent breaks nothing', async () => {
  const server = await startReal();
  const results = await runChecks({
    url: new URL(`http://${server.id}`),
    opener: yWebsocket(new URL(server.url), 60_000),
    sendsBadInput: true,
    withinMs: 60_000,
    watchMs: 500,
  });
  expect(results.filter(({ result }) => result === 'fail')).toEqual([]);
  expect(results.filter(({ result }) => result === 'pass').length).toBeGreaterThan(20);
});

test('every check refers to a section of the protocol', async () => {
  const page = await readFile(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
  const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll('&lt;', '<')
      .replace(/&gt;|[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  expect(allChecks.map(({ section }) => section).filter((it) => !anchors.includes(it))).toEqual([]);
  expect(new Set(allChecks.map(({ id }) => id)).size).toBe(allChecks.length);
});
