/** A reporter for Stryker that prints what survived, as soon as it is known. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const notable = new Set(['Survived', 'NoCoverage', 'Timeout']);
// With Jest, a mutant that cannot be loaded is one. Else a test failed without the mutant.
if (process.env.MUTATION_RUNNER === 'quick') notable.add('RuntimeError');

class SurvivorsReporter {
  counts = {};
  total = 0;

  onMutationTestingPlanReady({ mutantPlans }) {
    this.total = mutantPlans.length;
    process.stdout.write(`${this.total} mutants\n`);
  }

  onMutantTested({ status, fileName, location, mutatorName, replacement }) {
    this.counts[status] = (this.counts[status] ?? 0) + 1;
    if (notable.has(status)) {
      const { line, column } = location.start;
      const place = `${relative(process.cwd(), fileName)}:${line}:${column}`;
      const from = oneLine(textAt(fileName, location));
      process.stdout.write(
        `${status} ${place} ${mutatorName}: ${from} → ${oneLine(replacement)}\n`,
      );
    }
    const done = Object.values(this.counts).reduce((a, b) => a + b, 0);
    if (done % 25 === 0 || done === this.total)
      process.stdout.write(`  ${done}: ${this.summary()}\n`);
  }

  summary() {
    return Object.entries(this.counts)
      .map(([status, count]) => `${count} ${status}`)
      .join(', ');
  }
}

function textAt(fileName, { start, end }) {
  const lines = readFileSync(fileName, 'utf8')
    .split('\n')
    .slice(start.line - 1, end.line);
  lines[lines.length - 1] = lines.at(-1).slice(0, end.column - 1);
  lines[0] = lines[0].slice(start.column - 1);
  return lines.join(' ');
}

const oneLine = (text = '') => text.replace(/\s+/g, ' ').slice(0, 80);

export const strykerPlugins = [
  { kind: 'Reporter', name: 'survivors', injectableClass: SurvivorsReporter },
];
