import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SnapshotReader } from '../../../server/pubsub/snapshotReader.js';

const unlimited = { maxRooms: Infinity, maxNamesLength: Infinity };

const many = (text: string, times: number) => `[${Array(times).fill(text).join(',')}]`;

/** Reads a text in pieces as small as there can be. */
function readInPieces(text: string, limits = unlimited) {
  const reader = new SnapshotReader(Buffer.from(text), limits);
  let pieces = 0;
  for (;;) {
    const connections = reader.readUntil(Number.NEGATIVE_INFINITY);
    if (connections) return { connections, pieces };
    pieces += 1;
  }
}

test('a snapshot that is read in pieces is the same', () => {
  const rooms = Array.from({ length: 1000 }, (_, i) => [`room ${i}`, 1 + (i % 7)] as const);
  const text = `[${rooms.map(([room, count]) => `{${JSON.stringify(room)}:${count}}`).join(',')}]`;
  const { connections, pieces } = readInPieces(text);
  expect([...connections]).toEqual(rooms);
  expect(pieces).toBeGreaterThan(10);
});

test('a snapshot is read at once if there is time', () => {
  const reader = new SnapshotReader(Buffer.from(many('{"a":1}', 1000)), unlimited);
  expect(reader.readUntil(Infinity)).toEqual(new Map([['a', 1000]]));
});

test.each([
  ['[{"a":1}] x', 'there is more behind the array'],
  ['{"a":1}', 'not a JSON array'],
  ['[{"a":1}', 'it is cut off'],
  ['["abc', 'it is cut off'],
  ['[{"a":[1', 'it is cut off'],
  ['[{"a" 1}]', 'not JSON at byte 6'],
  ['[&]', 'not JSON at byte 1'],
])('the error for %s is: %s', (text, message) => {
  expect(() => readInPieces(text)).toThrow(new Error(message));
});

test('white space, escapes and many rooms in one object are read like JSON', () => {
  fc.assert(
    fc.property(
      fc.array(fc.dictionary(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 99 }))),
      (entries) => {
        const expected = new Map<string, number>();
        for (const entry of entries)
          for (const [room, count] of Object.entries(entry))
            expected.set(room, (expected.get(room) ?? 0) + count);
        const { connections } = readInPieces(JSON.stringify(entries, undefined, ' \t'));
        expect(Object.fromEntries(connections)).toEqual(Object.fromEntries(expected));
      },
    ),
  );
});

test.each([
  ['arrays in arrays', '['.repeat(1_000_000), 'a value is too large'],
  ['objects in objects', `[${'{"a":'.repeat(1_000_000)}`, 'a value is too large'],
  ['a nested value', `[{"a":[${'0,'.repeat(100_000)}0]}]`, 'a value is too large'],
  ['a name', `[{"${'x'.repeat(100_000)}":1}]`, 'a name is too long'],
  ['an escaped name', `[{"\\n${'x'.repeat(100_000)}":1}]`, 'a value is too large'],
  ['a text', `["${'x'.repeat(100_000)}"]`, 'a value is too large'],
  ['a number', `[{"a":${'9'.repeat(100_000)}}]`, 'a value is too large'],
  ['white space', `[${' '.repeat(100_000)}]`, 'a value is too large'],
  ['entries that are none', many('null', 20_000), 'too much of it is no room'],
  ['counts that are none', many('{"a":"1"}', 20_000), 'too much of it is no room'],
])('%s without an end are no snapshot', (_, text, message) => {
  expect(() => readInPieces(text)).toThrow(message);
});

test('beyond the limit one more room is kept, to show that it is exceeded', () => {
  const text = many('{"a":1}', 10);
  expect(readInPieces(text, { ...unlimited, maxRooms: 0 }).connections.get('a')).toBe(10);
  const rooms = `[${Array.from({ length: 50 }, (_, i) => `{"r${i}":1}`).join(',')},{"r0":1}]`;
  const cut = readInPieces(rooms, { ...unlimited, maxRooms: 5 }).connections;
  expect([...cut]).toEqual([['r0', 2], ...[1, 2, 3, 4, 5].map((i) => [`r${i}`, 1])]);
  const names = readInPieces(rooms, { ...unlimited, maxNamesLength: 4 }).connections;
  expect([...names.keys()]).toEqual(['r0', 'r1', 'r2']);
});
