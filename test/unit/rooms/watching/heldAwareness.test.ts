import { expect, test } from '@jest/globals';
import { HeldAwareness } from '../../../../server/rooms/watching/heldAwareness.js';
import { awarenessUpdate } from '../../../system/rooms/support/awareness.js';

/** The updates that were held, each by itself. */
function released(held: HeldAwareness): { updates: Uint8Array[]; tooLarge: readonly object[] } {
  const { updates, lengths, tooLarge } = held.release();
  let start = 0;
  const each = lengths.map((length) => {
    start += length;
    return updates.slice(start - length, start);
  });
  expect(start).toBe(updates.length);
  return { updates: each, tooLarge };
}

test('only the newest update of a client is held, in whatever order they arrive', () => {
  const held = new HeldAwareness();
  for (const clock of [1, 3, 2]) held.hold(awarenessUpdate([1, clock, { clock }]));
  const both = awarenessUpdate([1, 4, {}], [2, 1, {}]);
  held.hold(both);
  expect(held.isEmpty).toBe(false);
  expect(released(held)).toEqual({
    updates: [both, awarenessUpdate([1, 3, { clock: 3 }])],
    tooLarge: [],
  });
  expect(held.isEmpty).toBe(true);
  expect(held.dropped).toBe(0);
});

test('two updates with the same clock are both held in order, because one may be a removal', () => {
  const held = new HeldAwareness();
  const [here, gone] = [awarenessUpdate([1, 1, {}]), awarenessUpdate([1, 1, null])];
  held.hold(here);
  held.hold(gone);
  expect(released(held).updates).toEqual([here, gone]);
});

test('a bounded number of bytes is held, and the rest is counted', () => {
  const held = new HeldAwareness();
  const text = 'x'.repeat(1000);
  for (let client = 0; client < 10_000; client += 1) held.hold(awarenessUpdate([client, 1, text]));
  const { updates } = released(held);
  expect(updates.length).toBeGreaterThan(3000);
  expect(updates.length * 1000).toBeLessThan(HeldAwareness.maxBytes);
  expect(held.dropped).toBe(10_000 - updates.length);
  // One client alone makes no heap, however often it speaks.
  for (let clock = 0; clock < 10_000; clock += 1) held.hold(awarenessUpdate([7, clock, text]));
  expect(released(held).updates).toHaveLength(1);
  expect(held.dropped).toBe(10_000 - updates.length);
});

test('replacing small updates by larger ones does not exceed the bound', () => {
  const held = new HeldAwareness();
  for (let client = 0; client < 1000; client += 1) held.hold(awarenessUpdate([client, 1, {}]));
  const text = 'x'.repeat(50_000);
  for (let client = 0; client < 1000; client += 1) held.hold(awarenessUpdate([client, 2, text]));
  const { updates } = released(held);
  expect(updates).toHaveLength(1000);
  expect(updates.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(HeldAwareness.maxBytes);
  expect(held.dropped).toBeGreaterThan(900);
});

test('of a too large update only the client is kept, and held updates keep no larger buffer alive', () => {
  const held = new HeldAwareness();
  const large = awarenessUpdate([5, 9, 'x'.repeat(HeldAwareness.maxUpdateBytes)]);
  held.hold(large);
  held.hold(new Uint8Array(HeldAwareness.maxUpdateBytes + 1));
  expect(held.dropped).toBe(1);
  expect(released(held)).toEqual({
    updates: [],
    tooLarge: [{ client: 5, clock: 9, bytes: large.length }],
  });
});
