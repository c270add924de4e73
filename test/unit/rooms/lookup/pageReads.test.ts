import { expect, test } from '@jest/globals';
import { PageReads } from '../../../../server/rooms/lookup/pageReads.js';
import { StoreError } from '../../../../server/store/store.js';
import { eventually } from '../../../support/eventually.js';

test('few pages are read at a time, concurrent reads of a page are shared, and too many are refused at once', async () => {
  const reads = new PageReads();
  const begun: string[] = [];
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const read = (key: string) =>
    reads.read(key, async () => {
      begun.push(key);
      await gate;
      return key;
    });
  const results = Array.from({ length: 150 }, (_, i) => read(`${i}`).catch((error) => error));
  const shared = read('0');
  const refused = (await Promise.all(results.slice(102))) as unknown[];
  expect(refused.every((error) => error instanceof StoreError)).toBe(true);
  expect(begun).toEqual(['0', '1']);
  const patient = reads.read('patient', async () => 'patient', { waitsForever: true });
  open();
  expect(await Promise.all(results.slice(0, 102))).toEqual(
    Array.from({ length: 102 }, (_, i) => `${i}`),
  );
  expect([await shared, await patient]).toEqual(['0', 'patient']);
  expect(begun).toHaveLength(102);
  // One that fails leaves its place to others.
  await expect(reads.read('bad', () => Promise.reject(new Error('failed')))).rejects.toThrow(
    'failed',
  );
  await expect(reads.read('bad', () => Promise.reject(new Error('again')))).rejects.toThrow(
    'again',
  );
  await eventually(async () => expect(await read('last')).toBe('last'));
});
