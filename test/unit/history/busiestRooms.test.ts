import { expect, test } from '@jest/globals';
import { busiestRooms } from '../../../server/history/busiestRooms.js';

const always = () => true;
const counts = (...numbers: number[]) => new Map(numbers.map((count, i) => [`r${i}`, count]));

test('the busiest rooms are found, the busiest one first', async () => {
  expect(await busiestRooms(counts(3, 9, 1, 7), 2, always)).toEqual(['r1', 'r3']);
  expect(await busiestRooms(counts(3, 9), 5, always)).toEqual(['r1', 'r0']);
  expect(await busiestRooms(counts(), 5, always)).toEqual([]);
});

test('they are found among more than are kept while looking, wherever they are', async () => {
  const numbers = Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1000);
  const busiest = [...numbers.entries()].sort(([, one], [, other]) => other - one).slice(0, 3);
  expect(await busiestRooms(counts(...numbers), 3, always)).toEqual(busiest.map(([i]) => `r${i}`));
});

test('others run while many rooms are looked at, and may end it', async () => {
  const many = counts(...Array.from({ length: 12_000 }, (_, i) => i));
  let asked = 0;
  const isWanted = () => {
    asked += 1;
    return true;
  };
  let turns = 0;
  const count = () => {
    turns += 1;
    turning = setImmediate(count);
  };
  let turning = setImmediate(count);
  expect(await busiestRooms(many, 1, isWanted)).toEqual(['r11999']);
  clearImmediate(turning);
  expect(asked).toBe(2);
  expect(turns).toBeGreaterThanOrEqual(2);
  expect(await busiestRooms(many, 1, () => false)).toBeUndefined();
});
