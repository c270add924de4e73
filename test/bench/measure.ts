import type { BenchChild } from './children.js';
import { type Usage, usage } from './usage.js';

/** What tells its `Usage` when asked: a process of the benchmark. */
type Asked = Pick<BenchChild<object>, 'ask'>;

/** What was done, and what it took meanwhile. */
export interface Measured<Result> {
  result: Result;
  /** Processor time of the process that is measured. */
  cpuMs: number;
  tookMs: number;
  /** The longest turn of its event loop. */
  longestTurnMs: number;
  /** Its usage at the beginning and at the end. */
  before: Usage;
  after: Usage;
  /** Of one processor, of the busiest process of the load: near 1 it was the bottleneck. */
  loadShare: number;
}

/** Measures a process while something is done, and the processes of the load beside it. */
export async function measure<Result>(
  measured: Asked,
  load: readonly Asked[],
  work: () => Promise<Result>,
): Promise<Measured<Result>> {
  const loadBefore = await readAll(load);
  const before = await measured.ask<Usage>('reset');
  const result = await work();
  const after = await measured.ask<Usage>('read');
  const loadAfter = await readAll(load);
  const shares = loadAfter.map((now, index) => shareBetween(loadBefore[index] ?? now, now));
  return {
    result,
    cpuMs: after.cpuMs - before.cpuMs,
    tookMs: after.atMs - before.atMs,
    longestTurnMs: after.longestTurnMs,
    before,
    after,
    loadShare: Math.max(...shares),
  };
}

/** This process, where it is part of the load. */
export const thisProcess: Asked = {
  ask: async <Answer>() => usage() as Answer,
};

const readAll = (processes: readonly Asked[]) =>
  Promise.all(processes.map((each) => each.ask<Usage>('read')));

const shareBetween = (before: Usage, after: Usage) =>
  (after.cpuMs - before.cpuMs) / (after.atMs - before.atMs);
