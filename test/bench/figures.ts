import { appendFileSync } from 'node:fs';

/** What the benchmarks share: medians, waiting, and how figures are printed and judged. */

const deadlineMs = 60_000;

/** Of five, the third; of an even number the upper of the middle two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** Waits until a condition holds; answers for how long, in milliseconds. */
export async function until(isDone: () => boolean | Promise<boolean>, waitMs = 2): Promise<number> {
  const begin = performance.now();
  while (!(await isDone())) {
    if (performance.now() - begin > deadlineMs) throw new Error('not done in time');
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  return performance.now() - begin;
}

/** One line of the table: what was measured, beside its limit in the same run. */
export interface Figure {
  figure: string;
  unit: string;
  ours: number;
  /** Limits, by name; the ratio is taken to the first. */
  limits?: Record<string, number>;
  /** Ours over the first limit: the median over the rounds of each round's ratio. */
  ratio?: number;
  /** What is aimed at: of the ratio, or of ours where there is no limit. At the least where more is better. */
  aim: number;
  isMoreBetter?: boolean;
  /** The best round, which is judged: noise makes a round worse, never better. */
  best: number;
  /** What else is to be known of it. */
  notes?: Record<string, number>;
}

/** Prints figures as a table for people, and adds them to the file of figures for programs. */
export function report(title: string, figures: readonly Figure[]): void {
  process.stdout.write(`\n${title}\n`);
  for (const each of figures) process.stdout.write(`${lineOf(each)}\n`);
  const file = process.env.BENCH_JSON;
  if (file) appendFileSync(file, `${JSON.stringify({ title, figures })}\n`);
  for (const each of figures) judge(each);
}

const shown = (value: number) => (Number.isInteger(value) ? `${value}` : value.toPrecision(3));

function lineOf({ figure, unit, ours, limits = {}, ratio, aim, isMoreBetter, notes = {} }: Figure) {
  const beside = Object.entries(limits).map(([name, value]) => `${name} ${shown(value)}`);
  const bound = `${isMoreBetter ? 'at least' : 'at most'} ${aim}`;
  const reach = ratio === undefined ? `(${bound})` : `= ${shown(ratio)} × (${bound} ×)`;
  const rest = Object.entries(notes).map(([name, value]) => `\n      ${name} ${shown(value)}`);
  const against = beside.length > 0 ? `  |  ${beside.join(', ')}` : '';
  return `  ${figure}: ${shown(ours)} ${unit}${against}  ${reach}${rest.join('')}`;
}

/** Fails the process for a figure that is off its aim by more than noise explains: twice. */
function judge({ figure, aim, best, isMoreBetter }: Figure): void {
  const isFar = isMoreBetter ? best < aim / 2 : best > aim * 2;
  if (!isFar) return;
  process.stdout.write(`FAILED ${figure}: the best round is ${shown(best)}, the aim ${aim}\n`);
  process.exitCode = 1;
}
