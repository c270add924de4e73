import { expect, test } from '@jest/globals';
import { Turns } from '../../../server/adapters/turns.js';

test('those who wait have a turn of the event loop each, in the order in which they came', async () => {
  const turns = new Turns();
  let turn = 0;
  const count = () => {
    turn += 1;
    immediate = setImmediate(count);
  };
  let immediate = setImmediate(count);
  const seen = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      await turns.next();
      return [name, turn] as const;
    }),
  );
  clearImmediate(immediate);
  expect(seen.map(([name]) => name)).toEqual(['a', 'b', 'c']);
  expect(new Set(seen.map(([, at]) => at)).size).toBe(3);
});
