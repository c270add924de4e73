import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import type { ServerId } from '../../../machines/ports.js';
import { Discovery } from '../../../server/discovery/discovery.js';
import type { StoredServer } from '../../../server/store/store.js';
import { type MemoryStore, memoryStore } from './memoryStore.js';
import { arrival } from './scriptedSource.js';

const startedAt = Date.parse('2026-01-01T00:00:00Z');
const log = pino({ level: 'silent' });
const dayMs = 24 * 60 * 60 * 1000;
const one = '10.0.0.1:8001' as ServerId;
const two = '10.0.0.2:8001' as ServerId;
let store: MemoryStore;
let discovery: Discovery;
let events: unknown[];

beforeEach(() => {
  jest.useFakeTimers({ now: startedAt, doNotFake: ['nextTick', 'queueMicrotask'] });
  store = memoryStore();
});

afterEach(() => {
  discovery.stop();
  jest.useRealTimers();
});

function hold(server: ServerId, origin: StoredServer['origin'] = 'remembered', days = 30): void {
  store.items.set(server, { server, origin, expiresAt: startedAt + days * dayMs });
}

async function start(): Promise<void> {
  events = [];
  discovery = new Discovery({
    sources: [],
    servers: store.servers,
    configured: [],
    mayContact: (address) => address.startsWith('10.'),
    log,
  });
  discovery.start((event) => events.push(event));
  await arrival();
}

const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
const proved = (server: ServerId) => discovery.take({ type: 'server.proved', server });
const forgotten = (server: ServerId) => discovery.take({ type: 'server.forgotten', server });
const writes = () => store.asked.filter((what) => what !== 'list');

test('remembered servers are found at the start, registered ones are not', async () => {
  hold(one);
  hold(two, 'registered');
  hold('8.8.8.8:8001' as ServerId);
  await start();
  expect(events).toEqual([{ type: 'servers.found', servers: [one], standing: 'found' }]);
  await pass(60_000);
  expect(store.asked).toEqual(['list']);
});

test('a store that fails at the start is asked in every round until it has answered', async () => {
  hold(one);
  store.fail(true);
  await start();
  await pass(9000);
  discovery.take({ type: 'discovery.begun' });
  await arrival();
  expect([store.asked.length, events]).toEqual([3, []]);
  store.fail(false);
  await pass(9000);
  expect(events).toEqual([{ type: 'servers.found', servers: [one], standing: 'found' }]);
  await pass(60_000);
  expect(store.asked).toHaveLength(4);
});

test('a proved server is remembered for 30 days, a forgotten one is removed', async () => {
  await start();
  proved(one);
  await arrival();
  const expiresAt = startedAt + 30 * dayMs;
  expect([...store.items.values()]).toEqual([{ server: one, origin: 'remembered', expiresAt }]);
  forgotten(one);
  await arrival();
  expect(store.items.size).toBe(0);
});

test('a failed write is retried with growing delays, and dropped after the fifth failure', async () => {
  await start();
  store.fail(true);
  proved(one);
  const times = [1, 2, 3, 4, 5];
  for (const n of times) {
    await arrival();
    expect(writes()).toHaveLength(n);
    await pass(1000 * 2 ** (n - 1) - 1);
    expect(writes()).toHaveLength(n);
    await pass(1);
  }
  await pass(600_000);
  expect(writes()).toHaveLength(5);
  store.fail(false);
  proved(one);
  await arrival();
  expect(store.items.has(one)).toBe(true);
});

test('the last change of a server wins after the store has failed', async () => {
  await start();
  store.fail(true);
  proved(one);
  forgotten(two);
  await arrival();
  forgotten(one);
  proved(two);
  store.fail(false);
  await pass(1000);
  expect([...store.items.keys()]).toEqual([two]);
});

test('writes of a server do not overlap, and the last one wins', async () => {
  await start();
  proved(one);
  forgotten(one);
  proved(one);
  forgotten(one);
  await arrival();
  expect(writes().at(-1)).toBe(`remove ${one}`);
  expect(store.items.size).toBe(0);
});

test('the number of writes that wait for a failing store is limited', async () => {
  await start();
  store.fail(true);
  for (let n = 0; n < 6000; n += 1) proved(`10.1.${n >> 8}.${n & 255}:8001` as ServerId);
  await arrival();
  expect(writes()).toHaveLength(5000);
});

test('a server that answers is written once an hour, unless it is forgotten', async () => {
  hold(one);
  await start();
  const heard = (server: ServerId) => discovery.noteHeard(server);
  await pass(60 * 60_000);
  heard(one);
  await arrival();
  expect(writes()).toEqual([]);
  await pass(1000);
  heard(one);
  heard(one);
  heard(two);
  await arrival();
  expect(writes()).toEqual([`put ${one}`]);
  expect(store.items.get(one)?.expiresAt).toBe(Date.now() + 30 * dayMs);
  forgotten(one);
  await pass(2 * 60 * 60_000);
  heard(one);
  await arrival();
  expect(writes()).toEqual([`put ${one}`, `remove ${one}`]);
});

test('a server that did not answer for a day is a candidate after a restart, not shown until it answers', async () => {
  hold(one, 'remembered', 29.1);
  hold(two, 'remembered', 28.9);
  await start();
  expect(events).toEqual([
    { type: 'servers.found', servers: [one], standing: 'found' },
    { type: 'servers.found', servers: [two], standing: 'candidate' },
  ]);
});
