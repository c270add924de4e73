import { describe, expect, test } from '@jest/globals';
import * as Y from 'yjs';
import {
  examineUpdate,
  rootsReached,
  summarizeUpdate,
} from '../../../server/documents/updateSummary.js';
import { docOf, edited } from './support.js';

const summaryIn = (doc: Y.Doc, update: Uint8Array) => {
  const examined = examineUpdate(update);
  return summarizeUpdate(examined, rootsReached(doc, examined));
};
const last = (updates: Uint8Array[]): Uint8Array => updates.at(-1) ?? new Uint8Array();

describe('the summary of an update', () => {
  test('contains bytes, clients and clocks, insertions, deletions and the changed root types', () => {
    const { doc, updates } = edited((doc) => {
      doc.getText('notes').insert(0, 'hello');
      doc.transact(() => {
        doc.getText('notes').insert(5, '😀!');
        doc.getText('notes').delete(0, 2);
        doc.getArray('list').push([1, 2]);
      });
    });
    const update = last(updates);
    expect(summaryIn(doc, update)).toEqual({
      bytes: update.length,
      clients: [{ client: 1, from: 5, to: 10 }],
      inserted: 5,
      deleted: 2,
      formats: [],
      types: ['list', 'notes'],
      more: 0,
      isExamined: true,
    });
  });

  test('finds the root type of nested elements with the document', () => {
    const { doc, updates } = edited((doc) => {
      const inner = new Y.Text('a');
      const outer = new Y.Array();
      outer.push([inner]);
      doc.getMap('map').set('outer', outer);
      inner.insert(1, 'b');
    });
    expect(summaryIn(doc, last(updates)).types).toEqual(['map']);
    expect(summaryIn(new Y.Doc(), last(updates)).types).toEqual([]);
  });

  test('finds the root type of deleted elements, even if the deletion was known', () => {
    const { state, updates } = edited((doc) => {
      doc.getArray('list').push([new Y.Map(), 1]);
      doc.getArray('list').delete(0, 1);
    });
    const doc = docOf(state);
    expect(summaryIn(doc, last(updates))).toMatchObject({
      clients: [],
      inserted: 0,
      deleted: 1,
      types: ['list'],
    });
  });

  test('does not count formatting as an insertion', () => {
    const { doc, updates } = edited((doc) => {
      doc.getText('t').insert(0, 'abc');
      doc.getText('t').format(0, 2, { bold: true });
    });
    expect(summaryIn(doc, last(updates))).toMatchObject({ inserted: 0, deleted: 0, types: ['t'] });
  });

  test('has a bounded size', () => {
    const doc = new Y.Doc();
    for (let client = 1; client <= 500; client += 1) {
      const name = client === 1 ? 'a'.repeat(10_000) : `type${client}`;
      Y.applyUpdate(doc, edited((other) => other.getMap(name).set('k', client), client).state);
    }
    const summary = summaryIn(doc, Y.encodeStateAsUpdate(doc));
    expect(summary.clients).toHaveLength(50);
    expect(summary.types).toHaveLength(50);
    expect(summary.more).toBe(900);
    expect(JSON.stringify(summary).length).toBeLessThan(5_000);
  });
});
