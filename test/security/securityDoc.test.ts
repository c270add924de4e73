import { expect, test } from '@jest/globals';
import { missing, proofsIn, rowsOf } from '../support/docProofs.js';

const page = new URL('../../docs/security.md', import.meta.url);

/** The rows of the tables of attacks. */
const rows = rowsOf(page, '| attack | what stops it | shown by |');

test('every attack is shown to be stopped by a test, or by reading', () => {
  expect(rows.length).toBeGreaterThan(30);
  const unproven = rows.filter(
    ([attack, stop, shownBy = '']) =>
      !attack || !stop || (proofsIn(shownBy).length === 0 && !shownBy.startsWith('by reading: `')),
  );
  expect(unproven).toEqual([]);
});

test('every test that is named is there, under that very name', () => {
  expect(
    missing(
      page,
      rows.flatMap(([, , shownBy = '']) => proofsIn(shownBy)),
    ),
  ).toEqual([]);
});
