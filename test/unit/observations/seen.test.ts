import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fromBlocks, toBlocks } from '../../../server/observations/savedRows.js';
import { SeenConnections } from '../../../server/observations/seenConnections.js';
import { SeenRooms } from '../../../server/observations/seenRooms.js';
import { WatchedTimes } from '../../../server/observations/watchedTimes.js';
import type { StoredConnection } from '../../../server/store/store.js';

const minuteMs = 60_000;
const iso = (ms: number) => new Date(ms).toISOString();

async function roomsOf(pages: AsyncIterable<StoredConnection[]>): Promise<string[]> {
  const rows: StoredConnection[] = [];
  for await (const page of pages) rows.push(...page);
  return rows.map(({ roomName }) => roomName);
}

describe('rooms that were seen', () => {
  test('have a first and a last time', () => {
    const rooms = new SeenRooms();
    rooms.note('r', 1000);
    rooms.note('r', 3000);
    expect(rooms.get('r')).toEqual({ firstMs: 1000, lastMs: 3000 });
    expect(rooms.get('__proto__')).toBeUndefined();
  });

  test('are dropped for others over the limit, but not those that were just seen', () => {
    const rooms = new SeenRooms({ maxRows: 2 });
    expect([rooms.note('a', 0), rooms.note('b', minuteMs), rooms.note('c', minuteMs)]).toEqual([
      true,
      true,
      true,
    ]);
    expect(rooms.note('d', minuteMs + 1)).toBe(false);
    expect([...rooms].map(([room]) => room)).toEqual(['b', 'c']);
  });

  test('are limited by the total length of their names', () => {
    const limits = { maxRows: 5, maxNamesLength: 20 };
    const note = fc.tuple(fc.string({ maxLength: 25 }), fc.nat(1_000_000));
    fc.assert(
      fc.property(fc.array(note, { maxLength: 60 }), (notes) => {
        const rooms = new SeenRooms(limits);
        for (const [room, ms] of notes) {
          rooms.note(room, ms);
          const names = [...rooms].map(([name]) => name);
          expect(names.length).toBeLessThanOrEqual(5);
          expect(names.join('').length).toBeLessThanOrEqual(20);
        }
      }),
    );
  });

  test('are forgotten when they are old', () => {
    const rooms = new SeenRooms();
    rooms.note('old', 1);
    rooms.note('new', 2);
    rooms.forgetBefore(2);
    expect([...rooms].map(([room]) => room)).toEqual(['new']);
  });
});

describe('connections that were seen to open', () => {
  test('are in the order of time, even if the clock is set back', async () => {
    const seen = new SeenConnections();
    seen.note('a', 5000);
    seen.note('b', 4000);
    seen.note('c', 6000);
    expect(await roomsOf(seen.since(0))).toEqual(['a', 'b', 'c']);
    expect(await roomsOf(seen.since(5001))).toEqual(['c']);
    expect(await roomsOf(seen.newestFirst())).toEqual(['c', 'b', 'a']);
  });

  test('are the newest within the limit, and dropped ones are counted', async () => {
    const seen = new SeenConnections({ maxRows: 3 });
    for (let i = 0; i < 2000; i += 1) seen.note(`${i}`, i);
    expect(await roomsOf(seen.since(0))).toEqual(['1997', '1998', '1999']);
    expect([seen.size, seen.displaced]).toEqual([3, 1997]);
    seen.forgetBefore(1999);
    expect(await roomsOf(seen.since(0))).toEqual(['1999']);
  });
});

describe('the times that were watched', () => {
  const yes = { isCounting: true, isComplete: true };
  const no = { isCounting: false, isComplete: false };

  test('leave gaps where the service was inactive or the counts incomplete', () => {
    const times = new WatchedTimes();
    times.note(yes, 10_000);
    times.note(yes, 11_000);
    times.note({ ...yes, isComplete: false }, 12_000);
    times.note({ ...yes, isComplete: false }, 13_000);
    times.note(no, 14_000);
    times.note(yes, 20_000);
    expect(times.gaps(5000)).toEqual([
      { from: iso(5000), to: iso(10_000), reason: 'unwatched' },
      { from: iso(11_000), to: iso(13_000), reason: 'incomplete' },
      { from: iso(13_000), to: iso(20_000), reason: 'unwatched' },
    ]);
    times.note(no, 21_000);
    expect(times.gaps(19_000).at(-1)).toEqual({ from: iso(20_000), to: null, reason: 'unwatched' });
    expect(new WatchedTimes().gaps(7)).toEqual([{ from: iso(7), to: null, reason: 'unwatched' }]);
  });

  test('end when the process is suspended', () => {
    const times = new WatchedTimes();
    times.note(yes, 10_000);
    times.note(yes, 70_000);
    expect(times.gaps(10_000)).toEqual([
      { from: iso(10_000), to: iso(70_000), reason: 'unwatched' },
    ]);
  });

  test('are limited in number, and dropped ones are gaps', () => {
    const times = new WatchedTimes();
    for (let i = 1; i <= 600; i += 1) {
      times.note(yes, i * 100_000);
      times.note(no, i * 100_000 + 1);
    }
    expect([...times]).toHaveLength(500);
    expect(times.gaps(0)[0]).toEqual({ from: iso(0), to: iso(101 * 100_000), reason: 'unwatched' });
  });
});

describe('what is saved', () => {
  test('is unchanged when it is loaded, for any room names', () => {
    const name = fc.string({
      unit: fc.integer({ min: 0, max: 0xffff }).map((c) => String.fromCharCode(c)),
    });
    fc.assert(
      fc.property(fc.uniqueArray(name), fc.array(name), (names, connected) => {
        const [rooms, connections, times] = [
          new SeenRooms(),
          new SeenConnections(),
          new WatchedTimes(),
        ];
        for (const [i, room] of names.entries()) rooms.note(room, i);
        for (const [i, room] of connected.entries()) connections.note(room, i);
        times.note({ isCounting: true, isComplete: true }, 5);
        const read = fromBlocks([...toBlocks({ rooms, connections, times })]);
        expect(read.rooms).toEqual([...rooms]);
        expect(read.connections).toEqual([...connections]);
        expect(read.times).toEqual([...times]);
      }),
    );
  });

  test('is in blocks that fit into an item of DynamoDB, and invalid rows are skipped', () => {
    const rooms = new SeenRooms();
    for (let i = 0; i < 60; i += 1) rooms.note(`${i}${'é'.repeat(16_000)}`, i);
    const blocks = [...toBlocks({ rooms, connections: [], times: [] })];
    expect(blocks.length).toBeGreaterThan(5);
    for (const block of blocks) expect(Buffer.byteLength(block)).toBeLessThan(350_000);
    expect(fromBlocks(blocks).rooms).toHaveLength(60);
    const odd = ['', '{', '{}', '[1,null,["room"],["room",1,2,3],["time",1e99,1,true],["x"]]'];
    expect(fromBlocks(odd)).toEqual({ rooms: [], connections: [], times: [] });
  });
});
