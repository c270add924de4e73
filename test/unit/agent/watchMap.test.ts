import { expect, test } from '@jest/globals';
import { watchMap } from '../../../server/agent/watchMap.js';

test('setting, deleting and clearing are told in the same step, after the map has changed', () => {
  const map = new Map([['a', 1]]);
  const told: unknown[] = [];
  watchMap(map, (key, value) => told.push([key, value, map.size]));
  expect(map.set('b', 2)).toBe(map);
  expect([map.delete('a'), map.delete('a')]).toEqual([true, false]);
  map.clear();
  expect(told).toEqual([
    ['b', 2, 2],
    [undefined, undefined, 1],
    [undefined, undefined, 0],
  ]);
});

test('a map looks as before, and is left as before', () => {
  const map = new Map([['a', 1]]);
  const end = watchMap(map, () => undefined);
  expect(Object.keys(map)).toEqual([]);
  expect([...map]).toEqual([['a', 1]]);
  end();
  expect(map.set).toBe(Map.prototype.set);
  expect(map.delete).toBe(Map.prototype.delete);
});

test('two may watch a map, and end in any order', () => {
  const map = new Map<string, number>();
  const told: string[] = [];
  const endFirst = watchMap(map, () => told.push('first'));
  const endSecond = watchMap(map, () => told.push('second'));
  map.set('a', 1);
  endFirst();
  map.set('b', 2);
  endSecond();
  map.set('c', 3);
  expect(told).toEqual(['first', 'second', 'second']);
  expect(map.size).toBe(3);
});
