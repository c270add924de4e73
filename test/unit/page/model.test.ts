import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { RoomIndex } from '../../../server/page/model/roomIndex.js';
import { decodedName, encodedName, shownName } from '../../../server/page/model/roomNames.js';
import { goneShownMs, ServerList } from '../../../server/page/model/serverList.js';
import { compareRooms } from '../../../server/page/stream/fleetState.js';
import type { RoomColumns } from '../../../server/page/stream/messages.js';
import type { ServerAgent, ServerView } from '../../../server/wire/serverView.js';
import { eventually } from '../../support/eventually.js';

describe('the names of rooms', () => {
  test.each([
    ['weekly%20notes', 'weekly notes'],
    ['%F0%9F%98%80', '😀'],
    ['100%', '100%'],
    ['a/b', 'a/b'],
    ['%E2%80%AEevil', '\\u{202e}evil'],
    ['a%0Ab', 'a\\u{a}b'],
    ['%00', '\\u{0}'],
    ['', '(empty name)'],
    ['%20 ', '\\u{20}\\u{20}'],
    ['__proto__', '__proto__'],
  ])('%j is shown as %j', (raw, shown) => {
    expect(shownName(raw)).toBe(shown);
  });

  test('any name is decoded, displayed and encoded without an error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (raw) => {
        expect(typeof decodedName(raw)).toBe('string');
        expect(typeof shownName(raw)).toBe('string');
        expect(encodedName(raw)).toMatch(/^[\w%!'()*.~-]*$/);
      }),
    );
    expect(encodedName('\ud800')).toBe('%EF%BF%BD');
  });
});

const columns = (entries: readonly (readonly [string, number])[]): RoomColumns => ({
  names: entries.map(([name]) => name),
  counts: entries.map(([, count]) => count),
});

const ranked = (rooms: ReadonlyMap<string, number>) =>
  [...rooms].sort(([a, n], [b, m]) => compareRooms(n, a, m, b));

const listed = (index: RoomIndex) =>
  index.shown.map(({ name, connections }) => [name, connections] as const);

describe('the index of rooms', () => {
  const name = fc.oneof(fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor'), fc.string());
  const change = fc.array(fc.tuple(name, fc.nat({ max: 4 })), { maxLength: 12 });

  test('equals a newly sorted map after any changes', () => {
    fc.assert(
      fc.property(change, fc.array(change, { maxLength: 8 }), (first, changes) => {
        const index = new RoomIndex(() => undefined);
        const truth = new Map(first.filter(([, count]) => count > 0));
        index.replace(columns(ranked(truth)));
        for (const each of changes) {
          index.change(columns(each));
          for (const [room, count] of each) {
            if (count > 0) truth.set(room, count);
            else truth.delete(room);
          }
          index.settle();
          expect(listed(index)).toEqual(ranked(truth));
          expect(index.size).toBe(truth.size);
          expect(index.connections).toBe([...truth.values()].reduce((sum, n) => sum + n, 0));
        }
      }),
    );
  });

  const found = async (index: RoomIndex) => {
    await eventually(() => expect(index.isSearching).toBe(false));
    return index.shown.map((room) => room.name);
  };

  test('finds rooms by raw and decoded name, ignoring case', async () => {
    const index = new RoomIndex(() => undefined);
    index.replace(
      columns([
        ['Weekly%20Notes', 3],
        ['100%', 2],
        ['a/b', 1],
      ]),
    );
    index.search('weekly n');
    expect(await found(index)).toEqual(['Weekly%20Notes']);
    index.search('y%20N');
    expect(await found(index)).toEqual(['Weekly%20Notes']);
    index.search('%');
    expect(await found(index)).toEqual(['Weekly%20Notes', '100%']);
    index.search('');
    expect(await found(index)).toHaveLength(3);
  });

  test('keeps search results current as rooms are added, changed and removed', async () => {
    const index = new RoomIndex(() => undefined);
    index.replace(
      columns([
        ['x-1', 3],
        ['y-1', 2],
        ['x-2', 1],
      ]),
    );
    index.search('x-');
    expect(await found(index)).toEqual(['x-1', 'x-2']);
    index.change(
      columns([
        ['x-3', 9],
        ['y-2', 8],
        ['x-2', 4],
        ['x-1', 0],
      ]),
    );
    index.settle();
    expect(await found(index)).toEqual(['x-3', 'x-2']);
    index.replace(columns([['x-9', 1]]));
    expect(await found(index)).toEqual(['x-9']);
  });

  const manyRooms = Array.from(
    { length: 100_000 },
    (_, i) => [`room%20${i}`, 100_000 - i] as const,
  );

  test('searches 100,000 rooms in slices, the busiest first', async () => {
    const seen: number[] = [];
    const index = new RoomIndex(() => seen.push(index.shown.length));
    index.replace(columns(manyRooms));
    let turns = 0;
    const others = setInterval(() => {
      turns += 1;
    });
    index.search('room 99');
    const names = await found(index);
    clearInterval(others);
    expect(names).toHaveLength(1 + 10 + 100 + 1000);
    expect(names[0]).toBe('room%2099');
    // In slices: results appeared gradually, and other timers ran in between.
    expect(seen.length).toBeGreaterThan(4);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(turns).toBeGreaterThan(2);
  });

  test('merges changes into 100,000 rooms in one pass, without a sort', () => {
    const index = new RoomIndex(() => undefined);
    index.replace(columns(manyRooms));
    index.change(columns(manyRooms.map(([room], i) => [room, 1 + ((i * 7919) % 90_001)])));
    index.settle();
    let reads = 0;
    for (const room of index.shown) {
      let { connections } = room;
      Object.defineProperty(room, 'connections', {
        get: () => {
          reads += 1;
          return connections;
        },
        set: (changed: number) => {
          connections = changed;
        },
      });
    }
    const busy = manyRooms.slice(0, 500);
    index.change(columns(busy.map(([room], i) => [room, 1 + i])));
    index.settle();
    // Each comparison reads two rooms. A merge compares each room once, a sort about ten times.
    expect(reads).toBeLessThan(3 * manyRooms.length);
    expect(index.shown).toHaveLength(manyRooms.length);
  });
});

describe('the list of servers', () => {
  const view = (state: string, id = 'a:1'): ServerView => ({
    id,
    state,
    lastHeardAt: null,
    epoch: 1,
    rooms: 1,
    connections: 2,
    overLimit: false,
    lastFailure: null,
    callback: null,
  });

  test('marks a server that was unreachable and answers again', () => {
    const list = new ServerList();
    list.replace([view('live')], 1000);
    list.update(view('unreachable'), 2000);
    list.replace([view('unreachable')], 3000);
    expect(list.rows[0]).toMatchObject({ state: 'unreachable', awaySinceMs: 2000 });
    list.update(view('activating'), 4000);
    expect(list.rows[0]?.returnedAtMs).toBeUndefined();
    list.update(view('live'), 5000);
    expect(list.rows[0]).toMatchObject({ awaySinceMs: 2000, returnedAtMs: 5000 });
  });

  test('reports no time for what happened before the page was opened', () => {
    const list = new ServerList();
    list.replace([view('unreachable')], 1000);
    expect(list.rows[0]?.awaySinceMs).toBeUndefined();
    list.update(view('live'), 5000);
    expect(list.rows[0]).toMatchObject({ returnedAtMs: 5000, awaySinceMs: undefined });
  });

  test('keeps a removed server for a while, without its counts', () => {
    const list = new ServerList();
    list.replace([view('live'), view('live', 'b:2')], 1000);
    list.replace([view('live')], 2000);
    const gone = list.rows.find(({ id }) => id === 'b:2');
    expect(gone).toMatchObject({ state: 'gone', goneAtMs: 2000, connections: null });
    list.removeExpired(2000 + goneShownMs);
    expect(list.rows).toHaveLength(2);
    list.removeExpired(2001 + goneShownMs);
    expect(list.rows.map(({ id }) => id)).toEqual(['a:1']);
  });

  test('keeps the last numbers and the name of a server that has none, with the time when it had them', () => {
    const list = new ServerList();
    const without = { ...view('unreachable'), rooms: null, connections: null };
    list.replace([{ ...view('live'), name: 'web-1' }], 1000);
    list.update(without, 2000);
    list.replace([without], 3000);
    expect(list.rows[0]?.last).toEqual({ connections: 2, rooms: 1, atMs: 1000 });
    expect(list.rows[0]?.name).toBe('web-1');
    expect(list.toldAtMs('a:1')).toBe(3000);
    list.update(view('live'), 4000);
    expect(list.rows[0]?.last).toBeUndefined();
  });

  test('does not call a server removed that a restarted service may not know yet', () => {
    const list = new ServerList();
    list.replace([{ ...view('live'), lastFailure: 'answered 500' }], 1000);
    list.replace([], 2000, { isWhole: false });
    expect(list.rows[0]).toMatchObject({ state: 'unknown', connections: null, lastFailure: null });
    expect(list.rows[0]?.goneAtMs).toBeUndefined();
    list.replace([], 3000);
    expect(list.rows[0]).toMatchObject({ state: 'gone', goneAtMs: 3000 });
  });

  test('keeps what a server tells of itself until a poll says otherwise', () => {
    const list = new ServerList();
    const agent = { version: '0.1.0' } as ServerAgent;
    list.replace([{ ...view('live'), agent }], 1000);
    const [row] = list.rows;
    list.replace([{ ...view('live'), agent: { ...agent } }], 2000);
    expect(list.rows[0]).toBe(row);
    list.update(view('stale'), 3000);
    expect(list.rows[0]).toMatchObject({ state: 'stale', agent });
    list.replace([{ ...view('live'), agent: undefined }], 4000);
    expect(list.rows[0]?.agent).toBeUndefined();
  });

  test('keeps the row object of an unchanged server', () => {
    const list = new ServerList();
    list.replace([view('live')], 1000);
    const [row] = list.rows;
    list.replace([view('live')], 2000);
    expect(list.rows[0]).toBe(row);
    list.replace([{ ...view('live'), connections: 3 }], 3000);
    expect(list.rows[0]).not.toBe(row);
  });
});
