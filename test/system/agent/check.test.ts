import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { allChecks } from '../../../server/agent/check/allChecks.js';
import { yWebsocket } from '../../../server/agent/check/opener.js';
import { runChecks } from '../../../server/agent/check/runChecks.js';
import { freePort } from '../../../server/demo/serviceChild.js';
import { startReal } from '../../support/fleet.js';
import { type Fault, startBrokenServer } from './support/brokenServer.js';

/** For each fault the checks that fail, and no other does. */
const faults: [Fault, string[]][] = [
  ['answers health with 500', ['health']],
  ['answers false with 500', ['deactivation']],
  ['answers text instead of a snapshot', ['activation']],
  ['answers a snapshot as text/plain', ['answer-type']],
  ['posts each change twice', ['deltas']],
  ['posts no closed connections', ['deltas']],
  ['posts an invalid body', ['bodies', 'deltas']],
  ['keeps the first URL', ['new-url']],
  ['changes the URL', ['url-unchanged']],
  ['reports changed rooms only', ['full-snapshot']],
  ['retries a refused post', ['no-retry']],
  ['stops after a refused post', ['after-refusal']],
  ['goes on with a URL that is answered 404', ['forgotten-url']],
  ['serves strangers', ['strangers']],
  ['lets clients wait for posts', ['no-waiting']],
  ['never gives up a post', ['post-timeout']],
  ['takes the snapshot after the URL', ['one-instant']],
  ['sets the URL after the snapshot', ['one-instant']],
  ['takes the snapshot when the request begins', ['slow-request']],
  ['ignores what was overtaken', ['overtaken']],
  ['posts while inactive', ['overtaken', 'silent-at-the-end', 'silent-when-inactive']],
  ['posts changes later that happened while inactive', ['overtaken', 'silent-when-inactive']],
  ['decodes names', ['names']],
  ['counts in an object', ['names']],
  ['assigns names in the snapshot', ['proto-in-snapshot']],
  ['answers the document as text', ['room']],
  ['answers the content of an empty document', ['room']],
  ['answers 404 for an absent room', ['absent-room']],
  ['creates a room to look', ['absent-room']],
  ['announces what is not JSON', ['agent-header']],
  ['announces names without finding them', ['room-by-name']],
  ['posts content of every room', ['watched-updates']],
  ['adds lists up', ['watched-list']],
  ['posts no awareness for a new list', ['watched-awareness']],
  ['drops large updates', ['watched-lost']],
  ['accepts any list', ['watched-refusals']],
  ['sends no start-up query', ['startup-query']],
  ['sends the start-up query without its port', ['startup-query']],
  ['ignores the answer', ['startup-answer']],
  ['announces connections from before the answer', ['startup-answer']],
  ['ends without an answer', ['startup-without-answer']],
  ['accepts bad bodies', ['bad-input']],
  ['ends at a bad body', ['bad-input']],
];

/** The failed checks of a server with this fault, with what was seen. */
async function failuresOf(fault?: Fault): Promise<Record<string, string>> {
  const listen = { host: '127.0.0.1', port: await freePort() };
  const dashboard = `http://127.0.0.1:${listen.port}`;
  const server = await startBrokenServer({ dashboard, ...(fault && { fault }) });
  try {
    const results = await runChecks({
      url: server.url,
      opener: yWebsocket(server.ws, 10_000),
      listen,
      restart: server.restart,
      sendsBadInput: true,
      withinMs: 10_000,
      watchMs: 500,
    });
    const failed = results.filter(({ result }) => result === 'fail');
    return Object.fromEntries(failed.map(({ id, seen }) => [id, seen]));
  } finally {
    server.close();
  }
}

const atOnce = 6;
const outcomes = new Map<Fault, Promise<Record<string, string>>>();
const ends = Array.from({ length: atOnce }, () => Promise.resolve<unknown>(undefined));

/** Checks all servers with a fault, some at a time: most of a check is waiting. */
beforeAll(() => {
  for (const [i, [fault]] of faults.entries()) {
    const outcome = Promise.resolve(ends[i % atOnce]).then(() => failuresOf(fault));
    outcomes.set(fault, outcome);
    ends[i % atOnce] = outcome.catch(() => undefined);
  }
});

afterAll(() => Promise.all(ends));

test('a server without a fault passes all checks', async () => {
  expect(await failuresOf()).toEqual({});
});

test.each(faults)('a server that %s fails no other checks than these', async (fault, expected) => {
  const failures = await outcomes.get(fault);
  expect({ ids: Object.keys(failures ?? {}).sort(), failures }).toEqual({
    ids: expected,
    failures,
  });
});

test('a real server with our agent breaks nothing', async () => {
  const server = await startReal();
  const results = await runChecks({
    url: new URL(`http://${server.id}`),
    opener: yWebsocket(new URL(server.url), 10_000),
    sendsBadInput: true,
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
