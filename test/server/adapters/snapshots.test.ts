import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseSnapshot } from '../../../server/adapters/snapshots.js';

const parse = (body: string) => [...parseSnapshot(body)];

test('each object is a room with its connections', () => {
  expect(parse('[{"a":1},{"b":2}]')).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
  expect(parse('[]')).toEqual([]);
});

test('rooms in one object, and rooms that repeat, are counted too', () => {
  expect(parse('[{"a":1,"b":2},{"a":3},{"a":4}]')).toEqual([
    ['a', 8],
    ['b', 2],
  ]);
});

test('rooms are keyed by their raw names', () => {
  const names = [
    '__proto__',
    'constructor',
    'toString',
    '',
    'a%20b',
    'a/b',
    '😀',
    'x'.repeat(5000),
  ];
  const body = `[${names.map((name) => `{${JSON.stringify(name)}:1}`).join(',')}]`;
  expect(parse(body)).toEqual(names.map((name) => [name, 1]));
});

test.each([
  '{}',
  '{"x":0}',
  '{"x":-1}',
  '{"x":1.5}',
  '{"x":1e999}',
  '{"x":9007199254740993}',
  '{"x":"1"}',
  '{"x":null}',
  '{"x":true}',
  '{"x":[1]}',
  '{"x":{"y":1}}',
  'null',
  '1',
  '"text"',
  'true',
  '[]',
  '[1]',
  '[{"x":1}]',
])('an entry %s is passed over, and loses none of the rest', (entry) => {
  expect(parse(`[{"a":1},${entry},{"b":2}]`)).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
});

test('numbers of one server cannot make those of others inexact', () => {
  // Sums beyond 2^53 would round, and taking such a server out again would not restore the rest.
  const most = Number.MAX_SAFE_INTEGER;
  const counts = parseSnapshot(`[{"a":${most}},{"a":${most}},{"b":1}]`);
  expect(counts.get('b')).toBe(1);
  expect((counts.get('a') ?? 0) * 1000).toBeLessThan(most);
});

test.each(['', 'x', 'okay', 'null', '{}', '{"a":1}', '1', '"a"', '[{"a":1}', '[{"a":1}],', '<p>'])(
  'an answer %j is no snapshot',
  (body) => {
    expect(() => parseSnapshot(body)).toThrow();
  },
);

test('of any array only rooms with a positive whole number are left', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ maxDepth: 3 })), (entries) => {
      for (const [room, count] of parse(JSON.stringify(entries))) {
        expect(typeof room).toBe('string');
        expect(Number.isSafeInteger(count) && count > 0).toBe(true);
      }
    }),
  );
});
