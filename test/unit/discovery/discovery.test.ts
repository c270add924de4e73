import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import type { ServerId } from '../../../machines/ports.js';
import { parseNetworks } from '../../../server/addresses.js';
import { Discovery, type DiscoveryNeeds } from '../../../server/discovery/discovery.js';
import { AddressBook } from '../../../server/pubsub/addressBook.js';
import { type MemoryStore, memoryStore } from './memoryStore.js';
import { arrival, type ScriptedSource, scriptedSource } from './scriptedSource.js';

const startedAt = Date.parse('2026-01-01T00:00:00Z');
const log = pino({ level: 'silent' });
const ownPort = 8000;
let store: MemoryStore;
let a: ScriptedSource;
let b: ScriptedSource;
let discovery: Discovery;
let discovered: string[][];
let found: string[][];

beforeEach(() => {
  jest.useFakeTimers({ now: startedAt, doNotFake: ['nextTick', 'queueMicrotask'] });
  store = memoryStore();
  a = scriptedSource('a');
  b = scriptedSource('b');
});

afterEach(() => {
  discovery.stop();
  jest.useRealTimers();
});

async function start(needs: Partial<DiscoveryNeeds> = {}): Promise<void> {
  discovered = [];
  found = [];
  const networks = parseNetworks('127.0.0.0/8,10.0.0.0/8,fd00::/8');
  const book = new AddressBook({ networks, ownPort });
  discovery = new Discovery({
    sources: [a, b],
    servers: store.servers,
    configured: [],
    mayContact: (address, port) => book.mayContact(address, port),
    log,
    ...needs,
  });
  discovery.start((event) => {
    (event.type === 'servers.discovered' ? discovered : found).push([...event.servers]);
  });
  await arrival();
}

const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
const server = (text: string) => text as ServerId;
const reportOf = (name: string) => discovery.reports().find((report) => report.name === name);

describe('rounds', () => {
  test('every source is asked once at the start and then no more', async () => {
    await start();
    await a.answer('10.0.0.1:8001');
    await b.answer();
    await pass(60_000);
    expect([a.asked, b.asked]).toEqual([1, 1]);
    expect(discovered).toEqual([['10.0.0.1:8001'], ['10.0.0.1:8001']]);
  });

  test('a source is asked again until it has answered', async () => {
    await start();
    await a.answer('10.0.0.1:8001');
    await b.fail('refused');
    discovery.take({ type: 'discovery.ended' });
    await pass(9000);
    expect([a.asked, b.asked]).toEqual([1, 2]);
    await b.answer('10.0.0.2:8001');
    expect(discovered.at(-1)).toEqual(['10.0.0.1:8001', '10.0.0.2:8001']);
    await pass(60_000);
    expect([a.asked, b.asked]).toEqual([1, 2]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('between begun and ended sources are asked at once and every 9 s', async () => {
    await start({ sources: [a] });
    discovery.take({ type: 'discovery.ended' });
    await a.answer();
    discovery.take({ type: 'discovery.begun' });
    expect(a.asked).toBe(2);
    for (const times of [3, 4, 5]) {
      await a.answer();
      await pass(8999);
      expect(a.asked).toBe(times - 1);
      await pass(1);
      expect(a.asked).toBe(times);
    }
    discovery.take({ type: 'discovery.ended' });
    await a.answer();
    await pass(60_000);
    expect(a.asked).toBe(5);
  });

  test('a second begun changes nothing', async () => {
    await start({ sources: [a] });
    await a.answer();
    discovery.take({ type: 'discovery.begun' });
    await a.answer();
    discovery.take({ type: 'discovery.begun' });
    await a.answer();
    await pass(9000);
    expect(a.asked).toBe(4);
  });

  test('a source that has not answered yet is asked again afterwards, not at the same time', async () => {
    await start({ sources: [a] });
    discovery.take({ type: 'discovery.begun' });
    await arrival();
    expect(a.asked).toBe(1);
    await a.answer('10.0.0.1:8001');
    expect(a.asked).toBe(2);
    await a.answer('10.0.0.2:8001');
    expect(a.asked).toBe(2);
    expect(discovered).toEqual([['10.0.0.1:8001'], ['10.0.0.2:8001']]);
  });

  test('a slow source delays no other', async () => {
    await start();
    await b.answer('10.0.0.2:8001');
    expect(discovered).toEqual([['10.0.0.2:8001']]);
    await pass(4999);
    await a.answer('10.0.0.1:8001');
    expect(discovered.at(-1)).toEqual(['10.0.0.1:8001', '10.0.0.2:8001']);
  });

  test('every round sends all servers, changed or not', async () => {
    await start({ sources: [a] });
    await a.answer('10.0.0.1:8001');
    discovery.take({ type: 'discovery.begun' });
    await a.answer('10.0.0.1:8001');
    expect(discovered).toHaveLength(2);
  });
});

describe('an address of the rooms table', () => {
  const [one, two] = ['10.0.0.1:8001', '10.0.0.2:8001'] as [ServerId, ServerId];
  const gone = (server: ServerId) => discovery.take({ type: 'server.forgotten', server });
  let events: unknown[];

  beforeEach(async () => {
    events = [];
    await start({ sources: [{ ...a, name: 'rooms', mayBeStale: true }, b] });
    discovery.start((event) => events.push(event));
    discovery.take({ type: 'discovery.begun' });
    await a.answer(one, two);
    await b.answer(two);
  });

  test('is sent apart from the servers of other sources', async () => {
    expect(events.at(-1)).toEqual({
      type: 'servers.discovered',
      servers: [two, one],
      fromRooms: [one],
    });
  });

  test('is logged and no longer named once it is gone', async () => {
    gone(one);
    await b.answer(two);
    expect(events.at(-1)).toEqual({ type: 'servers.discovered', servers: [two] });
    expect(reportOf('rooms')).toMatchObject({ servers: 2, gone: 1, goneServers: [one] });
    expect([discovery.isGone(one), discovery.isGone(two)]).toEqual([true, false]);
  });

  test('is asked again as a candidate, once a minute', async () => {
    gone(one);
    const asked = () => events.filter((event) => JSON.stringify(event).includes('candidate'));
    await pass(59_000);
    expect(asked()).toEqual([]);
    await pass(10_000);
    expect(asked()).toEqual([{ type: 'servers.found', servers: [one], standing: 'candidate' }]);
    await pass(60_000);
    expect(asked()).toHaveLength(2);
  });

  test('is a server again when it answers, or when another source names it', async () => {
    gone(one);
    discovery.take({ type: 'server.proved', server: one });
    expect(discovery.isGone(one)).toBe(false);
    gone(one);
    await b.answer(one);
    expect(discovery.isGone(one)).toBe(false);
    expect(events.at(-1)).toMatchObject({ servers: [one, two], fromRooms: [two] });
  });
});

describe('a source that fails', () => {
  test('keeps its servers, and is reported until it works again', async () => {
    await start();
    await a.answer('10.0.0.1:8001');
    await b.answer('10.0.0.2:8001');
    expect(discovery.reports()).toEqual([
      {
        name: 'a',
        servers: 1,
        leftOut: 0,
        gone: 0,
        goneServers: [],
        lastSuccessAt: '2026-01-01T00:00:00.000Z',
        error: null,
      },
      expect.objectContaining({ name: 'b', error: null }),
    ]);
    discovery.take({ type: 'discovery.begun' });
    await pass(1000);
    await a.fail('refused');
    await b.answer('10.0.0.3:8001');
    expect(discovered.at(-1)).toEqual(['10.0.0.1:8001', '10.0.0.3:8001']);
    const lastSuccessAt = '2026-01-01T00:00:00.000Z';
    expect(reportOf('a')).toMatchObject({ servers: 1, lastSuccessAt, error: 'refused' });
    await pass(8000);
    await a.answer('10.0.0.4:8001');
    expect(reportOf('a')).toMatchObject({ error: null, lastSuccessAt: '2026-01-01T00:00:09.000Z' });
    expect(discovered.at(-1)).toEqual(['10.0.0.4:8001', '10.0.0.3:8001']);
  });

  test('has no servers if it never answered', async () => {
    await start({ sources: [a] });
    await a.fail('');
    expect(reportOf('a')).toMatchObject({ servers: 0, lastSuccessAt: null, error: 'failed' });
    expect(discovered).toEqual([]);
  });

  test('by throwing, or with a value that is not an Error, is handled too', async () => {
    const thrower = {
      name: 'thrower',
      discover: () => {
        throw new Error('thrown');
      },
    };
    const odd = { name: 'odd', discover: () => Promise.reject('just text') };
    await start({ sources: [thrower, odd] });
    expect(discovery.reports().map(({ error }) => error)).toEqual(['thrown', 'just text']);
  });

  test('to answer in 5 s is aborted, reported and asked again', async () => {
    await start({ sources: [a] });
    await a.answer('10.0.0.1:8001');
    discovery.take({ type: 'discovery.begun' });
    await pass(4999);
    expect([a.signal?.aborted, reportOf('a')?.error]).toEqual([false, null]);
    await pass(1);
    expect(a.signal?.aborted).toBe(true);
    expect(reportOf('a')).toMatchObject({ servers: 1, error: 'did not answer within 5000 ms' });
    // The answer that comes after all is too late.
    await a.answer('10.0.0.2:8001');
    expect(reportOf('a')).toMatchObject({ servers: 1 });
    await pass(4000);
    await a.answer('10.0.0.3:8001');
    expect(discovered).toEqual([['10.0.0.1:8001'], ['10.0.0.3:8001']]);
    expect(reportOf('a')?.error).toBeNull();
  });

  test('is not reported after a pause of the service: the source is asked again at once', async () => {
    let pauses = 0;
    await start({ sources: [a], pauses: () => pauses });
    pauses += 1;
    await pass(5000);
    expect([a.asked, reportOf('a')?.error]).toEqual([2, null]);
    // It fails by itself.
    await pass(5000);
    expect(reportOf('a')?.error).toBe('did not answer within 5000 ms');
  });
});

describe('what may be found', () => {
  test('addresses outside the networks and of this service are left out and counted', async () => {
    await start({ sources: [a] });
    await a.answer(
      '10.0.0.1:8001',
      '8.8.8.8:8001',
      '169.254.169.254:80',
      `127.0.0.1:${ownPort}`,
      '127.0.0.1:8001',
      '[::1]:8001',
      '[fd00::1]:8001',
      'pubsub-1.test:8001',
    );
    expect(discovered).toEqual([
      ['10.0.0.1:8001', '127.0.0.1:8001', '[fd00::1]:8001', 'pubsub-1.test:8001'],
    ]);
    expect(reportOf('a')).toMatchObject({ servers: 4, leftOut: 4, error: null });
  });

  test('a server named by several sources is one server', async () => {
    await start();
    await a.answer('10.0.0.1:8001', '10.0.0.1:8001');
    await b.answer('10.0.0.1:8001');
    expect(discovered.at(-1)).toEqual(['10.0.0.1:8001']);
    expect(reportOf('a')?.servers).toBe(1);
  });

  test('a source adds at most 5,000 servers, whatever their order', async () => {
    const many = Array.from({ length: 6000 }, (_, n) => `10.0.${n >> 8}.${n & 255}:8001`);
    await start({ sources: [a] });
    await a.answer(...many);
    const error = 'names 6000 servers, but only 5000 are used';
    expect(reportOf('a')).toMatchObject({
      servers: 5000,
      leftOut: 1000,
      error,
      lastSuccessAt: expect.any(String),
    });
    discovery.take({ type: 'discovery.begun' });
    await a.answer(...many.reverse());
    expect(discovered[0]).toHaveLength(5000);
    expect(discovered[1]).toEqual(discovered[0]);
  });

  test('configured servers are not sent', async () => {
    store.items.set(server('10.0.0.1:8001'), {
      server: server('10.0.0.1:8001'),
      origin: 'remembered',
      expiresAt: startedAt + 1000,
    });
    await start({ sources: [a], configured: [server('10.0.0.1:8001')] });
    await a.answer('10.0.0.1:8001', '10.0.0.2:8001');
    expect(discovered).toEqual([['10.0.0.2:8001']]);
    expect(found).toEqual([]);
  });
});

describe('the end', () => {
  test('stops every timer, signal and source, and nothing is sent afterwards', async () => {
    store.fail(true);
    await start();
    discovery.take({ type: 'discovery.begun' });
    discovery.take({ type: 'server.proved', server: server('10.0.0.1:8001') });
    await arrival();
    discovery.stop();
    await arrival();
    expect([a.signal?.aborted, a.isClosed, b.isClosed]).toEqual([true, true, true]);
    expect(jest.getTimerCount()).toBe(0);
    await a.answer('10.0.0.1:8001');
    expect([discovered, found]).toEqual([[], []]);
    expect(reportOf('a')).toMatchObject({ servers: 0, error: null });
  });

  test('wins over an answer of the same moment', async () => {
    for (let turns = 0; turns < 12; turns += 1) {
      await start({ sources: [a] });
      const answered = a.answer('10.0.0.1:8001');
      for (let n = 0; n < turns; n += 1) await Promise.resolve();
      const told = discovered.length;
      discovery.stop();
      await answered;
      expect(discovered).toHaveLength(told);
    }
  });
});
