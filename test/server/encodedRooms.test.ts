import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EncodedRooms } from '../../server/sse/encodedRooms.js';

const rooms = (encoded: EncodedRooms) =>
  new Map(Object.entries(JSON.parse(encoded.between('[', ']').toString())[0]));

describe('the encoded map of rooms', () => {
  test('is the map, however rooms come, change and go, and however it is sliced', () => {
    const name = fc.oneof(
      fc.nat(600).map(String),
      fc.constantFrom('__proto__', 'constructor', '', 'a"b\\', '😀', '\ud800'),
    );
    const step = fc.record({ room: name, count: fc.nat(3), isEncoded: fc.boolean() });
    const everything = (steps: { room: string; count: number; isEncoded: boolean }[]) => {
      const totals = new Map<string, number>();
      const encoded = new EncodedRooms(() => totals);
      for (const { room, count, isEncoded } of steps) {
        if (count === 0) totals.delete(room);
        else totals.set(room, count);
        encoded.note([room]);
        if (isEncoded) encoded.encode(0);
      }
      while (!encoded.encode(0));
      expect(rooms(encoded)).toEqual(totals);
      // Each room once: a later entry would hide an old one from whoever parses it.
      expect(encoded.between('', '').toString().match(/":\d/g) ?? []).toHaveLength(totals.size);
    };
    fc.assert(fc.property(fc.array(step, { maxLength: 2000 }), everything), { numRuns: 40 });
  });

  test('is encoded anew only where something changed', () => {
    const totals = new Map<string, number>();
    let asked = 0;
    const counting = { ...totals, get: (room: string) => totals.get(room) };
    const encoded = new EncodedRooms(() => {
      asked += 1;
      return counting as never;
    });
    for (let room = 0; room < 20_000; room += 1) totals.set(`room ${room}`, 1);
    encoded.note(totals.keys());
    encoded.encode();
    const buckets = asked;
    expect(buckets).toBeGreaterThan(100);
    totals.set('room 7', 2);
    encoded.note(['room 7']);
    encoded.encode();
    expect(asked).toBe(buckets + 1);
    expect(rooms(encoded)).toEqual(totals);
  });

  test('has every room once while it grows, and while it shrinks', () => {
    const totals = new Map<string, number>();
    const encoded = new EncodedRooms(() => totals);
    const change = (room: string, count: number) => {
      if (count === 0) totals.delete(room);
      else totals.set(room, count);
      encoded.note([room]);
      encoded.encode();
      expect(encoded.between('', '').toString().match(/":/g) ?? []).toHaveLength(totals.size);
    };
    for (let room = 0; room < 700; room += 1) change(`room ${room}`, 1);
    for (let room = 0; room < 700; room += 1) change(`room ${room}`, 0);
    // Nothing is kept of names that came and went.
    expect(encoded.size).toBe(0);
  });

  test('is empty after it was cleared', () => {
    const totals = new Map([['a', 1]]);
    const encoded = new EncodedRooms(() => totals);
    encoded.note(totals.keys());
    encoded.encode();
    encoded.clear();
    expect(rooms(encoded)).toEqual(new Map());
  });
});
