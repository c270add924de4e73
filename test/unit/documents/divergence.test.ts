import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as Y from 'yjs';
import {
  addClocks,
  type ClockSets,
  normalize,
  subtract,
} from '../../../server/documents/clockRanges.js';
import { readState } from '../../../server/documents/coverage.js';
import { compareCoverage } from '../../../server/documents/divergence.js';
import { runs } from '../../support/runs.js';
import { exchange, exchanges } from './randomEdits.js';
import { docOf, edited } from './support.js';

const compare = (...docs: Y.Doc[]) =>
  compareCoverage(
    new Map(docs.map((doc, i) => [`s${i}`, readState(Y.encodeStateAsUpdate(doc)).coverage])),
  );

describe('divergence', () => {
  test('is empty for servers that hold the same', () => {
    const { state } = edited((doc) => doc.getText('t').insert(0, 'abc'));
    expect(compare(docOf(state), docOf(state), docOf(state))).toEqual([]);
    expect(compare(docOf(state))).toEqual([]);
    expect(compare()).toEqual([]);
  });

  test('names the clocks that each server misses', () => {
    const { state, updates } = edited((doc) => {
      doc.getText('t').insert(0, 'abc');
      doc.getText('t').insert(3, 'de');
    }, 7);
    const behind = docOf(updates[0] ?? state);
    expect(compare(docOf(state), behind)).toEqual([
      {
        server: 's1',
        structs: [{ client: 7, from: 3, to: 5 }],
        missingStructs: 2,
        deletions: [],
        missingDeletions: 0,
        conflicts: [],
        conflictingStructs: 0,
      },
    ]);
  });

  test('finds a server that only misses a deletion, which state vectors do not show', () => {
    const { doc, state } = edited((doc) => doc.getText('t').insert(0, 'abcd'), 7);
    const behind = docOf(state);
    doc.getText('t').delete(1, 2);
    expect(Y.encodeStateVector(behind)).toEqual(Y.encodeStateVector(doc));
    expect(compare(behind, doc)).toEqual([
      {
        server: 's0',
        structs: [],
        missingStructs: 0,
        deletions: [{ client: 7, from: 1, to: 3 }],
        missingDeletions: 2,
        conflicts: [],
        conflictingStructs: 0,
      },
    ]);
  });

  test("finds two servers that miss each other's changes", () => {
    const a = edited((doc) => doc.getText('t').insert(0, 'a'), 1).doc;
    const b = edited((doc) => doc.getText('t').insert(0, 'bb'), 2).doc;
    expect(compare(a, b)).toMatchObject([
      { server: 's0', structs: [{ client: 2, from: 0, to: 2 }] },
      { server: 's1', structs: [{ client: 1, from: 0, to: 1 }] },
    ]);
  });

  test('finds the gap of a server that has a later update and waits for an earlier one', () => {
    const { state, updates } = edited((doc) => {
      for (const word of ['a', 'b', 'c']) doc.getText('t').insert(0, word);
    }, 7);
    const [first, , third] = updates;
    const waiting = docOf(first ?? state, third ?? state);
    expect(compare(docOf(state), waiting)).toMatchObject([
      { server: 's1', structs: [{ client: 7, from: 1, to: 2 }], missingStructs: 1 },
    ]);
  });

  test('lists a bounded number of ranges and counts all clocks', () => {
    const { doc, state } = edited((doc) => doc.getText('t').insert(0, 'x'.repeat(1_000)));
    const behind = docOf(state);
    for (let at = 0; at < 400; at += 1) doc.getText('t').delete(at, 1);
    const [found] = compare(doc, behind);
    expect(found?.deletions).toHaveLength(50);
    expect(found?.missingDeletions).toBe(400);
  });

  test('is found exactly when Yjs finds the documents different, after any edits and partial exchange', () => {
    fc.assert(
      fc.property(fc.array(exchanges, { maxLength: 30 }), (steps) => {
        const docs = [1, 2, 3, 4].map((clientID) => Object.assign(new Y.Doc(), { clientID }));
        for (const step of steps) exchange(docs, step);
        // What all hold together; who equals it misses nothing.
        const all = docOf(...docs.map((doc) => Y.encodeStateAsUpdate(doc)));
        const behind = docs.flatMap((doc, i) => {
          const holds = docOf(Y.encodeStateAsUpdate(doc));
          const isWhole = Y.equalSnapshots(Y.snapshot(holds), Y.snapshot(all));
          return isWhole ? [] : [`s${i}`];
        });
        expect(compare(...docs).map(({ server }) => server)).toEqual(behind);
        for (const doc of docs) Y.applyUpdate(doc, Y.encodeStateAsUpdate(all));
        // Formatting that the exchange itself cleaned up is passed on too.
        const tidied = docs.map((doc) => Y.encodeStateAsUpdate(doc));
        for (const doc of docs) for (const state of tidied) Y.applyUpdate(doc, state);
        const settled = docs.map((doc) => Y.encodeStateAsUpdate(doc));
        for (const doc of docs) for (const state of settled) Y.applyUpdate(doc, state);
        expect(compare(...docs)).toEqual([]);
      }),
      runs(50),
    );
  });
});

describe('sets of clocks', () => {
  const clocksOf = (flat: readonly number[]): Set<number> => {
    const clocks = new Set<number>();
    for (let i = 0; i < flat.length; i += 2) {
      for (let clock = flat[i] ?? 0; clock < (flat[i + 1] ?? 0); clock += 1) clocks.add(clock);
    }
    return clocks;
  };
  const ranges = fc
    .array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 6 })), { maxLength: 12 })
    .map((pairs) => pairs.flatMap(([from, length]) => [from, from + length]));

  test('are normalized and subtracted like sets', () => {
    fc.assert(
      fc.property(ranges, ranges, (a, b) => {
        const [one, other] = [normalize(a), normalize(b)];
        expect(clocksOf(one)).toEqual(clocksOf(a));
        expect(one.slice(1).every((edge, i) => edge > (one[i] ?? 0))).toBe(true);
        const left = [...clocksOf(a)].filter((clock) => !clocksOf(b).has(clock));
        expect(clocksOf(subtract(one, other))).toEqual(new Set(left));
      }),
    );
  });

  test('join ranges that touch', () => {
    const sets: ClockSets = new Map();
    addClocks(sets, 1, 0, 2);
    addClocks(sets, 1, 2, 3);
    addClocks(sets, 1, 5, 6);
    expect(sets).toEqual(new Map([[1, [0, 3, 5, 6]]]));
  });
});
