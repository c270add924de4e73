import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as Y from 'yjs';
import { readState } from '../../../server/documents/coverage.js';
import { LiveDocument } from '../../../server/documents/liveDocument.js';
import { runs } from '../../support/runs.js';
import { exchange, exchanges } from './randomEdits.js';
import { docOf, edited } from './support.js';

const limits = {
  maxRoomBytes: 1e7,
  maxTotalBytes: 1e7,
  maxPendingBytes: 1e6,
  maxJsonBytes: 1e6,
  maxJsonDepth: 100,
};
const given = (state: Uint8Array) => new Uint8Array(state);

const conflictsWith = (doc: Y.Doc, state: Uint8Array) =>
  readState(state, doc).coverage.conflicts ?? new Map();

// The conflicts of two edits under one client id, of which the document has one.
const conflicts = (one: (doc: Y.Doc) => void, other: (doc: Y.Doc) => void) =>
  conflictsWith(docOf(edited(one, 7).state), edited(other, 7).state);

describe('elements under the same client and clock', () => {
  test.each<[string, (doc: Y.Doc) => void, (doc: Y.Doc) => void, number[]]>([
    [
      'of another text',
      (doc) => doc.getText('t').insert(0, 'abcdef'),
      (doc) => doc.getText('t').insert(0, 'abXdef'),
      [0, 6],
    ],
    [
      'of which one is longer',
      (doc) => doc.getText('t').insert(0, 'abc'),
      (doc) => doc.getText('t').insert(0, 'hello'),
      [0, 3],
    ],
    [
      'in another root type',
      (doc) => doc.getText('t').insert(0, 'a'),
      (doc) => doc.getText('u').insert(0, 'a'),
      [0, 1],
    ],
    [
      'at another place',
      (doc) => {
        doc.getText('t').insert(0, 'a');
        doc.getText('t').insert(1, 'b');
      },
      (doc) => {
        doc.getText('t').insert(0, 'a');
        doc.getText('t').insert(0, 'b');
      },
      [1, 2],
    ],
    [
      'of another value',
      (doc) => doc.getMap('m').set('k', { a: [1, { b: 2 }] }),
      (doc) => doc.getMap('m').set('k', { a: [1, { b: 3 }] }),
      [0, 1],
    ],
    [
      'of another key',
      (doc) => doc.getMap('m').set('k', 1),
      (doc) => doc.getMap('m').set('l', 1),
      [0, 1],
    ],
    [
      'of another kind',
      (doc) => doc.getMap('m').set('k', new Y.Map()),
      (doc) => doc.getMap('m').set('k', new Y.Text()),
      [0, 1],
    ],
    [
      'of other bytes',
      (doc) => doc.getMap('m').set('k', Uint8Array.of(1)),
      (doc) => doc.getMap('m').set('k', Uint8Array.of(2)),
      [0, 1],
    ],
    [
      'of another sub-document',
      (doc) => doc.getMap('m').set('k', new Y.Doc({ guid: 'a' })),
      (doc) => doc.getMap('m').set('k', new Y.Doc({ guid: 'b' })),
      [0, 1],
    ],
    [
      'of another element name',
      (doc) => doc.getXmlFragment('x').insert(0, [new Y.XmlElement('p')]),
      (doc) => doc.getXmlFragment('x').insert(0, [new Y.XmlElement('q')]),
      [0, 1],
    ],
    [
      'of another embed',
      (doc) => doc.getText('t').insertEmbed(0, { image: 'a' }),
      (doc) => doc.getText('t').insertEmbed(0, { image: 'b' }),
      [0, 1],
    ],
  ])('%s conflict', (_what, one, other, [from, to]) => {
    expect(conflicts(one, other)).toEqual(new Map([[7, [from, to]]]));
    expect(conflicts(other, one)).toEqual(new Map([[7, [from, to]]]));
    expect(conflicts(one, one)).toEqual(new Map());
  });

  test('that are deleted in the document do not conflict', () => {
    const { doc } = edited((doc) => doc.getText('t').insert(0, 'abc'), 7);
    doc.getText('t').delete(0, 3);
    const other = edited((other) => other.getText('t').insert(0, 'xyz'), 7).state;
    expect(conflictsWith(doc, other)).toEqual(new Map());
  });

  test('with another order of keys do not conflict', () => {
    const value = (order: string[]) => Object.fromEntries(order.map((key) => [key, key]));
    const write = (order: string[]) => (doc: Y.Doc) => {
      doc.getMap('m').set('k', value(order));
      doc.getText('t').insertEmbed(0, value(order));
    };
    expect(conflicts(write(['a', 'b']), write(['b', 'a']))).toEqual(new Map());
  });

  test('of a surrogate pair that was split do not conflict', () => {
    const { state } = edited((doc) => doc.getText('t').insert(0, 'a😀b'), 7);
    const split = docOf(state);
    // Another client writes between the halves; Yjs replaces both.
    const between = edited((doc) => {
      Y.applyUpdate(doc, state);
      doc.getText('t').insert(2, 'x');
    }, 8).state;
    Y.applyUpdate(split, between);
    expect(split.getText('t').toString()).not.toContain('😀');
    expect(conflictsWith(split, state)).toEqual(new Map());
    expect(conflictsWith(docOf(state), Y.encodeStateAsUpdate(split))).toEqual(new Map());
  });

  test('are reported for each server until they are deleted', () => {
    const document = new LiveDocument(limits, () => 1e7);
    const [one, other] = ['abc', 'xyz'].map((text) =>
      edited((doc) => doc.getText('t').insert(0, text), 7),
    );
    if (!one || !other) throw new Error('there are two');
    document.merge(given(one.state), 'a');
    document.merge(given(other.state), 'b');
    expect(document.divergence()).toEqual([
      {
        server: 'b',
        structs: [],
        missingStructs: 0,
        deletions: [],
        missingDeletions: 0,
        conflicts: [{ client: 7, from: 0, to: 3 }],
        conflictingStructs: 3,
      },
    ]);
    // Alone it still differs from what is shown.
    expect(document.divergence(['b'])).toMatchObject([{ server: 'b', conflictingStructs: 3 }]);
    for (const { doc } of [one, other]) doc.getText('t').delete(0, 3);
    document.merge(given(Y.encodeStateAsUpdate(one.doc)), 'a');
    document.merge(given(Y.encodeStateAsUpdate(other.doc)), 'b');
    expect(document.divergence()).toEqual([]);
  });

  test('never conflict if every client has its own id, whoever collects deleted elements', () => {
    const steps = fc.array(exchanges, { maxLength: 40 });
    const property = fc.property(steps, fc.nat(3), (steps, first) => {
      // Two of the servers keep deleted content.
      const docs = [1, 2, 3, 4].map((clientID) =>
        Object.assign(new Y.Doc({ gc: clientID % 2 === 0 }), { clientID }),
      );
      const document = new LiveDocument(limits, () => 1e7);
      for (const step of steps) {
        const updates = exchange(docs, step);
        if (step.receivers % 3 === 0) document.apply(updates);
      }
      for (let i = 0; i < 8; i += 1) {
        const doc = docs[(first + i) % 4] ?? new Y.Doc();
        document.merge(given(Y.encodeStateAsUpdate(doc)), `s${(first + i) % 4}`);
      }
      for (const each of document.divergence()) expect(each.conflicts).toEqual([]);
    });
    fc.assert(property, runs(70));
  });
});
