import { describe, expect, test } from '@jest/globals';
import * as Y from 'yjs';
import { formattingIn } from '../../../server/documents/formatChanges.js';
import { examineUpdate, summarizeUpdate } from '../../../server/documents/updateSummary.js';
import { edited } from './support.js';

/** What the last of some edits does, read as the service reads it: in the transaction that applies it. */
function lastOf(edit: (text: Y.Text) => void) {
  const { updates } = edited((doc) => edit(doc.getText('t')));
  const doc = new Y.Doc();
  const update = updates.pop() ?? new Uint8Array();
  for (const before of updates) Y.applyUpdate(doc, before);
  const examined = examineUpdate(update);
  return doc.transact(() => {
    Y.applyUpdate(doc, update);
    const { formats, inserted, deleted } = summarizeUpdate(
      examined,
      new Set(),
      formattingIn(doc, examined),
    );
    return { formats: formats.map(({ name, change }) => `${name} ${change}`), inserted, deleted };
  });
}

const bold = (text: Y.Text) => {
  text.insert(0, 'abcdef');
  text.format(0, 4, { bold: true });
};

describe('the formatting of an update', () => {
  test('is set', () => {
    expect(lastOf(bold)).toEqual({ formats: ['bold set'], inserted: 0, deleted: 0 });
  });

  test('is removed, which deletes no content', () => {
    const edit = (text: Y.Text) => {
      bold(text);
      text.format(0, 4, { bold: null });
    };
    expect(lastOf(edit)).toEqual({ formats: ['bold removed'], inserted: 0, deleted: 0 });
  });

  test('is moved when a part of it is removed', () => {
    const edit = (text: Y.Text) => {
      bold(text);
      text.format(0, 2, { bold: null });
    };
    expect(lastOf(edit)).toMatchObject({ inserted: 0, deleted: 0 });
    expect(lastOf(edit).formats).toHaveLength(1);
  });

  test('is listed beside inserted and deleted content', () => {
    const edit = (text: Y.Text) => {
      bold(text);
      text.doc?.transact(() => {
        text.delete(0, 1);
        text.insert(5, 'xy', { em: true, link: 'https://example.com' });
      });
    };
    const { formats, inserted, deleted } = lastOf(edit);
    expect(formats).toEqual(expect.arrayContaining(['em set', 'link set']));
    expect({ inserted, deleted }).toEqual({ inserted: 2, deleted: 1 });
  });

  test('is nothing for other types', () => {
    const { doc, updates } = edited((doc) => doc.getMap('m').set('bold', true));
    const examined = examineUpdate(updates.at(-1) ?? new Uint8Array());
    expect(formattingIn(doc, examined)).toEqual({ formats: [], deletedMarks: 0 });
  });
});
