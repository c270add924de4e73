import { describe, expect, test } from '@jest/globals';
import type { ServerRow } from '../../../../server/page/model/serverList.js';
import { serverNumbers } from '../../../../server/page/model/serverNumbers.js';
import {
  compareRequests,
  durationWords,
  requestWords,
} from '../../../../server/page/server/requestWords.js';
import {
  listedNumber,
  roomOrder,
  roomsOfServer,
} from '../../../../server/page/server/roomsOfServer.js';
import { adviceOf } from '../../../../server/page/server/serverAdvice.js';
import { troubleSince } from '../../../../server/page/server/troubleSince.js';
import {
  orderOf,
  orderText,
  sortedServers,
  usualOrder,
} from '../../../../server/page/servers/serverOrder.js';
import type { ActivityEvent, ActivityKind } from '../../../../server/wire/activityEvent.js';

const row = (id: string, changed: Partial<ServerRow> = {}): ServerRow => ({
  id,
  state: 'live',
  lastHeardAt: null,
  epoch: 1,
  rooms: 1,
  connections: 2,
  overLimit: false,
  lastFailure: null,
  callback: 'http://10.0.0.5:8000/api/events',
  ...changed,
});

describe('what to do about a server', () => {
  test('is nothing while it is well', () => {
    for (const state of ['live', 'activating', 'silent', 'gone', 'later'])
      expect(adviceOf(row('a:1', { state }), null)).toBeUndefined();
  });

  test.each([
    ['connect ECONNREFUSED 10.0.0.3:8001', 'Nothing listens'],
    ["Timeout awaiting 'request' for 5000ms", 'no complete answer'],
    ['getaddrinfo ENOTFOUND web', 'not found in DNS'],
    ['its certificate is for another host: web', 'does not trust its certificate'],
    ['no address of web is allowed', 'not in an allowed network'],
    ['answered 401: the signature is invalid', 'signature'],
    ['answered 503', 'not as a pub-sub server does'],
    ['answered "text/html" instead of JSON', 'no list of rooms'],
    ['answered more than 1000 bytes', 'too large'],
  ])('depends on the cause: %s', (cause, explained) => {
    const advice = adviceOf(row('a:1', { state: 'unreachable' }), cause);
    expect(advice?.explained).toContain(explained);
    expect(advice?.todo).toMatch(/\.$/);
  });

  test('is a command that asks it, also if the cause is not known to the page', () => {
    const advice = adviceOf(row('10.0.0.3:8001', { state: 'stale' }), 'a new cause');
    expect([advice?.tone, advice?.explained]).toEqual(['warn', undefined]);
    expect(advice?.command?.text).toBe('curl -i http://10.0.0.3:8001/health');
    const https = adviceOf(row('a:1', { state: 'stale' }), 'its certificate is not trusted');
    expect(https?.command?.text).toBe('curl -i https://a:1/health');
  });

  test('for a deaf server is a command for its own machine', () => {
    const { command, explained } = adviceOf(row('a:1', { state: 'deaf' }), null) ?? {};
    expect(explained).toContain('http://10.0.0.5:8000/api/events');
    expect(command?.text).toBe('curl -i -X POST http://10.0.0.5:8000/api/events');
    expect(adviceOf(row('a:1', { state: 'deaf', callback: null }), null)?.command).toBeUndefined();
  });

  test('quotes what servers choose, because people paste the command', () => {
    const { command } = adviceOf(row("a';reboot;':1", { state: 'unreachable' }), null) ?? {};
    expect(command?.text).toBe(String.raw`curl -i 'http://a'\'';reboot;'\'':1/health'`);
  });

  test('is to raise the limit if it has too many rooms', () => {
    expect(adviceOf(row('a:1', { overLimit: true }), null)?.todo).toContain('MAX_ROOMS_PER_SERVER');
  });
});

describe('the numbers of a server', () => {
  const connections = (changed: Partial<ServerRow>, pastAtMs: number | null = null) =>
    serverNumbers(row('a:1', changed), pastAtMs).connections;

  test('are known while it is well, and otherwise say what is not known', () => {
    expect(connections({})).toEqual({ is: 'known', value: 2 });
    expect(connections({ connections: 0 })).toEqual({ is: 'known', value: 0 });
    const about = { is: 'partial', value: 2, bound: 'about' };
    expect(connections({ state: 'stale' })).toEqual(about);
    expect(connections({ state: 'deaf' })).toEqual(about);
    expect(connections({ overLimit: true })).toEqual({ ...about, bound: 'at least' });
  });

  test('are of the past while nothing of now is known, and unknown without a report', () => {
    expect(connections({ state: 'stale' }, 900)).toEqual({ is: 'past', value: 2, atMs: 900 });
    const none = { state: 'unreachable', connections: null, rooms: null };
    expect(connections(none)).toEqual({ is: 'unknown' });
    const last = { connections: 5, rooms: 3, atMs: 800 };
    expect(serverNumbers(row('a:1', { ...none, last }), null)).toEqual({
      connections: { is: 'unknown', last: { value: 5, atMs: 800 } },
      rooms: { is: 'unknown', last: { value: 3, atMs: 800 } },
    });
  });
});

describe('since when a server is in trouble', () => {
  const events = (...kinds: ActivityKind[]) =>
    kinds.map((kind, i) => ({ kind, at: `at ${i}` }) as ActivityEvent);

  test('is when its newest event about that was noted', () => {
    const since = (state: string, ...kinds: ActivityKind[]) =>
      troubleSince({ state, overLimit: false }, events(...kinds));
    expect(since('unreachable', 'server.stale', 'server.unreachable')).toBe('at 1');
    expect(since('unreachable', 'server.unreachable', 'server.restarted')).toBe('at 0');
    expect(since('unreachable', 'server.unreachable', 'server.live')).toBeUndefined();
    expect(since('unreachable')).toBeUndefined();
    expect(troubleSince({ state: 'live', overLimit: true }, events('server.over_limit'))).toBe(
      'at 0',
    );
  });
});

describe('the rooms of a server', () => {
  const rooms = { 'page-10': 1, 'page-2': 3, 'Weekly%20notes': 3, ['__proto__']: 2 };
  const all = new Map([
    ['page-10', 9],
    ['page-2', 2],
  ]);
  const names = (search: string, order: 'here' | 'all' | 'name') =>
    roomsOfServer(rooms, (name) => all.get(name), { search, order }).map(({ name }) => name);

  test('are sorted by connections here, on all servers, or by name in natural order', () => {
    expect(names('', 'here')).toEqual(['Weekly%20notes', 'page-2', '__proto__', 'page-10']);
    expect(names('', 'all')).toEqual(['page-10', 'Weekly%20notes', 'page-2', '__proto__']);
    expect(names('', 'name')).toEqual(['Weekly%20notes', '__proto__', 'page-2', 'page-10']);
  });

  test('are searched by decoded and raw name, ignoring case', () => {
    expect(names(' weekly n', 'here')).toEqual(['Weekly%20notes']);
    expect(names('%20N', 'here')).toEqual(['Weekly%20notes']);
    expect(names('nothing', 'here')).toEqual([]);
  });

  test('never have fewer connections on all servers than here', () => {
    const [first] = roomsOfServer({ r: 5 }, () => 3, { search: '', order: 'here' });
    expect(first).toMatchObject({ here: 5, all: 5 });
  });

  test('are as many as the rest of the page says, or as many as then', () => {
    const known = { is: 'known', value: 7 } as const;
    expect(listedNumber(7, 1000, known)).toEqual(known);
    expect(listedNumber(8, 1000, known)).toEqual({ is: 'past', value: 8, atMs: 1000 });
    expect(listedNumber(8, 1000, { is: 'unknown' })).toMatchObject({ is: 'past', atMs: 1000 });
    const cut = { is: 'past', value: 7, atMs: 900 } as const;
    expect(listedNumber(7, 1000, cut)).toEqual(cut);
  });

  test('have an order that the address tells', () => {
    expect(['name', 'all', 'here', 'x', null].map(roomOrder)).toEqual([
      'name',
      'all',
      'here',
      'here',
      'here',
    ]);
  });
});

describe('the order of servers', () => {
  const rows = [
    row('10.0.0.1:10'),
    row('10.0.0.1:9', { connections: null, state: 'unreachable' }),
    row('10.0.0.1:8', { name: 'web-10', connections: 7 }),
    row('10.0.0.1:7', { name: 'web-2', overLimit: true }),
    row('10.0.0.1:6', { state: 'gone', connections: null }),
    row('10.0.0.1:5', { name: 'web-2', state: 'deaf' }),
  ];
  const ids = (text: string | null) =>
    sortedServers(rows, orderOf(text)).map(({ id }) => Number(id.split(':')[1]));

  test('begins with those that need looking at, then by name with numbers by value', () => {
    expect(ids(null)).toEqual([9, 5, 7, 10, 8, 6]);
  });

  test('by name is natural, in both directions', () => {
    expect(ids('id')).toEqual([6, 9, 10, 5, 7, 8]);
    expect(ids('-id')).toEqual([8, 7, 5, 10, 9, 6]);
  });

  test('by number puts the largest first, and unknown ones last', () => {
    expect(ids('connections')).toEqual([8, 10, 5, 7, 6, 9]);
    expect(ids('-connections')).toEqual([6, 9, 10, 5, 7, 8]);
  });

  test('is part of the address unless it is the usual one', () => {
    expect(orderText(usualOrder)).toBeUndefined();
    for (const text of ['-state', 'id', '-id', 'rooms', '-heard'])
      expect(orderText(orderOf(text))).toBe(text);
    expect([orderOf('x'), orderOf('-'), orderOf('')]).toEqual([usualOrder, usualOrder, usualOrder]);
  });
});

test('durations have a unit and as many digits as help', () => {
  expect([0, 0.44, 9.96, 12.4, 999, 1500, 61_000].map(durationWords)).toEqual([
    '0 ms',
    '0.4 ms',
    '10 ms',
    '12 ms',
    '999 ms',
    '1.5 s',
    '61 s',
  ]);
});

test('a kind of request that the page does not know is shown as it is', () => {
  expect(requestWords('probe').label).toBe('Probe');
  expect(requestWords('constructor')).toEqual({ label: 'constructor', meaning: '' });
  const sorted = ['later', 'probe', 'silence', 'activate'].sort(compareRequests);
  expect(sorted).toEqual(['activate', 'silence', 'probe', 'later']);
});
