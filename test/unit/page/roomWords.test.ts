import { describe, expect, test } from '@jest/globals';
import { ApiFailure } from '../../../server/page/api.js';
import { ClientNames } from '../../../server/page/room/clientNames.js';
import { authorlessWords, authorsOf, formatWords } from '../../../server/page/room/entryWords.js';
import { logFindings } from '../../../server/page/room/logFindings.js';
import {
  connectionsWord,
  isCountedOnly,
  peopleCount,
  roomConnections,
} from '../../../server/page/room/roomNumbers.js';
import { serverWords } from '../../../server/page/room/words.js';
import type { LogEntry } from '../../../server/wire/logEntry.js';
import type { RoomServer } from '../../../server/wire/roomServers.js';
import type { RoomStatus } from '../../../server/wire/roomStatus.js';

const status: RoomStatus = {
  room: 'r',
  state: 'live',
  askable: true,
  source: 'redis',
  redis: true,
  channel: 'followed',
  presence: 'subscribed',
  servers: ['a:1'],
  notAsked: 0,
  tooLarge: false,
  diverged: [],
  unreadable: [],
  waitingFor: [],
  garbage: 0,
};

describe('the connections of a room', () => {
  const polled = (connections: number | null, complete: boolean) => ({
    value: [{ room: 'r', connections, complete, servers: null }],
    failure: undefined,
    atMs: 1000,
  });
  const nothing = { value: undefined, failure: undefined, atMs: undefined };
  const failure = new ApiFailure(0, 'unreachable', 'The service cannot be reached');

  test.each([
    ['7 connections', polled(7, true), true],
    ['0 connections', polled(0, true), true],
    ['at least 7 connections', polled(7, false), true],
    ['connections unknown', polled(0, false), true],
    ['connections unknown', polled(null, false), true],
    ['connections unknown', nothing, true],
    ['7 connections, 12 s ago', polled(7, true), false],
    ['7 connections, 12 s ago', { ...polled(7, true), failure }, true],
  ])('are said as %j', (words, counts, isCurrent) => {
    expect(connectionsWord(roomConnections(counts, isCurrent), 13_000)).toBe(words);
  });

  test.each([
    ['7', 7, { is: 'known', value: 7 }],
    ['9', 9, { is: 'known', value: 7 }],
    ['1 of 7 known so far', 1, { is: 'known', value: 7 }],
    ['0 of 7 known so far', 0, { is: 'partial', value: 7, bound: 'at least' }],
    ['', 0, { is: 'known', value: 0 }],
    ['2 known', 2, { is: 'unknown' }],
    ['2 known', 2, { is: 'past', value: 7, atMs: 1 }],
    ['', 0, { is: 'unknown' }],
  ] as const)('and its people are %j', (words, listed, connections) => {
    expect(peopleCount(listed, connections)).toBe(words);
  });

  test('are only counted if no server returns the room', () => {
    const seven = { is: 'known', value: 7 } as const;
    expect(isCountedOnly({ ...status, state: 'waiting' }, seven)).toBe(true);
    expect(isCountedOnly({ ...status, state: 'waiting' }, { is: 'known', value: 0 })).toBe(false);
    expect(isCountedOnly({ ...status, state: 'waiting' }, { is: 'unknown' })).toBe(false);
    expect(isCountedOnly(status, seven)).toBe(false);
    expect(isCountedOnly(undefined, seven)).toBe(false);
  });
});

const entry: LogEntry = {
  number: 1,
  at: '2026-01-01T12:00:00.000Z',
  bytes: 10,
  clients: [],
  inserted: 0,
  deleted: 0,
  formats: [],
  types: ['text'],
  more: 0,
  isExamined: true,
};

describe('an update in the log', () => {
  test('names its authors where they are known, also when they have left', () => {
    const names = new ClientNames();
    const ada = { client: 1, clock: 1, state: { user: { name: 'Ada' } } };
    names.learn({ clients: [ada, { client: 2, clock: 1, state: null }] });
    names.learn({ clients: [] });
    const clients = [1, 2, 3, 4].map((client) => ({ client, from: 5, to: client === 1 ? 9 : 6 }));
    expect(authorsOf({ clients, more: 2 }, (client) => names.of(client))).toEqual({
      authors: [
        { client: 1, name: 'Ada', clocks: '5–8' },
        { client: 2, name: undefined, clocks: '5' },
        { client: 3, name: undefined, clocks: '5' },
      ],
      more: 3,
    });
  });

  test.each([
    ['bold', [{ name: 'bold', change: 'set' }]],
    ['unbold', [{ name: 'bold', change: 'removed' }]],
    ['em removed', [{ name: 'em', change: 'removed' }]],
    [
      'bold moved, link',
      [
        { name: 'bold', change: 'moved' },
        { name: 'link', change: 'set' },
      ],
    ],
    ['', []],
  ] as const)('says its formatting: %j', (words, formats) => {
    expect(formatWords({ ...entry, formats })).toBe(words);
  });

  test.each([
    ['empty update', {}],
    ['deletes only', { deleted: 2 }],
    ['formatting only', { formats: [{ name: 'bold', change: 'removed' } as const] }],
    ['applied, details unknown', { isExamined: false }],
    ['', { clients: [{ client: 1, from: 0, to: 1 }] }],
    ['', { more: 1 }],
  ])('without a client is called %j', (words, changes) => {
    expect(authorlessWords({ ...entry, ...changes })).toBe(words);
  });
});

describe('what the log lacks', () => {
  const missing = { structs: [], missingStructs: 4, deletions: [], missingDeletions: 1 };
  const findings = (changes: Partial<RoomStatus>) =>
    logFindings({ ...status, ...changes }, (server) => `web at ${server}`);

  test('is nothing in a room that is followed', () => {
    expect(findings({})).toEqual([]);
    expect(logFindings(undefined, String)).toEqual([]);
  });

  test.each([
    [/^Not by the channel: .* on Redis\./, { channel: 'silent', source: 'poll', state: 'polling' }],
    [/^Not by the channel: .* in posts/, { channel: 'silent', source: 'poll', redis: false }],
    [/^No updates arrive/, { channel: 'lost', source: 'poll', state: 'polling' }],
    [
      /^Unreadable: what web at a:1 holds .*\(no update\)/,
      { unreadable: [{ server: 'a:1', reason: 'no update' }] },
    ],
    [
      /^Waiting: web at a:1 .* 4 missing elements and 1 missing deletion\.$/,
      { waitingFor: [{ server: 'a:1', ...missing }] },
    ],
    [/^Left out: 1 message on the channel was not/, { garbage: 1 }],
    [/^Left out: the room is too large/, { tooLarge: true }],
  ] as const)('says %s', (words, changes) => {
    expect(findings(changes)).toEqual([expect.stringMatching(words)]);
  });
});

test('an address where nothing answers is dead, unless a server there is counted', () => {
  const asked: RoomServer = {
    server: '127.0.0.9:9',
    stored: true,
    connections: null,
    answer: 'failed',
    failure: 'refused',
    finding: 'dead_address',
    waitingFor: null,
  };
  expect(serverWords(asked).badge).toBe('Dead address');
  expect(serverWords({ ...asked, connections: 1 }).badge).toBe('No answer');
});
