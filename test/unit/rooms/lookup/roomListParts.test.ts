import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { namesOf } from '../../../../server/http/routes/roomNames.js';
import { firstOf } from '../../../../server/rooms/lookup/firstOf.js';
import { readCursor, writeCursor } from '../../../../server/rooms/lookup/roomListCursor.js';

const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((c) => String.fromCharCode(c)),
});

test('the first items are the same as after sorting all', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.integer({ min: 1, max: 20 }), (items, count) => {
      const sorted = items.toSorted((a, b) => a - b).slice(0, count);
      expect(firstOf(items, count, (a, b) => a - b)).toEqual(sorted);
    }),
  );
});

describe('a cursor', () => {
  test('is parsed as it was written, in a list with its order, even with half a surrogate pair', () => {
    fc.assert(
      fc.property(anyText, fc.nat(), (text, connections) => {
        const stored = { phase: 'stored', after: text } as const;
        const live = { phase: 'live', after: text } as const;
        const busiest = { phase: 'busiest', after: { connections, key: text } } as const;
        for (const cursor of [stored, live]) {
          expect(readCursor(writeCursor(cursor), 'name')).toEqual(cursor);
          expect(() => readCursor(writeCursor(cursor), 'connections')).toThrow('"cursor"');
        }
        expect(readCursor(writeCursor(busiest), 'connections')).toEqual(busiest);
        expect(() => readCursor(writeCursor(busiest), 'name')).toThrow('"cursor"');
      }),
    );
  });

  test('is refused after any change', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^(stored|live)(\.|$)/.test(text));
        expect(() => readCursor(text, 'name')).toThrow('"cursor"');
      }),
    );
    for (const text of ['live.A', 'live.AAA=', 'live.AAAB', 'stored.YQB', 'live.YQA.']) {
      expect(() => readCursor(text, 'name')).toThrow('"cursor"');
    }
  });
});

test('a name in a path means itself first, and then its decoded form', () => {
  const decoded: [string, string[]][] = [
    ['a/b', ['a/b']],
    ['a%2Fb', ['a%2Fb', 'a/b']],
    ['100%', ['100%']],
    ['%F0%9F%98%80', ['%F0%9F%98%80', '😀']],
    ['%FF', ['%FF']],
    ['a+b', ['a+b']],
    ['', ['']],
  ];
  for (const [raw, names] of decoded) expect(namesOf(raw)).toEqual(names);
});
