import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import { Dependencies } from '../../../server/dependencies/dependencies.js';
import { lateStore } from '../../../server/store/lateStore.js';
import { type Store, StoreError } from '../../../server/store/store.js';
import { memoryStore } from '../discovery/memoryStore.js';
import { arrival } from '../discovery/scriptedSource.js';

const log = pino({ level: 'silent' });
let openings: Array<{ open: (store: Store) => void; fail: () => void }>;
let store: Store;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
  openings = [];
  const open = () =>
    new Promise<Store>((resolve, reject) =>
      openings.push({ open: resolve, fail: () => reject(new Error('no folder')) }),
    );
  store = lateStore(open, log);
});

afterEach(() => {
  jest.useRealTimers();
});

test('a store starts to open at once, and earlier requests are answered', async () => {
  expect(openings).toHaveLength(1);
  const asked = store.servers.list();
  openings[0]?.open(memoryStore());
  expect(await asked).toEqual([]);
  expect(jest.getTimerCount()).toBe(0);
});

test('a request fails if the store does not open in 3 s, and the store may open later', async () => {
  const asked = expect(store.servers.list()).rejects.toThrow(new StoreError('not open yet'));
  await jest.advanceTimersByTimeAsync(3000);
  await asked;
  openings[0]?.open(memoryStore());
  expect(await store.servers.list()).toEqual([]);
  expect(openings).toHaveLength(1);
});

test('a store that could not be opened is retried, but not for every request', async () => {
  openings[0]?.fail();
  await expect(store.servers.list()).rejects.toBeInstanceOf(StoreError);
  await jest.advanceTimersByTimeAsync(4000);
  await expect(store.servers.list()).rejects.toBeInstanceOf(StoreError);
  expect(openings).toHaveLength(1);
  await jest.advanceTimersByTimeAsync(1000);
  const asked = store.servers.list();
  openings[1]?.open(memoryStore());
  expect(await asked).toEqual([]);
});

test('a store that could not be opened is retried without a request, and tells both', async () => {
  const dependencies = new Dependencies(Date.now);
  const states: string[] = [];
  dependencies.onChange(({ state, cause }) => states.push(`${state} ${cause}`));
  const dependency = dependencies.add('data_dir', 'folder /data');
  const attempts: ((result: Promise<Store>) => void)[] = [];
  lateStore(() => new Promise((resolve) => attempts.push(resolve)), log, { dependency });
  attempts[0]?.(Promise.reject(new Error('no folder')));
  await jest.advanceTimersByTimeAsync(5000);
  attempts[1]?.(Promise.resolve(memoryStore()));
  await jest.advanceTimersByTimeAsync(1);
  expect(states).toEqual(['fails no folder', 'answers null']);
});

test('a closed store is not retried', async () => {
  openings[0]?.fail();
  await jest.advanceTimersByTimeAsync(1);
  await store.close();
  await jest.advanceTimersByTimeAsync(10_000);
  expect(openings).toHaveLength(1);
});

test('a stream of a store that is not open fails when it is read', async () => {
  const pages = store.connections.newestFirst();
  openings[0]?.fail();
  const read = async () => {
    for await (const page of pages) return page;
  };
  await expect(read()).rejects.toBeInstanceOf(StoreError);
});

test('a closed store closes once it has opened, and requests fail', async () => {
  const opened = memoryStore();
  let isClosed = false;
  opened.close = async () => {
    isClosed = true;
  };
  const closed = store.close();
  await arrival();
  openings[0]?.open(opened);
  await closed;
  expect(isClosed).toBe(true);
  await expect(store.servers.list()).rejects.toThrow(
    new StoreError('the metadata store is closed'),
  );
});
