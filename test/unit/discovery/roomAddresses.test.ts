import { beforeEach, expect, test } from '@jest/globals';
import { roomAddresses, type ScanPace } from '../../../server/discovery/roomAddresses.js';
import { InvalidCursor } from '../../../server/store/store.js';
import { type MemoryStore, memoryStore } from './memoryStore.js';

let store: MemoryStore;
beforeEach(() => {
  store = memoryStore();
});

const never = () => new AbortController().signal;
const source = (pace: Partial<ScanPace> = {}) =>
  roomAddresses(store.rooms, 8001, { maxReadPerPage: 2, pagesPerRound: 2, pauseMs: 0, ...pace });

test('addresses are servers at the default port or their own, and other text is ignored', async () => {
  store.roomAddresses.push('10.0.0.1', '10.0.0.1', 'fd00::1', '10.0.0.2:9000', '[::1]:9001');
  store.roomAddresses.push(
    'pubsub.test',
    'pubsub.test:80',
    '2130706433',
    '',
    '10.0.0.300',
    '10.0.0.3:0',
  );
  expect(await source({ maxReadPerPage: 100 }).discover(never())).toEqual([
    '10.0.0.1:8001',
    '[fd00::1]:8001',
    '10.0.0.2:9000',
    '[::1]:9001',
  ]);
});

test('a round reads a few pages, and the next one continues there', async () => {
  store.roomAddresses.push(...[1, 2, 3, 4, 5].map((n) => `10.0.0.${n}`));
  const scan = source();
  expect(await scan.discover(never())).toHaveLength(4);
  expect(await scan.discover(never())).toHaveLength(5);
  expect(store.asked).toEqual(['addresses 0 2', 'addresses 2 2', 'addresses 4 2']);
});

test('a round reads at most 10 pages of 1,000 items, with pauses between', async () => {
  store.roomAddresses.push(...Array.from({ length: 20_000 }, () => '10.0.0.1'));
  const since = performance.now();
  await roomAddresses(store.rooms, 8001, { roundMs: Infinity }).discover(never());
  expect(store.asked).toEqual(Array.from({ length: 10 }, (_, n) => `addresses ${n * 1000} 1000`));
  expect(performance.now() - since).toBeGreaterThan(800);
});

test('a server is named until a whole pass has not found it', async () => {
  store.roomAddresses.push(...[1, 2, 3, 4, 5].map((n) => `10.0.0.${n}`));
  const scan = source();
  await scan.discover(never());
  await scan.discover(never());
  store.roomAddresses[0] = '10.0.0.9';
  expect(await scan.discover(never())).toContain('10.0.0.1:8001');
  const afterPass = await scan.discover(never());
  expect(afterPass).not.toContain('10.0.0.1:8001');
  expect(afterPass).toContain('10.0.0.9:8001');
});

test('a failed page is read again, and earlier pages are kept', async () => {
  store.roomAddresses.push(...[1, 2, 3, 4, 5, 6].map((n) => `10.0.0.${n}`));
  const scan = source();
  await scan.discover(never());
  store.fail(true);
  await expect(scan.discover(never())).rejects.toThrow('unreachable');
  store.fail(false);
  expect(await scan.discover(never())).toHaveLength(6);
  expect(store.asked.slice(2)).toEqual(['addresses 4 2', 'addresses 4 2']);
});

test('an invalid cursor is dropped', async () => {
  store.roomAddresses.push('10.0.0.1', '10.0.0.2', '10.0.0.3');
  const { addresses } = store.rooms;
  const scan = source({ pagesPerRound: 1 });
  await scan.discover(never());
  store.rooms.addresses = () => Promise.reject(new InvalidCursor('made anew'));
  await expect(scan.discover(never())).rejects.toThrow('made anew');
  store.rooms.addresses = addresses;
  await scan.discover(never());
  expect(store.asked.at(-1)).toBe('addresses 0 2');
});

test('a round of a slow table ends in time', async () => {
  store.roomAddresses.push(...[1, 2, 3, 4, 5].map((n) => `10.0.0.${n}`));
  expect(await source({ roundMs: -1 }).discover(never())).toHaveLength(2);
});

test('an aborted round changes nothing', async () => {
  store.roomAddresses.push('10.0.0.1', '10.0.0.2', '10.0.0.3');
  const scan = source({ pagesPerRound: 1 });
  const stop = new AbortController();
  const givenUp = scan.discover(stop.signal);
  stop.abort(new Error('given up'));
  await expect(givenUp).rejects.toThrow('given up');
  expect(await scan.discover(never())).toHaveLength(2);
  expect(store.asked).toEqual(['addresses 0 2', 'addresses 0 2']);
});
