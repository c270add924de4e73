import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { plainData } from '../../../server/inspection/plainData.js';
import { runs } from '../../support/runs.js';

test('a value that JSON cannot hold is described', () => {
  expect(
    plainData({
      bytes: new Uint8Array(3),
      buffer: new ArrayBuffer(2),
      map: new Map([['a', 1]]),
      set: new Set([1, 2]),
      error: new TypeError('wrong'),
      run: function run() {},
      number: Number.NaN,
      big: 1n,
      nothing: null,
      missing: undefined,
      when: new Date(0),
      held: { toJSON: () => ({ rooms: 2 }) },
    }),
  ).toEqual({
    bytes: { bytes: 3 },
    buffer: { bytes: 2 },
    map: { size: 1 },
    set: { size: 2 },
    error: { name: 'TypeError', message: 'wrong' },
    run: { type: 'run' },
    number: 'NaN',
    big: '1',
    nothing: null,
    when: '1970-01-01T00:00:00.000Z',
    held: { rooms: 2 },
  });
});

test('tokens are masked in texts, keys and messages', () => {
  const url = 'http://10.0.0.1:8000/api/events?token=abc.def-_x&a=1';
  const plain = JSON.stringify(plainData({ url, [url]: [url], error: new Error(`at ${url}`) }));
  expect(plain).not.toContain('abc');
  expect(plain.match(/token=\*\*\*&a=1/g)).toHaveLength(4);
});

test('a token is masked even where the text is truncated', () => {
  for (let length = 470; length < 510; length += 1)
    expect(plainData(`${'x'.repeat(length)}?token=secret`)).not.toMatch(/token=s/);
});

test('long, wide and deep values are truncated and marked', () => {
  expect(plainData('x'.repeat(1000))).toBe(`${'x'.repeat(500)}…`);
  expect(plainData(Array.from({ length: 60 }, () => 1))).toHaveLength(51);
  const wide = plainData(Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, i])));
  expect(Object.entries(wide as object).slice(-1)).toEqual([['…', 'and 10 more']]);
  const ring: { inner?: object } = {};
  ring.inner = ring;
  expect(JSON.stringify(plainData(ring)).match(/inner/g)).toHaveLength(6);
});

test('small JSON stays the same', () => {
  const small = fc.jsonValue({ maxDepth: 3, noUnicodeString: true } as never);
  fc.assert(
    fc.property(small, (value) => {
      fc.pre(JSON.stringify(value).length < 400 && !JSON.stringify(value).includes('-0'));
      expect(JSON.stringify(plainData(value))).toBe(JSON.stringify(value));
    }),
    runs(80),
  );
});
