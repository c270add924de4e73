/** Tables of `docs/` whose rows name the tests that prove them, by file and title. */

import { existsSync, readFileSync } from 'node:fs';

/** The rows below each header of this kind, cell by cell. */
export function rowsOf(page: URL, header: string): string[][] {
  return readFileSync(page, 'utf8')
    .split(`${header}\n`)
    .slice(1)
    .flatMap((table) => table.split('\n\n', 1).join().trimEnd().split('\n').slice(1))
    .map((line) => line.replace(/^\| | \|$/g, '').split(' | '));
}

/** A test that a row names. */
export interface Proof {
  path: string;
  title: string;
}

/** `[file](path) "title", "title"; [file](path) "title"`. */
export const proofsIn = (cell: string): Proof[] =>
  [...cell.matchAll(/\]\(([^)]+)\)((?:[, ]+"[^"]+")+)/g)].flatMap(([, path = '', titles = '']) =>
    [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ path, title })),
  );

/** Those whose file is not there, or has no such title; quotes are escaped in some sources. */
export const missing = (page: URL, proofs: readonly Proof[]): Proof[] =>
  proofs.filter(({ path, title }) => {
    const file = new URL(path, page);
    return !existsSync(file) || !sourceOf(file).includes(title);
  });

const sourceOf = (file: URL) => readFileSync(file, 'utf8').replaceAll("\\'", "'");
