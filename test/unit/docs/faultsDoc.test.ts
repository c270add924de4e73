import { expect, test } from '@jest/globals';
import { missing, proofsIn, rowsOf } from '../../support/docProofs.js';

const page = new URL('../../../docs/internals/faults.md', import.meta.url);
const rows = rowsOf(page, '| fault | what holds | shown by |');

test('what holds under every fault is shown by a test', () => {
  expect(rows.length).toBeGreaterThan(20);
  const unproven = rows.filter(
    ([fault, holds, shownBy = '']) => !fault || !holds || proofsIn(shownBy).length === 0,
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
