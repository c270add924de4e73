import { parseArgs } from 'node:util';
import { describe, type Report } from './report.js';
import { kindOf, runInProcesses, runWorlds, type Work } from './work.js';
import type { Kind, WorldKind } from './worldKinds.js';

/** `npm run simulate`: see docs/internals/simulation.md. */

const usage = `npm run simulate -- [--rooms | --instances] [--bug NAME] [--seed N] [--worlds M | --minutes T] [--workers W]
  --seed N     alone: replays world N, with a trace; else: the first seed (1)
  --worlds M   runs M worlds
  --minutes T  runs worlds for T minutes
  --workers W  processes to run them in (1)
  --rooms      worlds of one watched room, instead of worlds of the service
  --instances  worlds of several instances
  --bug NAME   with one of the bugs of test/worlds/bugs.ts, rooms/roomBugs.ts or instances/instancesBugs.ts`;

const say = (line: string) => process.stdout.write(`${line}\n`);

function readWork() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      worlds: { type: 'string' },
      minutes: { type: 'string' },
      workers: { type: 'string' },
      rooms: { type: 'boolean' },
      instances: { type: 'boolean' },
      bug: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const { seed, worlds, minutes, workers, rooms, instances, bug, help } = values;
  const kind: WorldKind = rooms ? 'rooms' : instances ? 'instances' : 'service';
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

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  const isFit = number > 0 && (name === 'minutes' || Number.isSafeInteger(number));
  if (!isFit) throw new Error(`--${name}: "${text}" is not a number above 0`);
  return number;
}

/** Replays one world line by line. True if it kept every promise. */
function replay(kind: Kind, seed: number): boolean {
  const broken = kind.replay(seed, say);
  say(broken === undefined ? `world ${seed} kept every promise` : `world ${seed} broke ${broken}`);
  return broken === undefined;
}

async function runMany(work: Work, workers: number): Promise<boolean> {
  const beganMs = performance.now();
  const seconds = () => (performance.now() - beganMs) / 1000;
  const tell = ({ worlds, brokenWorlds, broken }: Report) => {
    const seeds = broken.map(({ seed }) => ` ${seed}`);
    say(`${seconds().toFixed(0)} s: ${worlds} worlds, ${brokenWorlds} broke a promise${seeds}`);
  };
  const report =
    workers > 1 ? await runInProcesses(work, workers, tell) : await runWorlds(work, tell);
  const first = report.broken[0];
  const kind = kindOf(work);
  if (first) replay(kind, first.seed);
  say(describe(report, kind.places(), seconds()));
  return first === undefined;
}

async function main(): Promise<boolean> {
  const { help, kind, bug, seed = 1, worlds, minutes, workers } = readWork();
  if (help) {
    say(usage);
    return true;
  }
  if (worlds === undefined && minutes === undefined) return replay(kindOf({ kind, bug }), seed);
  return runMany({ kind, bug, firstSeed: seed, worlds, minutes }, workers);
}

main().then(
  (isKept) => {
    process.exitCode = isKept ? 0 : 1;
  },
  (error: Error) => {
    say(`${error.message}\n${usage}`);
    process.exitCode = 2;
  },
);
