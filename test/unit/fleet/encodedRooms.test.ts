import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EncodedRooms } from '../../../server/fleet/encodedRooms.js';
import { runs } from '../../support/runs.js';

const rooms = (encoded: EncodedRooms) =>
  new Map(Object.entries(JSON.parse(encoded.toBuffer('[', ']').toString())[0]));

describe('the encoded map of rooms', () => {
  test('is done once no change is left, and not before', () => {
    const totals = new Map([['a', 1]]);
    const single = new EncodedRooms(() => totals);
    single.note(totals.keys());
    expect(single.encode(-1)).toBe(true);
    for (let size = 1000; size < 1400; size += 40) {
      const names = Array.from({ length: size }, (_, i) => `room ${i}`);
      for (const name of names) totals.set(name, 1);
      const encoded = new EncodedRooms(() => totals);
      encoded.note(names);
      encoded.mark();
      while (!encoded.isMarkPassed) {
        // One part of many, which then changes again.
        expect(encoded.encode(-1)).toBe(false);
        encoded.note(names);
      }
    }
  });

  test('equals the map, whatever rooms change and however it is sliced', () => {
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
      expect(encoded.toBuffer('', '').toString().match(/":\d/g) ?? []).toHaveLength(totals.size);
    };
    fc.assert(fc.property(fc.array(step, { maxLength: 2000 }), everything), runs(15));
  });

  test('contains all changes before a mark once that is passed', () => {
    const change = fc.record({ room: fc.nat(900), count: fc.nat(3) });
    const inputs = [fc.array(change, { maxLength: 1500 }), fc.array(change, { minLength: 600 })];
    const everything = (before: { room: number; count: number }[], after: typeof before) => {
      const totals = new Map<string, number>();
      const encoded = new EncodedRooms(() => totals);
      const apply = ({ room, count }: { room: number; count: number }) => {
        if (count === 0) totals.delete(`${room}`);
        else totals.set(`${room}`, count);
        encoded.note([`${room}`]);
      };
      before.forEach(apply);
      encoded.encode(0);
      encoded.mark();
      const unchanged = new Map(totals);
      for (const each of after) {
        if (encoded.isMarkPassed) break;
        apply(each);
        unchanged.delete(`${each.room}`);
        if (each.room % 100 === 0) encoded.encode(0);
      }
      while (!encoded.isMarkPassed) encoded.encode(0);
      const shown = rooms(encoded);
      expect(new Map([...unchanged.keys()].map((room) => [room, shown.get(room)]))).toEqual(
        unchanged,
      );
      const [json, names] = [encoded.toBuffer('', '').toString(), [...shown.keys()]];
      expect(json.match(/":\d/g) ?? []).toHaveLength(names.length);
    };
    fc.assert(fc.property(...(inputs as [never, never]), everything), runs(80));
  });

  test.each([
    ['that differ in high bits alone', [0x61, 0x2061, 0x4061, 0x6061, 0x8061, 0xa061, 0xc061]],
    ['of the same letters in another order', [0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67]],
  ])('spreads names %s over its buckets', (_what, letters) => {
    const names = letters.flatMap((a) =>
      letters.flatMap((b) =>
        letters.flatMap((c) => letters.map((d) => String.fromCharCode(a, b, c, d))),
      ),
    );
    const totals = new Map(names.map((name) => [name, 1]));
    let asked = 0;
    const get = (name: string) => {
      asked += 1;
      return totals.get(name);
    };
    const encoded = new EncodedRooms(() => ({ get }) as never);
    encoded.note(names);
    encoded.encode();
    asked = 0;
    encoded.note(names.slice(0, 1));
    encoded.encode();
    expect(names.length).toBeGreaterThan(2000);
    expect(asked).toBeLessThan(400);
  });

  test('encodes only changed buckets again', () => {
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

  test('contains every room once while it grows and shrinks', () => {
    const totals = new Map<string, number>();
    const encoded = new EncodedRooms(() => totals);
    const change = (room: string, count: number) => {
      if (count === 0) totals.delete(room);
      else totals.set(room, count);
      encoded.note([room]);
      encoded.encode();
      expect(encoded.toBuffer('', '').toString().match(/":/g) ?? []).toHaveLength(totals.size);
    };
    for (let room = 0; room < 700; room += 1) change(`room ${room}`, 1);
    for (let room = 0; room < 700; room += 1) change(`room ${room}`, 0);
    // Nothing is kept of names that came and went.
    expect(encoded.size).toBe(0);
  });

  test('is empty after it is cleared', () => {
    const totals = new Map([['a', 1]]);
    const encoded = new EncodedRooms(() => totals);
    encoded.note(totals.keys());
    encoded.encode();
    encoded.clear();
    expect(rooms(encoded)).toEqual(new Map());
  });
});
