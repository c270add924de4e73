import { describe, expect, test } from '@jest/globals';
import { missing, proofsOf, rowsOf, testsIn, unproven } from '../../support/docProofs.js';

const page = new URL('../../../docs/security.md', import.meta.url);

/** The rows of the tables of attacks. */
const rows = rowsOf(page, '| attack | what stops it | shown by |');

test('every attack is shown to be stopped by a test', () => {
  expect(rows.length).toBeGreaterThan(30);
  expect(unproven(rows)).toEqual([]);
});

test('every test that is named is there, under that very name', () => {
  expect(missing(page, rows.flatMap(proofsOf))).toEqual([]);
});

describe('a test that is named', () => {
  const titlesOf = (source: string) => [...testsIn(source).titles];

  test('is one that runs under its whole title, alone, for each of a table, or as a group', () => {
    expect(titlesOf(`test('a', () => {});`)).toEqual(['a']);
    expect(titlesOf(`describe("b", () => { test('it\\'s c', async () => {}); });`)).toEqual([
      'b',
      "it's c",
    ]);
    expect(titlesOf(`test.each([\n  ['x', 1],\n])('d %s', (_, n) => {});`)).toEqual(['d %s']);
    expect(titlesOf('describe.each(all)(`e f`, () => {});')).toEqual(['e f']);
    expect(
      titlesOf(`// test('a', () => {});\nconst text = "test('a', f)";\nwait('a', f);`),
    ).toEqual([]);
  });

  // Texts to be read, not tests: what leaves a test out must be seen to.
  test.each([
    `test.skip('a', () => {});`,
    `test.todo('a');`,
    `test.failing('a', () => {});`,
    `test.only('a', () => {});`,
    `describe.skip('a', () => {});`,
    `test.skip.each([1])('a', () => {});`,
    `const some = isLinux ? test : test.skip;\nsome('a', () => {});`,
    `xtest('a', () => {});`,
  ])('is in no file that leaves tests out: %s', (source) => {
    expect(testsIn(source).leavesOut).toBe(true);
  });

  test('is no other whose title has it as a part, and none of a file that is not there', () => {
    const here = new URL(import.meta.url);
    const titles = ['every attack is shown', 'every attack is shown to be stopped by a test'];
    const proofs = titles.map((title) => ({ path: './securityDoc.test.ts', title }));
    const elsewhere = { path: './none.test.ts', title: titles[0] ?? '' };
    expect(missing(here, [...proofs, elsewhere])).toHaveLength(2);
  });
});
