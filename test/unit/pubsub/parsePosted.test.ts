import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { InvalidPost, parsePosted } from '../../../server/pubsub/parsePosted.js';
import { runs } from '../../support/runs.js';

/** Whether a body is taken, by what docs/protocol.md says of a delta. */
const isDelta = (entry: unknown): boolean => {
  const { room, add } = (entry ?? {}) as { room?: unknown; add?: unknown };
  const isName = typeof room === 'string' && room.length <= 16_384;
  return isName && Number.isInteger(add) && add !== 0 && Math.abs(add as number) <= 1000;
};

const taken = (body: string) => {
  try {
    return parsePosted(body);
  } catch (error) {
    if (error instanceof InvalidPost) return undefined;
    throw error;
  }
};

const entry = fc.oneof(
  { weight: 3, arbitrary: fc.record({ room: fc.string(), add: fc.constantFrom(1, -1, 1000) }) },
  fc.record({
    room: fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.constant('x'.repeat(16_385))),
    add: fc.oneof(fc.integer(), fc.double(), fc.constantFrom('1', null, 0, -1000, 1001, 0.5)),
  }),
  fc.jsonValue().filter((value) => !JSON.stringify(value)?.includes('update')),
);

test('a body is accepted only if every entry is a delta, by both checks', () => {
  const check = (entries: unknown[]) => {
    const body = JSON.stringify(entries);
    const read = JSON.parse(body) as unknown[];
    const wanted = read.every(isDelta) ? { deltas: read, updates: [] } : undefined;
    expect(taken(body)).toEqual(wanted);
  };
  fc.assert(fc.property(fc.array(entry, { maxLength: 5 }), check), runs(200));
});

test.each([
  [true, { room: 'a', add: 1 }],
  [true, { room: '', add: 1000 }],
  [true, { room: 'a', add: -1000 }],
  [false, { room: 'a', add: 0 }],
  [false, { room: 'a', add: 1001 }],
  [false, { room: 'a', add: -1001 }],
  [false, { room: 'a', add: 0.5 }],
  [false, { room: 'a', add: '1' }],
  [false, { room: 1, add: 1 }],
  [false, { add: 1 }],
  [false, null],
  [false, 'text'],
])('it is %s that %j is a delta, alone and beside an update', (isTaken, entry) => {
  const update = { room: 'b', update: 'AAA=' };
  expect(taken(JSON.stringify(entry))?.deltas).toEqual(isTaken ? [entry] : undefined);
  expect(taken(JSON.stringify([entry, update]))?.deltas).toEqual(isTaken ? [entry] : undefined);
});

test('an error tells what is wrong with which entry', () => {
  const good = { room: 'a', add: 1 };
  const wrong = new InvalidPost('invalid_delta', '1.add: must not be 0');
  const read = () => parsePosted(JSON.stringify([good, { room: 'a', add: 0 }]));
  expect(read).toThrow(wrong);
  expect(() => parsePosted('{')).toThrow(
    expect.objectContaining({ name: 'InvalidPost', code: 'invalid_json', message: '' }),
  );
  expect(read).toThrow(expect.objectContaining({ code: 'invalid_delta' }));
});

test('deltas beside updates are read the same way', () => {
  const entries = [
    { room: 'a', add: 1 },
    { room: 'b', update: 'AAA=' },
    { room: '__proto__', add: -1000 },
  ];
  expect(parsePosted(JSON.stringify(entries))).toEqual({
    deltas: [entries[0], entries[2]],
    updates: [entries[1]],
  });
});

test.each([16_384, 16_385])('a name of %d characters is accepted only if it fits', (length) => {
  const body = JSON.stringify({ room: 'x'.repeat(length), add: 1 });
  expect(taken(body)?.deltas.length ?? 'refused').toBe(length === 16_384 ? 1 : 'refused');
});
