import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { documentJson } from '../../../server/documents/documentJson.js';
import { LiveDocument } from '../../../server/documents/liveDocument.js';
import { emptyDocument } from '../../../server/documents/scratchDocument.js';
import { play, sessions } from './randomEdits.js';
import { docOf, edited } from './support.js';

const limits = {
  maxRoomBytes: 1e7,
  maxTotalBytes: 1e7,
  maxPendingBytes: 1e6,
  maxJsonBytes: 1e6,
  maxJsonDepth: 2000,
};
const newDocument = () => new LiveDocument(limits, () => 1e7);
const given = (state: Uint8Array) => new Uint8Array(state);

interface ShownType {
  type: string;
  value?: unknown;
}
// Without empty root types: some exist only because Yjs was asked for them, others because of elements of no
// length, which are left out here.
const isEmpty = ({ type, value }: ShownType) =>
  type === 'unknown' || value === '' || (Array.isArray(value) && value.length === 0);
const shown = (json: Uint8Array): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(JSON.parse(Buffer.from(json).toString()) as Record<string, ShownType>).filter(
      ([, root]) => !isEmpty(root),
    ),
  );
const shownBy = (document: LiveDocument) => shown(document.toJson({}).json);
const shownByYjs = (doc: Y.Doc) =>
  shown(documentJson(doc, { maxBytes: limits.maxJsonBytes, maxDepth: limits.maxJsonDepth }).json);

// What Yjs makes of updates; undefined: it refuses one of them, or cannot write the document again.
const madeByYjs = (updates: readonly Uint8Array[]): Y.Doc | undefined => {
  const doc = emptyDocument();
  try {
    for (const update of updates) Y.applyUpdate(doc, update);
    Y.encodeStateAsUpdate(doc);
    return doc;
  } catch {
    return undefined;
  }
};

/**
 * Whether the last update has other structs where some are known already, as when two clients share an id.
 * Yjs passes over those, but splits what they refer to, and breaks where one is known in part; what is known
 * is cut off here before that.
 */
const isRewriting = (updates: readonly Uint8Array[]): boolean => {
  const doc = emptyDocument();
  for (const update of updates.slice(0, -1)) Y.applyUpdate(doc, update);
  const last = updates.at(-1);
  if (!last) return false;
  const known = Y.decodeStateVector(Y.encodeStateVector(doc));
  try {
    return Y.decodeUpdate(last).structs.some(({ id }) => id.clock < (known.get(id.client) ?? 0));
  } catch {
    // Yjs applies a gap with further bits in its head, but does not decode it: nothing tells what is known.
    return true;
  }
};

const nested = (depth: number) => {
  let value: unknown = 'deep';
  for (let i = 0; i < depth; i += 1) value = [value];
  return edited((doc) => doc.getArray('list').push([value])).state;
};

// A text with an empty string between its words, as old versions of Yjs wrote it.
const withEmptyString = (isLast = false): Uint8Array => {
  const encoder = encoding.createEncoder();
  for (const number of [1, isLast ? 2 : 3, 7, 0]) encoding.writeVarUint(encoder, number);
  encoding.writeUint8(encoder, 4);
  encoding.writeVarUint(encoder, 1);
  encoding.writeVarString(encoder, 'text');
  encoding.writeVarString(encoder, 'hello ');
  for (const word of isLast ? [''] : ['', 'world']) {
    encoding.writeUint8(encoder, 4 | 128);
    for (const number of [7, 5]) encoding.writeVarUint(encoder, number);
    encoding.writeVarString(encoder, word);
  }
  encoding.writeVarUint(encoder, 0);
  return encoding.toUint8Array(encoder);
};

const hello = edited((doc) => doc.getText('text').insert(0, 'hello')).state;

describe('what Yjs applies is shown:', () => {
  test.each([
    ['a string of no length', withEmptyString(), true],
    ['a string of no length at the end', withEmptyString(true), true],
    ['a deletion of no length', Uint8Array.from([...hello.slice(0, -1), 1, 1, 1, 0, 0]), true],
    ['bytes behind the end', Uint8Array.from([...hello, 1, 2, 3]), true],
    ['a value nested deeper than this service reads', nested(800), false],
    [
      'a gap with bits that mean nothing',
      Uint8Array.from([2, ...hello.slice(1, -1), 1, 9, 0, 138, 4, 0]),
      false,
    ],
  ])('%s', (_what, update, isExamined) => {
    const expected = shownByYjs(docOf(update));
    expect(Object.keys(expected)).toHaveLength(1);
    const [byUpdate, byState, another] = [newDocument(), newDocument(), newDocument()];
    expect(byUpdate.apply([update])).toMatchObject([{ applied: { isApplied: true, isExamined } }]);
    byState.merge(given(update), 'a');
    // Where there is something already.
    another.merge(given(edited((doc) => doc.getMap('map').set('k', 1), 99).state), 'a');
    another.merge(given(update), 'b');
    expect(shownBy(byUpdate)).toEqual(expected);
    expect(shownBy(byState)).toEqual(expected);
    expect(shownBy(another)).toMatchObject(expected);
    // It comes again and again, and nothing grows.
    const bytes = byUpdate.encode().byteLength;
    for (let i = 0; i < 100; i += 1) byUpdate.apply([update]);
    expect(byUpdate.encode().byteLength).toBe(bytes);
    expect(byUpdate.takeLoss()).toBe(false);
  });

  // The same in every run. Chance finds a difference once in hundreds of runs: `npm run fuzz` looks for those.
  const sameRuns = { numRuns: 400, seed: 1 };
  const someEdits = sessions({ minLength: 1, maxLength: 25 });
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });

  test('real updates with some bytes changed', () => {
    let compared = 0;
    const property = fc.property(someEdits, flips, (session, changes) => {
      const updates = play(session).updates.map(given);
      const last = updates.at(-1);
      if (last === undefined) return;
      for (const [where, kind, byte] of changes)
        last[where % last.length] = kind % 3 ? byte % 12 : byte;
      const made = madeByYjs(updates);
      if (made === undefined || isRewriting(updates)) return;
      compared += 1;
      const document = newDocument();
      for (const update of updates) document.apply([update]);
      expect(shownBy(document)).toEqual(shownByYjs(made));
    });
    fc.assert(property, sameRuns);
    expect(compared).toBeGreaterThan(40);
  });

  test('real states with some bytes changed', () => {
    let compared = 0;
    const property = fc.property(someEdits, flips, (session, changes) => {
      const state = given(Y.mergeUpdates(play(session).updates));
      for (const [where, kind, byte] of changes)
        state[where % state.length] = kind % 3 ? byte % 12 : byte;
      const made = madeByYjs([state]);
      if (made === undefined) return;
      compared += 1;
      const document = newDocument();
      try {
        document.merge(given(state), 'a');
      } catch {
        // A refused update must be empty for Yjs too.
      }
      expect(shownBy(document)).toEqual(shownByYjs(made));
    });
    fc.assert(property, sameRuns);
    expect(compared).toBeGreaterThan(40);
  });
});
