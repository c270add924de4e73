import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { slowness } from './slowness.js';

/** Whether the quick form runs: fewer and shorter rounds. */
export const isQuick = process.argv.includes('--quick');

/** Above this share of a processor a load may be what is measured. */
const maxLoadShare = 0.85;

/** What one round measured. */
export interface Round {
  ours: number;
  /** Limits in the same round, by name; the ratio is taken to the first. */
  limits?: Record<string, number>;
  /** Of a processor, of the busiest process that made the load. */
  loadShare: number;
  /** What else is to be known of it. */
  notes?: Record<string, number>;
}

/** One line of the table: what was measured, in several rounds. */
export interface Figure {
  figure: string;
  unit: string;
  /** What is aimed at: of the ratio, or of ours where there is no limit. At the least where more is better. */
  aim: number;
  isMoreBetter?: boolean;
  /** It is a difference or a count of faults: zero, and less, is a result. */
  mayBeZero?: boolean;
  /** It is of a processor or a rate: a load at its own limit makes it worthless, and fails the run. */
  needsSpareLoad?: boolean;
  rounds: readonly Round[];
}

/** What the rounds come to. */
interface Summary {
  /** Medians of the rounds. */
  ours: number;
  limits: Record<string, number>;
  /** Ours over the first limit: the median over the rounds of each round's ratio. */
  ratio: number | undefined;
  /** What is judged: the best of ours over the best of the first limit, for noise makes both worse. */
  best: number;
  loadShare: number;
  notes: Record<string, number>;
}

/** Does something in rounds, one after the other. */
export async function inRounds<Result>(rounds: number, round: () => Promise<Result>) {
  const results: Result[] = [];
  for (let index = 0; index < rounds; index += 1) results.push(await round());
  return results;
}

/** Prints figures as a table for people, adds them to the file of figures for programs, and judges them. */
export function report(title: string, figures: readonly Figure[]): void {
  const rows = figures.map((figure) => ({ figure, summary: summaryOf(figure) }));
  process.stdout.write(`\n${title}\n`);
  for (const { figure, summary } of rows) process.stdout.write(`${lineOf(figure, summary)}\n`);
  save(
    title,
    rows.map(({ figure, summary }) => ({ ...figure, ...summary })),
  );
  for (const { figure, summary } of rows) judge(figure, summary);
}

function summaryOf(figure: Figure): Summary {
  const { rounds, isMoreBetter } = figure;
  check(figure);
  const ours = rounds.map((round) => round.ours);
  const limits = rounds.flatMap((round) => firstOf(round.limits) ?? []);
  const bestOf = (values: number[]) => (isMoreBetter ? Math.max(...values) : Math.min(...values));
  const ratios = limits.map((limit, index) => (ours[index] ?? Number.NaN) / limit);
  return {
    ours: median(ours),
    limits: medians(rounds.map((round) => round.limits ?? {})),
    ratio: limits.length > 0 ? median(ratios) : undefined,
    best: limits.length > 0 ? bestOf(ours) / bestOf(limits) : bestOf(ours),
    loadShare: median(rounds.map((round) => round.loadShare)),
    notes: medians(rounds.map((round) => round.notes ?? {})),
  };
}

/** Rejects what was not measured: no figure is better than one of nothing. */
function check({ figure, rounds, mayBeZero }: Figure): void {
  if (rounds.length === 0) throw new Error(`${figure}: nothing was measured`);
  for (const { ours, limits = {}, loadShare, notes = {} } of rounds) {
    const positive = [...Object.values(limits), loadShare, ...(mayBeZero ? [] : [ours])];
    const isWrong =
      positive.some((value) => !(value > 0)) ||
      ![...positive, ours, ...Object.values(notes)].every(Number.isFinite);
    if (isWrong)
      throw new Error(`${figure}: ${JSON.stringify({ ours, limits, loadShare, notes })}`);
  }
}

const firstOf = (values: Record<string, number> = {}) => Object.values(values)[0];

/** Of five, the third; of an even number the upper of the middle two. */
const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** The median of each value by its name; all have the same names. */
function medians(all: readonly Record<string, number>[]): Record<string, number> {
  const names = Object.keys(all[0] ?? {});
  const valuesOf = (name: string) => all.map((values) => values[name] ?? Number.NaN);
  return Object.fromEntries(names.map((name) => [name, median(valuesOf(name))]));
}

const shown = (value: number) => (Number.isInteger(value) ? `${value}` : value.toPrecision(3));

function lineOf({ figure, unit, aim, isMoreBetter }: Figure, summary: Summary) {
  const { ours, limits, ratio, best, loadShare, notes } = summary;
  const beside = Object.entries(limits).map(([name, value]) => `${name} ${shown(value)}`);
  const bound = `${isMoreBetter ? 'at least' : 'at most'} ${aim}`;
  const reach =
    ratio === undefined
      ? `(best ${shown(best)}; ${bound})`
      : `= ${shown(ratio)} × (best ${shown(best)} ×; ${bound} ×)`;
  const rest = Object.entries({ ...notes, 'processor share of the load': loadShare });
  const against = beside.length > 0 ? `  |  ${beside.join(', ')}` : '';
  const below = rest.map(([name, value]) => `\n      ${name} ${shown(value)}`).join('');
  return `  ${figure}: ${shown(ours)} ${unit}${against}  ${reach}${below}`;
}

/** Fails the process for a figure that is off its aim by more than noise explains, or of a load at its limit. */
function judge(
  { figure, unit, aim, isMoreBetter, needsSpareLoad }: Figure,
  { best, ratio, loadShare }: Summary,
): void {
  const isFar = isMoreBetter ? best < aim / 2 : best > aim * 2;
  // Times with nothing beside them are held against how fast the machine is at the moment.
  const times = isFar && unit === 'ms' && ratio === undefined ? slowness() : 1;
  if (isFar && (isMoreBetter || best > aim * 2 * times))
    fail(`${figure}: ${shown(best)} at best, the aim is ${aim}${slowWords(times)}`);
  else if (isFar) process.stdout.write(`OVER ITS AIM ${figure}${slowWords(times)}\n`);
  if (needsSpareLoad && loadShare > maxLoadShare)
    fail(
      `${figure}: the load took ${shown(loadShare)} of a processor, and may be what was measured`,
    );
}

const slowWords = (times: number) =>
  times > 1 ? `, on a machine that takes ${shown(times)} times as long as usual` : '';

function fail(why: string): void {
  process.stdout.write(`FAILED ${why}\n`);
  process.exitCode = 1;
}

/** Adds a benchmark to the one document of a run. */
function save(title: string, figures: readonly object[]): void {
  const file = process.env.BENCH_JSON;
  if (!file) return;
  const document = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : newDocument();
  document.benchmarks.push({ title, figures });
  writeFileSync(file, `${JSON.stringify(document, undefined, 2)}\n`);
}

function newDocument() {
  const [first, ...others] = cpus();
  return {
    date: new Date().toISOString(),
    node: process.version,
    processors: { count: others.length + 1, model: first?.model.trim() ?? 'unknown' },
    isQuick,
    benchmarks: [] as object[],
  };
}
