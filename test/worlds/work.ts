import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { addReport, emptyReport, type Report } from './report.js';
import { type Kind, kinds, spoiltKind, type WorldKind } from './worldKinds.js';

/** Worlds to run, in this process or in several. */
export interface Work {
  kind: WorldKind;
  bug?: string | undefined;
  firstSeed: number;
  /** Difference between two seeds. Default 1. */
  step?: number;
  worlds?: number | undefined;
  minutes?: number | undefined;
}

type Tell = (report: Report) => void;

const progressMs = 10_000;

/** The worlds of this kind, with the bug if there is one. Throws if no bug has this name. */
export function kindOf({ kind, bug }: Pick<Work, 'kind' | 'bug'>): Kind {
  const found = bug === undefined ? kinds[kind] : spoiltKind(kind, bug);
  if (!found) throw new Error(`--bug: there is no "${bug}"`);
  return found;
}

/** Runs worlds in this process. `tell` receives the report so far every 10 s. */
export async function runWorlds(
  { firstSeed, step = 1, worlds, minutes, ...what }: Work,
  tell: Tell,
): Promise<Report> {
  const untilMs = minutes === undefined ? undefined : performance.now() + minutes * 60_000;
  let report = emptyReport();
  let toldMs = performance.now();
  const range = { firstSeed, step, ...(worlds && { worlds }), ...(untilMs && { untilMs }) };
  for (report of kindOf(what).run(range)) {
    if (performance.now() - toldMs < progressMs) continue;
    toldMs = performance.now();
    tell(report);
    // Lets the message go out.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return report;
}

/** Shares worlds among processes: of two, one has the odd seeds and the other the even ones. */
export async function runInProcesses(
  work: Work,
  processes: number,
  tell: Tell = () => {},
): Promise<Report> {
  const latest = new Map<number, Report>();
  const sum = () => {
    const total = emptyReport();
    for (const report of latest.values()) addReport(total, report);
    return total;
  };
  const share = (i: number) => work.worlds && Math.ceil((work.worlds - i) / processes);
  const ends = Array.from({ length: processes }, async (_, i) => {
    const child = fork(fileURLToPath(new URL('./worker.ts', import.meta.url)), {
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    child.on('message', (report) => {
      latest.set(i, report as Report);
      if (i === 0) tell(sum());
    });
    child.send({ ...work, firstSeed: work.firstSeed + i, step: processes, worlds: share(i) });
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
    if (code !== 0) throw new Error(`worker ${i} ended with ${code}`);
  });
  await Promise.all(ends);
  return sum();
}
