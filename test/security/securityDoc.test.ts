import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const page = new URL('../../docs/security.md', import.meta.url);
const text = readFileSync(page, 'utf8');

/** The rows of the tables of attacks. */
const rows = text
  .split('| attack | what stops it | shown by |\n')
  .slice(1)
  .flatMap((table) => table.split('\n\n', 1).join().split('\n').slice(1))
  .map((line) => {
    const [attack, stop, shownBy = ''] = line.replace(/^\| | \|$/g, '').split(' | ');
    return { attack, stop, shownBy };
  });

/** `[file](path) "title", "title"; [file](path) "title"`. */
const proofsIn = (shownBy: string) =>
  [...shownBy.matchAll(/\]\(([^)]+)\)((?:[, ]+"[^"]+")+)/g)].flatMap(([, path = '', titles = '']) =>
    [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ path, title })),
  );

/** Titles in which quotes are escaped in the source. */
const isIn = (source: string, title: string) => source.replaceAll("\\'", "'").includes(title);

test('every attack is shown to be stopped by a test, or by reading', () => {
  expect(rows.length).toBeGreaterThan(30);
  const unproven = rows.filter(
    ({ attack, stop, shownBy }) =>
      !attack || !stop || (proofsIn(shownBy).length === 0 && !shownBy.startsWith('by reading: `')),
  );
  expect(unproven).toEqual([]);
});

test('every test that is named is there, under that very name', () => {
  const proofs = rows.flatMap(({ shownBy }) => proofsIn(shownBy));
  const missing = proofs.filter(({ path, title }) => {
    const file = new URL(path, page);
    return !existsSync(file) || !isIn(readFileSync(file, 'utf8'), title);
  });
  expect(missing).toEqual([]);
});
