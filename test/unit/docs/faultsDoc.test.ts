import { expect, test } from '@jest/globals';
import { missing, proofsOf, rowsOf, unproven } from '../../support/docProofs.js';

const page = new URL('../../../docs/internals/faults.md', import.meta.url);
const rows = rowsOf(page, '| fault | what holds | shown by |');

test('what holds under every fault is shown by a test', () => {
  expect(rows.length).toBeGreaterThan(20);
  expect(unproven(rows)).toEqual([]);
});

test('every test that is named is there, under that very name', () => {
  expect(missing(page, rows.flatMap(proofsOf))).toEqual([]);
});
