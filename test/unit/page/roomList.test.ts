import { afterEach, describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { compareNatural } from '../../../server/page/model/naturalOrder.js';
import { nextPrefix, stepsOf } from '../../../server/page/model/prefixCounts.js';
import { byName, newRoom } from '../../../server/page/model/room.js';
import { RoomIndex } from '../../../server/page/model/roomIndex.js';
import { decodedName } from '../../../server/page/model/roomNames.js';
import { sortedInSlices } from '../../../server/page/model/slices.js';
import { compareRooms } from '../../../server/page/stream/fleetState.js';
import type { RoomColumns } from '../../../server/page/stream/messages.js';
import { eventually } from '../../support/eventually.js';

const columns = (entries: Iterable<readonly [string, number]>): RoomColumns => {
  const sorted = [...entries].sort(([a, n], [b, m]) => compareRooms(n, a, m, b));
  return { names: sorted.map(([name]) => name), counts: sorted.map(([, count]) => count) };
};
const namesOf = (index: RoomIndex) => index.shown.map(({ name }) => name);
const untilDone = (index: RoomIndex) => eventually(() => expect(index.isSearching).toBe(false));

describe('the natural order', () => {
  test('has numbers by value, wherever they are', () => {
    const sorted = ['', 'a', 'a-1', 'a-01x', 'a-2', 'a-10', 'a-10.2', 'a-10.10', 'b'];
    expect([...sorted].reverse().sort(compareNatural)).toEqual(sorted);
  });

  test('is an order: no two texts are equal, and it does not depend on where one begins', () => {
    const text = fc.string({ unit: fc.constantFrom('0', '1', '9', 'a', '-'), maxLength: 6 });
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        expect(Math.sign(compareNatural(a, b))).toBe(-Math.sign(compareNatural(b, a)) + 0);
        expect(compareNatural(a, b) === 0).toBe(a === b);
        if (compareNatural(a, b) < 0 && compareNatural(b, c) < 0)
          expect(compareNatural(a, c)).toBeLessThan(0);
      }),
    );
  });

  test('a sort in slices is a stable sort', () => {
    const item = fc.record({ key: fc.nat({ max: 50 }) });
    const compare = (a: { key: number }, b: { key: number }) => a.key - b.key;
    fc.assert(
      fc.property(fc.array(item, { maxLength: 2000 }), (items) => {
        const work = sortedInSlices(items, compare);
        let step = work.next();
        while (!step.done) step = work.next();
        expect(step.value).toEqual([...items].sort(compare));
      }),
      { numRuns: 20 },
    );
  });
});

describe('prefixes', () => {
  test.each([
    ['workspace-8/doc', '', 'workspace-8/'],
    ['workspace-8%2Fa:b', 'workspace-8/', 'workspace-8/a:'],
    ['v1.2', '', 'v1.'],
    ['plain', '', ''],
    ['a/', 'a/', ''],
    ['a//b', 'a/', 'a//'],
  ])('the next prefix of %j after %j is %j', (raw, prefix, next) => {
    expect(nextPrefix(decodedName(raw), prefix)).toBe(next);
  });

  test('a prefix has steps to go back to', () => {
    expect(stepsOf('a/b:c.')).toEqual(['a/', 'a/b:', 'a/b:c.']);
    expect(stepsOf('a/b')).toEqual(['a/', 'a/b']);
    expect(stepsOf('')).toEqual([]);
  });
});

const name = fc.oneof(
  fc.constantFrom('a/1', 'a/2', 'a/10', 'a/b:1', 'b/1', 'B/2', '__proto__', 'a%2F3', '100%'),
  fc.string({ maxLength: 3 }),
);
const change = fc.array(fc.tuple(name, fc.nat({ max: 4 })), { maxLength: 12 });
const filter = fc.record({
  query: fc.constantFrom('', '', 'a', '1', 'B/'),
  prefix: fc.constantFrom('', '', 'a/', 'b'),
  order: fc.constantFrom('connections' as const, 'name' as const),
});

/** What the index has to show, computed from nothing. */
function expected(truth: ReadonlyMap<string, number>, by: { query: string; prefix: string }) {
  return [...truth].filter(([room]) => {
    const decoded = decodedName(room);
    const text = `${decoded}\n${room}`.toLowerCase();
    return decoded.startsWith(by.prefix) && text.includes(by.query.toLowerCase());
  });
}

describe('the filtered and sorted index', () => {
  afterEach(() => void jest.restoreAllMocks());

  test('equals a newly filtered and sorted list after any changes, with counts by prefix', () => {
    // All work is done in one slice.
    jest.spyOn(performance, 'now').mockReturnValue(0);
    fc.assert(
      fc.property(change, fc.array(fc.tuple(change, filter), { maxLength: 8 }), (first, steps) => {
        const index = new RoomIndex(() => undefined);
        const truth = new Map(first.filter(([, count]) => count > 0));
        index.replace(columns(truth));
        index.countPrefixes(true);
        for (const [changes, by] of steps) {
          index.filter({ query: by.query, prefix: by.prefix });
          index.sort(by.order);
          index.change({
            names: changes.map(([room]) => room),
            counts: changes.map(([, count]) => count),
          });
          for (const [room, count] of changes)
            if (count > 0) truth.set(room, count);
            else truth.delete(room);
          index.settle();
          const rooms = expected(truth, by);
          const sorted =
            by.order === 'connections'
              ? columns(rooms).names
              : rooms
                  .map(([room]) => newRoom(room))
                  .sort(byName)
                  .map((room) => room.name);
          expect(namesOf(index)).toEqual(sorted);
          expect(index.shownConnections).toBe(rooms.reduce((sum, [, count]) => sum + count, 0));
          const { top = [], restRooms = 0 } = index.prefixes?.top(100) ?? {};
          const counted = top.reduce((sum, group) => sum + group.rooms, restRooms);
          expect(counted).toBe(rooms.length);
          for (const group of top)
            expect([group.rooms, group.connections]).toEqual(sumOf(rooms, by.prefix, group.prefix));
        }
      }),
    );
  });

  const sumOf = (rooms: (readonly [string, number])[], from: string, prefix: string) => {
    const under = rooms.filter(([room]) => nextPrefix(decodedName(room), from) === prefix);
    return [under.length, under.reduce((sum, [, count]) => sum + count, 0)];
  };

  test('counts, their sum and the order change together', () => {
    const index = new RoomIndex(() => undefined);
    index.replace(columns([['a', 3]]));
    index.change({ names: ['a', 'b'], counts: [1, 5] });
    expect([index.connections, index.size, index.get('a')?.connections]).toEqual([3, 1, 3]);
    index.settle();
    expect([index.connections, index.size, namesOf(index)]).toEqual([6, 2, ['b', 'a']]);
  });

  test('follows the set of a server as it changes', () => {
    const index = new RoomIndex(() => undefined);
    index.replace(
      columns([
        ['a', 3],
        ['b', 2],
        ['c', 1],
      ]),
    );
    const before = new Map([
      ['a', 1],
      ['c', 1],
    ]);
    index.filter({ only: before });
    expect(namesOf(index)).toEqual(['a', 'c']);
    const after = new Map([
      ['b', 1],
      ['c', 1],
      ['unknown', 1],
    ]);
    index.refresh(after, before);
    expect(namesOf(index)).toEqual(['b', 'c']);
    index.filter({ only: undefined });
    expect(namesOf(index)).toEqual(['a', 'b', 'c']);
  });

  test('sorts 100,000 rooms by name in slices, and takes in what changes meanwhile', async () => {
    let slices = 0;
    const index = new RoomIndex(() => {
      slices += 1;
    });
    const rooms = Array.from({ length: 100_000 }, (_, i) => [`room ${i}`, 100_000 - i] as const);
    index.replace({ names: rooms.map(([room]) => room), counts: rooms.map(([, n]) => n) });
    slices = 0;
    index.sort('name');
    expect(index.isSearching).toBe(true);
    index.change({ names: ['room 2', 'room 1.5', 'room 7'], counts: [0, 1, 9] });
    index.settle();
    await untilDone(index);
    expect(slices).toBeGreaterThan(2);
    expect(namesOf(index).slice(0, 4)).toEqual(['room 0', 'room 1', 'room 1.5', 'room 3']);
    expect(namesOf(index)).toHaveLength(100_000);
    index.change({ names: ['room 1.5', 'room 2'], counts: [0, 1] });
    index.settle();
    expect(namesOf(index).slice(0, 3)).toEqual(['room 0', 'room 1', 'room 2']);
  });
});
