import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseSnapshot } from '../../support/parseSnapshot.js';
import { runs } from '../../support/runs.js';

const parse = (body: string) => [...parseSnapshot(Buffer.from(body))];

test('each object is a room with its connections', () => {
  expect(parse('[{"a":1},{"b":2}]')).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
  expect(parse('[]')).toEqual([]);
});

test('rooms in one object, and repeated rooms, are counted too', () => {
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

test('counts of one server cannot make those of others inexact', () => {
  // Sums beyond 2^53 would round, and taking such a server out again would not restore the rest.
  const most = Number.MAX_SAFE_INTEGER;
  const counts = parseSnapshot(Buffer.from(`[{"a":${most}},{"a":${most}},{"b":1}]`));
  expect(counts.get('b')).toBe(1);
  expect((counts.get('a') ?? 0) * 1000).toBeLessThan(most);
});

test.each(['', 'x', 'okay', 'null', '{}', '{"a":1}', '1', '"a"', '[{"a":1}', '[{"a":1}],', '<p>'])(
  'the answer %j is not a snapshot',
  (body) => {
    expect(() => parse(body)).toThrow();
  },
);

test('only rooms with a positive integer are kept of any array', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ maxDepth: 3 })), (entries) => {
      for (const [room, count] of parse(JSON.stringify(entries))) {
        expect(typeof room).toBe('string');
        expect(Number.isSafeInteger(count) && count > 0).toBe(true);
      }
    }),
  );
});

/** What a snapshot says, by JSON alone. */
function meant(body: string): [string, number][] | undefined {
  const most = 1e9;
  try {
    const entries = JSON.parse(body) as unknown[];
    if (!Array.isArray(entries)) return undefined;
    const rooms = new Map<string, number>();
    for (const entry of entries) {
      if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) continue;
      for (const [room, count] of Object.entries(entry)) {
        if (!Number.isInteger(count) || count < 1 || count > most) continue;
        rooms.set(room, Math.min(most, (rooms.get(room) ?? 0) + count));
      }
    }
    return [...rooms];
  } catch {
    return undefined;
  }
}

const read = (body: Buffer) => {
  try {
    return [...parseSnapshot(body)];
  } catch {
    return undefined;
  }
};

const name = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('__proto__', '"', '\\', '\u0007', '\u007f', 'é', '},{"x":1', '1'),
);
const count = fc.oneof(
  fc.nat().map(String),
  fc.constantFrom(
    '0',
    '00',
    '01',
    '-1',
    '1.5',
    '1e3',
    '1000000000',
    '1000000001',
    '9'.repeat(20),
    '',
  ),
);
const written = fc
  .array(fc.tuple(name, count), { maxLength: 4 })
  .map((rooms) => `[${rooms.map(([room, n]) => `{${JSON.stringify(room)}:${n}}`).join(',')}]`);

test('a snapshot is read like its JSON, however it is written and cut into pieces', () => {
  const check = (body: string, cut: number, inserted: string) => {
    const at = cut % (body.length + 1);
    for (const text of [
      body,
      body.slice(0, at),
      `${body.slice(0, at)}${inserted}${body.slice(at)}`,
    ]) {
      // As it arrives: halves of a character are not sent.
      const sent = Buffer.from(text);
      expect(read(sent)).toEqual(meant(sent.toString()));
    }
  };
  const odd = fc.oneof(fc.constantFrom(...'[]{},:"\\0 \n'), fc.string({ maxLength: 2 }));
  fc.assert(fc.property(written, fc.nat(), odd, check), runs(500));
});

test('invalid UTF-8 is read like JSON', () => {
  const check = (bytes: Uint8Array) => {
    const body = Buffer.concat([Buffer.from('[{"a'), bytes, Buffer.from('":1},{"b":2}]')]);
    expect(read(body)).toEqual(meant(body.toString()));
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 6 }), check), runs(500));
});

test('a name does not keep the answer in memory', () => {
  const body = Buffer.from(`[{"${'x'.repeat(40)}":1}]`);
  const [[room = ''] = []] = read(body) ?? [];
  body.fill('y');
  expect(room).toBe('x'.repeat(40));
});
