import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { addReport, describe, emptyReport, type Report } from './report.js';
import { type Kind, kinds, spoiltKind, type WorldKind } from './worldKinds.js';

/** `npm run simulate`: see docs/internals/simulation.md. */

const usage = `npm run simulate -- [--rooms] [--bug NAME] [--seed N] [--worlds M | --minutes T] [--workers W]
  --seed N     with nothing else: replays world N, with a trace; else: the first seed (1)
  --worlds M   runs M worlds
  --minutes T  runs worlds for so long
  --workers W  processes to run them in (1)
  --rooms      worlds of one watched room, instead of worlds of the service
  --bug NAME   with one of the mistakes of test/worlds/bugs.ts or rooms/roomBugs.ts`;

const progressMs = 10_000;
const say = (line: string) => process.stdout.write(`${line}\n`);

interface Work {
  kind: WorldKind;
  bug: string | undefined;
  firstSeed: number;
  step: number;
  worlds: number | undefined;
  minutes: number | undefined;
}

function readWork() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      worlds: { type: 'string' },
      minutes: { type: 'string' },
      workers: { type: 'string' },
      rooms: { type: 'boolean' },
      bug: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const { seed, worlds, minutes, workers, rooms, bug, help } = values;
  const kind: WorldKind = rooms ? 'rooms' : 'service';
  kindOf({ kind, bug });
  return {
    help,
    kind,
    bug,
    seed: positive('seed', seed),
    worlds: positive('worlds', worlds),
    minutes: positive('minutes', minutes),
    workers: positive('workers', workers) ?? 1,
  };
}

function kindOf({ kind, bug }: Pick<Work, 'kind' | 'bug'>): Kind {
  const found = bug === undefined ? kinds[kind] : spoiltKind(kind, bug);
  if (!found) throw new Error(`--bug: there is no "${bug}"`);
  return found;
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  const isFit = number > 0 && (name === 'minutes' || Number.isSafeInteger(number));
  if (!isFit) throw new Error(`--${name}: "${text}" is not a number above 0`);
  return number;
}

/** Replays one world, line by line; answers whether it kept every promise. */
function replay(kind: Kind, seed: number): boolean {
  const broken = kind.replay(seed, say);
  say(broken === undefined ? `world ${seed} kept every promise` : `world ${seed} broke ${broken}`);
  return broken === undefined;
}

/** Runs worlds in this process; `tell` is given the report so far now and then. */
async function run(
  { firstSeed, step, worlds, minutes, ...what }: Work,
  tell: (report: Report) => void,
) {
  const untilMs = minutes === undefined ? undefined : performance.now() + minutes * 60_000;
  const ended = emptyReport();
  let report = ended;
  let toldMs = performance.now();
  const range = { firstSeed, step, ...(worlds && { worlds }), ...(untilMs && { untilMs }) };
  for (report of kindOf(what).run(range)) {
    if (performance.now() - toldMs < progressMs) continue;
    toldMs = performance.now();
    tell(report);
    // Messages go out in between.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return report;
}

/** Shares the work among processes; each has every so manieth seed. */
async function runShared(
  work: Work,
  workers: number,
  tell: (report: Report) => void,
): Promise<Report> {
  const latest = new Map<number, Report>();
  const sum = () => {
    const total = emptyReport();
    for (const report of latest.values()) addReport(total, report);
    return total;
  };
  const share = (i: number) => work.worlds && Math.ceil((work.worlds - i) / workers);
  const ends = Array.from({ length: workers }, async (_, i) => {
    const child = fork(fileURLToPath(import.meta.url), {
      env: { ...process.env, SIMULATE_WORKER: '1' },
    });
    child.on('message', (report) => {
      latest.set(i, report as Report);
      if (i === 0) tell(sum());
    });
    child.send({ ...work, firstSeed: work.firstSeed + i, step: workers, worlds: share(i) });
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
    if (code !== 0) throw new Error(`worker ${i} ended with ${code}`);
  });
  await Promise.all(ends);
  return sum();
}

async function runMany(work: Work, workers: number): Promise<boolean> {
  const beganMs = performance.now();
  const seconds = () => (performance.now() - beganMs) / 1000;
  const tell = ({ worlds, brokenWorlds, broken }: Report) => {
    const seeds = broken.map(({ seed }) => ` ${seed}`);
    say(`${seconds().toFixed(0)} s: ${worlds} worlds, ${brokenWorlds} broke a promise${seeds}`);
  };
  const report = workers > 1 ? await runShared(work, workers, tell) : await run(work, tell);
  const first = report.broken[0];
  const kind = kindOf(work);
  if (first) replay(kind, first.seed);
  say(describe(report, kind.places(), seconds()));
  return first === undefined;
}

/** What a worker does: one piece of work, as told by its parent. */
function work(): void {
  // Whoever asked has gone: nobody is left to tell.
  const endAlone = (error: Error | null) => error && process.exit(1);
  process.once('message', async (message) => {
    const report = await run(message as Work, (part) => {
      process.send?.(part, endAlone);
    });
    process.send?.(report, () => process.disconnect());
  });
}

async function main(): Promise<boolean> {
  const { help, kind, bug, seed, worlds, minutes, workers } = readWork();
  if (help) {
    say(usage);
    return true;
  }
  if (worlds === undefined && minutes === undefined)
    return replay(kindOf({ kind, bug }), seed ?? 1);
  return runMany({ kind, bug, firstSeed: seed ?? 1, step: 1, worlds, minutes }, workers);
}

if (process.env.SIMULATE_WORKER) work();
else
  main().then(
    (isKept) => {
      process.exitCode = isKept ? 0 : 1;
    },
    (error: Error) => {
      say(`${error.message}\n${usage}`);
      process.exitCode = 2;
    },
  );
