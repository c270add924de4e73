import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Ring } from '../../../server/fleet/ring.js';

const frame = (version: number, bytes = 10) => Buffer.from(`${version} `.padEnd(bytes));
const versions = (frames: Buffer[] | undefined) =>
  frames?.map((buffer) => parseInt(`${buffer}`, 10));

function filled(count: number, bytes?: number): Ring {
  const ring = new Ring();
  for (let version = 1; version <= count; version += 1) ring.push(frame(version, bytes));
  return ring;
}

test('an empty ring has no frames after version 0', () => {
  expect(new Ring().since(0)).toEqual([]);
  expect(new Ring().since(1)).toBeUndefined();
});

test('the frames after a version are the missing ones', () => {
  const ring = filled(3);
  expect(versions(ring.since(0))).toEqual([1, 2, 3]);
  expect(versions(ring.since(2))).toEqual([3]);
  expect(versions(ring.since(3))).toEqual([]);
});

test('versions that are dropped or in the future are unknown', () => {
  const ring = filled(2000);
  expect(ring.since(2001)).toBeUndefined();
  expect(ring.since(2000 - 1025)).toBeUndefined();
  expect(ring.since(2000 - 1024)).toHaveLength(1024);
  expect(ring.since(-1)).toBeUndefined();
});

test('it holds at most 1 MiB', () => {
  const ring = filled(20, 100_000);
  expect(versions(ring.since(10))).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  expect(ring.since(9)).toBeUndefined();
  expect(filled(2, 512 * 1024).since(0)).toHaveLength(2);
});

test('a frame over 1 MiB empties it, and only viewers that have seen it can resume', () => {
  const ring = filled(3);
  ring.push(frame(4, 2 * 1024 * 1024));
  expect(ring.since(3)).toBeUndefined();
  expect(ring.since(4)).toEqual([]);
  ring.push(frame(5));
  expect(ring.since(3)).toBeUndefined();
  expect(versions(ring.since(4))).toEqual([5]);
});

test('after it is cleared, no earlier version can resume', () => {
  const ring = filled(5);
  ring.clear(7);
  for (const version of [0, 4, 5]) expect(ring.since(version)).toBeUndefined();
  expect(ring.since(6)).toEqual([]);
  ring.push(frame(7));
  expect(versions(ring.since(6))).toEqual([7]);
});

test('frames have no gaps and stay within the limits, or there are none', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(300_000), { maxLength: 30 }),
      fc.integer({ min: -2, max: 32 }),
      (sizes, version) => {
        const ring = new Ring();
        for (const [i, bytes] of sizes.entries()) ring.push(frame(i + 1, bytes));
        const frames = ring.since(version);
        if (!frames) return;
        const expected = Array.from(sizes.slice(version), (_, i) => version + i + 1);
        expect(versions(frames)).toEqual(expected);
        expect(Buffer.concat(frames).length).toBeLessThanOrEqual(1024 * 1024);
      },
    ),
  );
});
