/** Tables of `docs/` whose rows name the tests that prove them, by file and title. */

import { existsSync, readFileSync } from 'node:fs';
import { nodesOf, type SyntaxNode } from './syntaxTree.js';

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
const proofsIn = (cell: string): Proof[] =>
  [...cell.matchAll(/\]\(([^)]+)\)((?:[, ]+"[^"]+")+)/g)].flatMap(([, path = '', titles = '']) =>
    [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ path, title })),
  );

/** The tests that the third cell of a row names. */
export const proofsOf = ([, , shownBy = '']: readonly string[]): Proof[] => proofsIn(shownBy);

/** Rows with an empty cell, and those that name no test. */
export const unproven = (rows: readonly string[][]): string[][] =>
  rows.filter((row) => !row[0] || !row[1] || proofsOf(row).length === 0);

/** Those whose file is not there, has no test or group of exactly this title, or leaves tests out. */
export function missing(page: URL, proofs: readonly Proof[]): Proof[] {
  const files = new Map<string, TestsOfFile>();
  return proofs.filter(({ path, title }) => {
    const known = files.get(path) ?? testsOf(new URL(path, page));
    files.set(path, known);
    return known.leavesOut || !known.titles.has(title);
  });
}

/** What a file of tests says that it tests. */
export interface TestsOfFile {
  /** Of `test` and `describe`, with or without `.each(...)`; a value in a template is `%s`. */
  titles: ReadonlySet<string>;
  /** Whether some test is not run: skipped, still to be written, expected to fail, or not the only one. */
  leavesOut: boolean;
}

const none: TestsOfFile = { titles: new Set(), leavesOut: false };

const testsOf = (file: URL): TestsOfFile =>
  existsSync(file) ? testsIn(readFileSync(file, 'utf8')) : none;

const testers = new Set(['test', 'describe']);
const otherTesters = new Set(['xtest', 'xdescribe', 'fdescribe']);
const leavingOut = new Set(['skip', 'todo', 'only', 'failing']);

/** Reads the source of a file of tests. */
export function testsIn(source: string): TestsOfFile {
  const titles = new Set<string>();
  let leavesOut = false;
  for (const node of nodesOf(source)) {
    if (node.type !== 'CallExpression' && node.type !== 'MemberExpression') continue;
    const [tester, ...ways] = pathOf(node);
    if (tester === undefined) continue;
    leavesOut ||= otherTesters.has(tester) || ways.some((way) => leavingOut.has(way));
    if (node.type !== 'CallExpression' || !testers.has(tester)) continue;
    const title = textOf(node.arguments?.[0]?.expression);
    if (title !== undefined) titles.add(title);
  }
  return { titles, leavesOut };
}

/** `['test', 'each']` for `test.each(...)(...)`, `test.each` and the like; empty for what is no tester's. */
function pathOf(node: SyntaxNode | undefined): string[] {
  if (!node) return [];
  if (node.type === 'Identifier') {
    const name = String(node.value);
    return testers.has(name) || otherTesters.has(name) ? [name] : [];
  }
  if (node.type === 'CallExpression') return pathOf(node.callee);
  if (node.type === 'TaggedTemplateExpression') return pathOf(node.tag);
  if (node.type !== 'MemberExpression') return [];
  const before = pathOf(node.object);
  return before.length > 0 ? [...before, String(node.property?.value)] : [];
}

function textOf(node: SyntaxNode | undefined): string | undefined {
  if (node?.type === 'StringLiteral') return String(node.value);
  if (node?.type !== 'TemplateLiteral') return undefined;
  return node.quasis?.map(({ cooked }) => cooked ?? '').join('%s');
}
