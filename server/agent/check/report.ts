import type { Result } from './check.js';

/** Whether the server breaks a MUST. */
export function isBroken(results: readonly Result[]): boolean {
  return results.some(({ result, level }) => result === 'fail' && level === 'MUST');
}

/** The results as a table. Each failure has two more lines: what was expected, and where that is written. */
export function renderResults(results: readonly Result[]): string {
  const width = Math.max(...results.map(({ id }) => id.length));
  const lines = results.flatMap(({ id, result, level, expected, seen, link }) => {
    const indent = ' '.repeat(9);
    const line = `${result.padEnd(8)} ${level.padEnd(7)} ${id.padEnd(width)}  ${seen}`;
    if (result !== 'fail') return [line];
    return [line, `${indent}expected: ${expected}`, `${indent}see: ${link}`];
  });
  return `${lines.join('\n')}\n\n${summaryOf(results)}\n`;
}

function summaryOf(results: readonly Result[]): string {
  const count = (wanted: Result['result']) =>
    results.filter(({ result }) => result === wanted).length;
  return `${count('pass')} passed, ${count('fail')} failed, ${count('skipped')} skipped`;
}
