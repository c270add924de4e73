import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { maxEvents } from '../../../server/activity/activity.js';
import { inboxMs, presenceMs } from '../../../server/cluster/clusterStore.js';
import { clusterKeys } from '../../../server/cluster/keys.js';
import { variables } from '../../../server/config/variables.js';
import { maxFrames } from '../../../server/fleet/ring.js';
import { lengths } from '../../../server/history/numberTracks.js';
import { attemptWindowSeconds } from '../../../server/http/auth/attempts.js';
import { proxyAnswerMs } from '../../../server/http/auth/proxyUsers.js';
import { sessionLifetimeMs } from '../../../server/http/auth/sessions.js';
import { maxInspected } from '../../../server/inspection/history.js';
import { observedForMs } from '../../../server/observations/observations.js';
import { maxWatched } from '../../../server/rooms/watching/roomWatches.js';
import { maxEntries } from '../../../server/rooms/watching/updateLog.js';
import { rememberedForMs } from '../../../server/store/store.js';
import { rowsOf } from '../../support/docProofs.js';
import { operationsWith } from '../../support/everyRoute.js';
import { operations } from '../../support/openapi.js';

const page = new URL('../../../docs/privacy.md', import.meta.url);
const text = readFileSync(page, 'utf8');

const count = (value: number) => value.toLocaleString('en');
const seconds = (ms: number) => `${ms / 1000} s`;
const hours = (ms: number) => `${ms / 3_600_000} hours`;
const days = (ms: number) => `${ms / 86_400_000} days`;
const fallbackOf = (name: string) => variables.find((it) => it.name === name)?.fallback ?? 'none';
const linger = `${seconds(Number(fallbackOf('LINGER_MS')))} (\`LINGER_MS\`)`;

/** The row of the page that begins with this cell. */
const row = (first: string) => {
  const lines = text.split('\n').filter((line) => line.startsWith(`| ${first}`));
  expect([first, lines.length]).toEqual([first, 1]);
  return lines.join();
};

test.each<[string, readonly string[]]>([
  [
    'counts, with names of rooms',
    [linger, `${count(Number(fallbackOf('MAX_ROOMS_PER_SERVER')))} rooms`],
  ],
  ['frames of the live counts', [`${count(maxFrames)} frames`]],
  ['rooms and connections that the service saw', [hours(observedForMs)]],
  [
    'documents of watched rooms',
    [linger, `${maxWatched} rooms, ${fallbackOf('MAX_ROOM_BYTES')} each (\`MAX_ROOM_BYTES\`)`],
  ],
  ['the log of updates', [`${maxEntries} updates`]],
  ['addresses that sent wrong tokens', [`${attemptWindowSeconds} s`]],
  ['sessions that signed out', [days(sessionLifetimeMs)]],
  ['events of the machines', [`${maxInspected.frames} events`]],
  [
    'numbers of the fleet and of servers',
    [`${lengths[1] / 60} minutes by second, ${hours(lengths[30] * 30_000)} by half minutes`],
  ],
  ['[what happened]', [`${maxEvents} events`]],
  ['file in `STATE_DIR`', [days(rememberedForMs)]],
  ['folder `DATA_DIR`', [`${days(rememberedForMs)}; ${hours(observedForMs)}`]],
  ['table `DYNAMODB_SERVERS_TABLE`', [days(rememberedForMs)]],
  ["the viewer's browser", [days(sessionLifetimeMs)]],
  ['`instances`', [seconds(presenceMs)]],
  ['`inbox`', [hours(inboxMs)]],
  ['`taken`', [hours(inboxMs)]],
  ['`servers`', [days(rememberedForMs)]],
  ['`sign-outs`', [days(sessionLifetimeMs)]],
  ['`sign-outs:about`', [days(sessionLifetimeMs)]],
  ['`attempts`', [`${attemptWindowSeconds} s`]],
])(
  '"%s" are kept for as long, and in as great a number, as the code keeps them',
  (first, facts) => {
    for (const fact of facts) expect(row(first)).toContain(fact);
  },
);

test('the keys of a cluster are those of the code', () => {
  const keys = rowsOf(page, '| key | what | for how long |').map(([key = '']) =>
    key.replaceAll('`', ''),
  );
  const prefix = '{pubsub-dashboard}:';
  expect(text).toContain(`\`${prefix}\``);
  expect(keys.map((key) => prefix + key).sort()).toEqual(Object.values(clusterKeys).sort());
});

test('the routes that are refused are those of the API description', () => {
  const named = operations.filter(({ operation }) =>
    operationsWith('ContentHidden').includes(operation.operationId),
  );
  const paths = named.map(({ path }) => path).filter((path) => !path.includes('{'));
  const [first = ''] = text.split('\n').filter((line) => line.includes('| 403 `content_hidden` |'));
  const listed = Array.from(first.matchAll(/`GET ([^`]+)`/g), ([, path = '']) => path);
  expect(listed.sort()).toEqual(paths.sort());
});

test('an open stream of somebody who signed in at a proxy ends after an hour', () => {
  expect(proxyAnswerMs).toBe(3_600_000);
  const proxies = readFileSync(new URL('./proxies.md', page), 'utf8');
  expect(proxies).toContain('An open stream ends after an hour');
});

/** Every source below a folder of the service. */
function sourcesIn(folder: string): { path: string; source: string }[] {
  const root = new URL(`../../../server/${folder}`, import.meta.url);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => ({ path, source: readFileSync(new URL(path, root), 'utf8') }));
}

const pathsWith = (pattern: RegExp, folder: string) =>
  sourcesIn(folder)
    .filter(({ source }) => pattern.test(source))
    .map(({ path }) => path)
    .sort();

test('the page stores nothing in the browser but two choices', () => {
  const storing = /localStorage|sessionStorage|indexedDB|\bcaches\b|document\.cookie|serviceWorker/;
  expect(sourcesIn('page/').length).toBeGreaterThan(50);
  expect(pathsWith(storing, 'page/')).toEqual(['keys/remembered.ts']);
  const named = sourcesIn('page/').flatMap(({ source }) =>
    [...source.matchAll(/remembered(?:<[^>]*>)?\('([^']+)'/g)].map(([, name = '']) => name),
  );
  expect(named.sort()).toEqual(['single-keys', 'theme']);
  for (const name of named) expect(text).toContain(`\`${name}\``);
});

test('the service writes to the store what the page says, and connections only in the demo', () => {
  const writing = /\b(Put|Update|Delete|BatchWrite|TransactWrite)Item\w*Command\b/;
  expect(pathsWith(writing, 'store/')).toEqual([
    'dynamodb/connectionsTable.ts',
    'dynamodb/observationsTable.ts',
    'dynamodb/serversTable.ts',
    'embedded/expiry.ts',
  ]);
  const writers = pathsWith(/connections\.put\(/, '').filter(
    (path) => !/^(demo|store)\//.test(path),
  );
  expect(writers).toEqual([]);
});
