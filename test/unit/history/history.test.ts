import { describe, expect, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import { History, type HistorySource } from '../../../server/history/history.js';
import { RoomServerTracks } from '../../../server/history/roomServerTracks.js';
import { eventually } from '../../support/eventually.js';
import { HandClock } from '../../support/handClock.js';

/** A history of a fleet that the test changes. */
function stage() {
  const clock = new HandClock();
  const fleet = {
    isCounting: true,
    connections: 0 as number | null,
    live: 2,
    servers: new Map<string, number | null>([['a:1', 1]]),
    rooms: new Map<string, number>(),
    watched: [] as string[],
    parts: new Map<string, { id: string; connections: number }[]>(),
  };
  const source: HistorySource = {
    numbers: () => ({
      connections: fleet.connections,
      rooms: fleet.connections,
      servers: 2,
      live: fleet.live,
      complete: fleet.live === 2,
    }),
    sizes: () =>
      [...fleet.servers].map(([server, connections]) => ({
        server: server as ServerId,
        connections,
        rooms: connections,
      })),
    totals: () => fleet.rooms,
    counts: () => (room) => fleet.rooms.get(room) ?? 0,
    watchedRooms: () => fleet.watched,
    partsOf: (room) => ({ servers: fleet.parts.get(room) ?? null, complete: fleet.live === 2 }),
  };
  const history = new History({ clock, source: () => (fleet.isCounting ? source : undefined) });
  return { clock, fleet, history };
}

describe('the history of the fleet', () => {
  test('has the numbers of each second while the service counts, and gaps in between', () => {
    const { clock, fleet, history } = stage();
    history.touch();
    clock.advance(500);
    for (const count of [null, 3, 4]) {
      fleet.connections = count;
      fleet.live = count === null ? 1 : 2;
      clock.advance(1000);
    }
    expect(history.ofFleet(1)).toEqual({
      step: 1,
      from: '2026-01-01T00:00:01.000Z',
      active: true,
      connections: [null, 3, 4],
      rooms: [null, 3, 4],
      servers: [2, 2, 2],
      live: [1, 2, 2],
      complete: [false, true, true],
      kept: { servers: 1, rooms: 0 },
      leftOut: { servers: 0 },
    });
    fleet.isCounting = false;
    clock.advance(3000);
    expect(history.ofFleet(1)).toMatchObject({ active: false, connections: [null, 3, 4] });
    fleet.isCounting = true;
    fleet.connections = 5;
    clock.advance(4000);
    history.touch();
    clock.advance(1000);
    const { connections, complete } = history.ofFleet(1);
    expect(connections).toEqual([null, 3, 4, ...Array(7).fill(null), 5]);
    expect(complete).toEqual([false, true, true, ...Array(7).fill(null), true]);
  });

  test('has ten minutes by second and a day by half minutes', () => {
    const { clock, fleet, history } = stage();
    history.touch();
    clock.advance(500);
    for (let minute = 0; minute < 25 * 60; minute += 1) {
      fleet.connections = minute;
      clock.advance(60_000);
    }
    const seconds = history.ofFleet(1).connections;
    const halves = history.ofFleet(30).connections;
    expect([seconds.length, halves.length]).toEqual([600, 2880]);
    expect([seconds.at(-1), halves.at(-1), halves.at(-4)]).toEqual([1499, 1499, 1498]);
    expect([...seconds, ...halves]).not.toContain(null);
  });

  test('fills a few seconds in which the process was too busy, and no more', () => {
    const { clock, fleet, history } = stage();
    history.touch();
    clock.advance(1500);
    fleet.connections = 7;
    clock.wallOffsetMs += 4000;
    clock.advance(1000);
    expect(history.ofFleet(1).connections).toEqual([0, 7, 7, 7, 7, 7]);
    clock.wallOffsetMs += 10_000;
    clock.advance(1000);
    expect(history.ofFleet(1).connections.slice(6)).toEqual([...Array(10).fill(null), 7]);
  });

  test('looks once a second, however often something changes', () => {
    const { clock, history } = stage();
    for (let i = 0; i < 3; i += 1) history.touch();
    expect(clock.pending).toBe(1);
    clock.advance(1500);
    history.touch();
    expect(clock.pending).toBe(1);
  });

  test('ends with the service', () => {
    const { clock, history } = stage();
    history.touch();
    history.close();
    history.touch();
    expect(clock.pending).toBe(0);
  });
});

describe('the history of servers', () => {
  test('has the numbers of each, and null for one that has not reported', () => {
    const { clock, fleet, history } = stage();
    history.touch();
    fleet.servers.set('b:1', null);
    clock.advance(1500);
    fleet.servers.set('b:1', 2);
    clock.advance(1000);
    expect(history.ofServer('a:1', 1)).toMatchObject({ connections: [1, 1], rooms: [1, 1] });
    expect(history.ofServer('b:1', 1)).toMatchObject({
      server: 'b:1',
      from: '2026-01-01T00:00:02.000Z',
      connections: [2],
    });
    expect(history.ofServer('none:1', 30)).toEqual({
      server: 'none:1',
      step: 30,
      from: null,
      active: true,
      connections: [],
      rooms: [],
    });
  });

  test('is kept for the first 1,000, and a gone one makes room', () => {
    const { clock, fleet, history } = stage();
    fleet.servers = new Map(Array.from({ length: 1001 }, (_, i) => [`s${i}:1`, 1]));
    history.touch();
    clock.advance(1500);
    expect(history.ofFleet(1)).toMatchObject({ kept: { servers: 1000 }, leftOut: { servers: 1 } });
    fleet.servers.delete('s7:1');
    clock.advance(30_000);
    expect(history.ofServer('s1000:1', 1).from).toBeNull();
    clock.advance(60_000);
    expect(history.ofServer('s1000:1', 1).from).not.toBeNull();
    expect(history.ofServer('s7:1', 1).from).toBeNull();
    expect(history.ofFleet(1)).toMatchObject({ kept: { servers: 1000 }, leftOut: { servers: 0 } });
  });
});

describe('the history of rooms', () => {
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  test('of watched ones is kept by server, with the times of the whole', async () => {
    const { clock, fleet, history } = stage();
    fleet.rooms.set('r', 3);
    history.touch();
    clock.advance(1500);
    const of = () => history.ofRoomInDetail('r');
    await eventually(() => expect(of().connections).toEqual([3]));
    expect(of().servers).toBeUndefined();
    const look = async (length: number) => {
      clock.advance(30_000);
      await eventually(() => expect(of().connections).toHaveLength(length));
    };
    fleet.watched = ['r'];
    fleet.parts.set('r', [{ id: 'a:1', connections: 3 }]);
    await look(2);
    fleet.parts.set('r', [{ id: 'b:1', connections: 2 }]);
    await look(3);
    // It goes on when nobody watches. Without all servers it is not known whether one has none.
    fleet.watched = [];
    fleet.live = 1;
    await look(4);
    expect(of().servers).toEqual({ 'a:1': [null, 3, 0, null], 'b:1': [null, null, 2, 2] });
    expect(of().complete).toEqual([true, true, false, false]);
    expect(history.ofRoom('r')).not.toHaveProperty('servers');
  });

  test('by server is kept for 50 rooms, and one that nobody watches makes room', () => {
    const tracks = new RoomServerTracks();
    const rooms = Array.from({ length: 51 }, (_, i) => `r${i}`);
    const parts = () => ({ servers: [{ id: 'a:1', connections: 1 }], complete: true });
    const part = { fromSecond: 0, columns: [[1]] };
    const has = (room: string) => tracks.read(room, 0, part) !== undefined;
    tracks.note(0, rooms, parts);
    expect([has('r0'), has('r49'), has('r50')]).toEqual([true, true, false]);
    const watched = rooms.filter((room) => room !== 'r7');
    for (const second of [10, 20, 30, 40]) tracks.note(second, watched, parts);
    expect([has('r7'), has('r50')]).toEqual([false, true]);
    tracks.note(3700, [], parts);
    expect(has('r0')).toBe(false);
  });

  test('by server has the first servers of each room', () => {
    const tracks = new RoomServerTracks();
    const servers = Array.from({ length: 20 }, (_, i) => ({ id: `s${i}:1`, connections: 1 }));
    tracks.note(0, ['r'], () => ({ servers, complete: true }));
    const read = tracks.read('r', 0, { fromSecond: 0, columns: [[20]] });
    expect(Object.keys(read ?? {})).toHaveLength(16);
  });

  test('is kept for the 1,000 busiest and the watched, and goes on for an hour', async () => {
    const { clock, fleet, history } = stage();
    fleet.rooms = new Map(Array.from({ length: 12_000 }, (_, i) => [`r${i}`, i + 1]));
    fleet.watched = ['r0', 'x'.repeat(3000)];
    history.touch();
    clock.advance(1500);
    await eventually(() => expect(history.ofFleet(1).kept.rooms).toBe(1001));
    const of = (room: string) => history.ofRoom(room).connections;
    expect([of('r11999'), of('r11000'), of('r10999'), of('r0')]).toEqual([
      [12_000],
      [11_001],
      [],
      [1],
    ]);
    fleet.rooms = new Map([['r5', 9]]);
    fleet.watched = [];
    clock.advance(30_000);
    await eventually(() => expect(of('r5')).toEqual([9]));
    expect(history.ofRoom('r11999')).toMatchObject({
      room: 'r11999',
      step: 30,
      connections: [12_000, 0],
    });
    for (let i = 0; i < 125; i += 1) {
      clock.advance(30_000);
      await settled();
      await settled();
    }
    await eventually(() => expect(history.ofFleet(1).kept.rooms).toBe(1));
    expect(of('r5')).toHaveLength(120);
  });
});
