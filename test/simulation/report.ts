import type { Place } from './coverage.js';
import type { WorldResult } from './runWorld.js';

/** What came of many worlds; reports of several processes can be added up. */
export interface Report {
  worlds: number;
  steps: number;
  comparisons: number;
  faults: Record<string, number>;
  reached: Place[];
  /** Worlds that broke a promise, the lowest seeds first, a bounded number of them. */
  broken: { seed: number; why: string }[];
  brokenWorlds: number;
}

const maxBroken = 20;

export const emptyReport = (): Report => ({
  worlds: 0,
  steps: 0,
  comparisons: 0,
  faults: {},
  reached: [],
  broken: [],
  brokenWorlds: 0,
});

export function addWorld(
  report: Report,
  { seed, broken, faults, steps, comparisons }: WorldResult,
): void {
  report.worlds += 1;
  report.steps += steps;
  report.comparisons += comparisons;
  for (const [kind, times] of faults) report.faults[kind] = (report.faults[kind] ?? 0) + times;
  if (broken === undefined) return;
  report.brokenWorlds += 1;
  if (report.broken.length < maxBroken) report.broken.push({ seed, why: broken });
}

export function addReport(report: Report, other: Report): void {
  report.worlds += other.worlds;
  report.steps += other.steps;
  report.comparisons += other.comparisons;
  report.brokenWorlds += other.brokenWorlds;
  for (const [kind, times] of Object.entries(other.faults))
    report.faults[kind] = (report.faults[kind] ?? 0) + times;
  report.reached = [...new Set([...report.reached, ...other.reached])];
  report.broken = [...report.broken, ...other.broken]
    .sort((a, b) => a.seed - b.seed)
    .slice(0, maxBroken);
}

/** The report in words; `all`: the states and transitions that there are. */
export function describe(report: Report, all: readonly Place[], seconds: number): string {
  const { worlds, steps, comparisons, faults, brokenWorlds } = report;
  const reached = new Set(report.reached);
  const missed = all.filter((place) => !reached.has(place));
  const perSecond = (worlds / Math.max(seconds, 0.001)).toFixed(0);
  return [
    `${worlds} worlds in ${seconds.toFixed(1)} s, ${perSecond} a second; ${steps} steps, ${comparisons} comparisons with the truth`,
    'faults:',
    ...Object.entries(faults)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, times]) => `  ${String(times).padStart(9)}  ${kind}`),
    `states and transitions reached: ${all.length - missed.length} of ${all.length}`,
    ...missed.map((place) => `  never: ${place}`),
    `worlds that broke a promise: ${brokenWorlds}`,
    ...report.broken.map(({ seed, why }) => `  seed ${seed}: ${why}`),
  ].join('\n');
}
