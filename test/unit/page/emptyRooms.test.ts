import { expect, test } from '@jest/globals';
import { EmptiedRooms } from '../../../server/page/model/emptiedRooms.js';
import { nextPage, withPage } from '../../../server/page/model/emptyRooms.js';
import { otherRooms } from '../../../server/page/rooms/otherRooms.js';

const room = (id: string, connections: number | null) => ({
  id,
  connections,
  updatedAt: null,
  bytes: 5,
});
const nothing = { rooms: new Map(), read: 0, unknown: 0, next: undefined };

test('rooms without connections are kept page by page, and unknown ones are counted', () => {
  const one = withPage(nothing, [room('a', 0), room('b', 2)], 'cursor=x');
  const two = withPage(one, [room('c', null), room('__proto__', 0)], undefined);
  expect([...two.rooms.keys()]).toEqual(['a', '__proto__']);
  expect(two).toMatchObject({ read: 4, unknown: 1, next: undefined });
  expect([one.rooms.size, one.next]).toEqual([1, 'cursor=x']);
});

test('the next page is in the header Link', () => {
  expect(nextPage('<?limit=1000&cursor=a%3D>; rel="next"')).toBe('limit=1000&cursor=a%3D');
  expect(nextPage(null)).toBeUndefined();
});

test('rooms that are listed for another reason are searched and sorted alike', () => {
  const names = ['w%2F10', 'w%2F2', 'x', '__proto__'];
  const counts = new Map([['w%2F2', 1]]);
  const listed = (query: string, prefix: string, order: 'name' | 'connections') =>
    otherRooms(names, (name) => counts.get(name) ?? 0, { query, prefix, order }).map(
      ({ name }) => name,
    );
  expect(listed('', 'w/', 'name')).toEqual(['w%2F2', 'w%2F10']);
  expect(listed(' W/1', '', 'name')).toEqual(['w%2F10']);
  expect(listed('', '', 'connections')).toEqual(['w%2F2', '__proto__', 'w%2F10', 'x']);
});

test('the rooms that became empty are remembered until somebody is there again', () => {
  const emptied = new EmptiedRooms();
  emptied.note('a', true);
  emptied.note('b', false);
  expect([[...emptied.names], emptied.version]).toEqual([['a'], 1]);
  emptied.note('a', false);
  expect([[...emptied.names], emptied.version]).toEqual([[], 2]);
  for (let i = 0; i <= 2000; i += 1) emptied.note(`${i}`, true);
  expect([emptied.names.size, emptied.names.has('0')]).toEqual([2000, false]);
});
