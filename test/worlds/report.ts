import type { Place } from './coverage.js';
import type { WorldResult } from './runWorld.js';

/** The results of many worlds. Reports of several processes can be added up. */
export interface Report {
  worlds: number;
  steps: number;
  /** Number of checks, by kind. */
  checks: Record<string, number>;
  faults: Record<string, number>;
  reached: Place[];
  /** The first worlds that broke a promise, by seed. */
  broken: { seed: number; why: string }[];
  brokenWorlds: number;
}

const maxBroken = 20;

export const emptyReport = (): Report => ({
  worlds: 0,
  steps: 0,
  checks: {},
  faults: {},
  reached: [],
  broken: [],
  brokenWorlds: 0,
});

export function addWorld(
  report: Report,
  { seed, broken, faults, steps, checks }: WorldResult,
): void {
  report.worlds += 1;
  report.steps += steps;
  addTimes(report.faults, faults);
  addTimes(report.checks, checks);
  if (broken === undefined) return;
  report.brokenWorlds += 1;
  if (report.broken.length < maxBroken) report.broken.push({ seed, why: broken });
}

export function addReport(report: Report, other: Report): void {
  report.worlds += other.worlds;
  report.steps += other.steps;
  report.brokenWorlds += other.brokenWorlds;
  addTimes(report.faults, Object.entries(other.faults));
  addTimes(report.checks, Object.entries(other.checks));
  report.reached = [...new Set([...report.reached, ...other.reached])];
  report.broken = [...report.broken, ...other.broken]
    .sort((a, b) => a.seed - b.seed)
    .slice(0, maxBroken);
}

function addTimes(to: Record<string, number>, times: Iterable<[string, number]>): void {
  for (const [kind, number] of times) to[kind] = (to[kind] ?? 0) + number;
}

const inLines = (times: Record<string, number>) =>
  Object.entries(times)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, number]) => `  ${String(number).padStart(9)}  ${kind}`);

/** The report as text. `all`: all states and transitions. */
export function describe(report: Report, all: readonly Place[], seconds: number): string {
  const { worlds, steps, checks, faults, brokenWorlds } = report;
  const reached = new Set(report.reached);
  const missed = all.filter((place) => !reached.has(place));
  const perSecond = (worlds / Math.max(seconds, 0.001)).toFixed(0);
  return [
    `${worlds} worlds in ${seconds.toFixed(1)} s, ${perSecond} a second; ${steps} steps`,
    'held against the truth:',
    ...inLines(checks),
    'faults:',
    ...inLines(faults),
    `states and transitions reached: ${all.length - missed.length} of ${all.length}`,
    ...missed.map((place) => `  never: ${place}`),
    `worlds that broke a promise: ${brokenWorlds}`,
    ...report.broken.map(({ seed, why }) => `  seed ${seed}: ${why}`),
  ].join('\n');
}
