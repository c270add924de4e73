import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, jest, test } from '@jest/globals';
import type { Place } from './coverage.js';
import { describe as inWords, type Report } from './report.js';
import { runInProcesses } from './work.js';
import { kinds, type WorldKind } from './worldKinds.js';

// Thousands of worlds take minutes on a busy machine.
jest.setTimeout(1_800_000);

/** The standard set has the seeds from 1 on. */
const worlds = { service: 1000, rooms: 250, instances: 150 };

/** How often each check runs in the standard set at least: half of the present number. */
const leastChecks: Record<WorldKind, Record<string, number>> = {
  service: {
    'exact under way': 7500,
    'exact at the end': 150_000,
    'a part, shown as such': 1500,
    'a doubt': 3750,
    'a deaf server': 250,
    'wrong, while no post arrives': 750,
    'a dip that heals by itself': 125,
    'a dip that was lifted too late': 20,
    'silent at the end': 300,
    'silent after a shutdown': 200,
    'another ending: watched': 50,
    'another ending: silent': 50,
    'another ending: stopped': 50,
    'over the limits': 75,
    'within the limits again': 50,
    'after a stranger': 250,
    'frames resumed': 250,
    'one frame to a viewer that came back': 250,
    'what a viewer sees (changes)': 350,
    'what a viewer sees (rooms)': 75,
  },
  rooms: { 'exact at the end': 250 },
  instances: {
    'a request with a cause': 500,
    'a rolling replacement': 10,
    'a rolling replacement at the end': 20,
    'a takeover': 250,
    'an ending: silent': 18,
    'an ending: stopped': 18,
    'an ending: watched': 95,
    'passed on to the leader': 35,
    'right after a fault': 90_000,
    'right at the end': 200,
    'the same everywhere': 750,
  },
};

/** Of the instance machine, what worlds of several instances cannot reach, or hardly ever. */
const unreached = [
  // There is a cluster, and no actor of a room fails.
  /^instance\.alone|→ instance\.alone$/,
  /^instance: (xstate\.error|replacement\.due)/,
  // Redis answers before it tells who leads.
  /^instance\.clustered\.isolated: leader\./,
  // A request ends in time, and Redis is told of a loss before it answers again.
  /after\.handingOverMs/,
  // Nobody shuts down, and the instance that could reach the servers has gone meanwhile.
  /handingOver: requests\.ended → instance\.clustered\.leading\.releasing$/,
  /^instance\.clustered\.leading: (redis\.answered|shutdown\.requested)/,
];

/** The states and transitions that the standard set must reach. Worlds of the service reach all of the others. */
function placesOf(kind: WorldKind): Place[] {
  const all = kinds[kind].places();
  if (kind !== 'instances') return all;
  const isReachable = (place: Place) => !unreached.some((pattern) => pattern.test(place));
  return all.filter((place) => place.startsWith('instance') && isReachable(place));
}

const command = fileURLToPath(new URL('./main.ts', import.meta.url));
const run = promisify(execFile);

/** Runs `npm run simulate`. Resolves with its exit code and what it printed. */
async function simulate(...args: string[]): Promise<{ code: number; text: string }> {
  const ran = run(process.execPath, ['--import', 'tsx', command, ...args]);
  return ran.then(
    ({ stdout }) => ({ code: 0, text: stdout }),
    (error: { code: number; stdout: string }) => ({ code: error.code, text: error.stdout }),
  );
}

function traceOf(seed: number, kind: WorldKind = 'service'): string {
  const lines: string[] = [];
  kinds[kind].replay(seed, (line) => lines.push(line));
  return lines.join('\n');
}

describe.each(['service', 'rooms', 'instances'] as const)(
  'in the worlds of the standard set (%s)',
  (kind) => {
    let report: Report | undefined;

    test('every promise is kept', async () => {
      const beganMs = performance.now();
      const work = { kind, firstSeed: 1, worlds: worlds[kind] };
      report = await runInProcesses(work, availableParallelism());
      const seconds = (performance.now() - beganMs) / 1000;
      // The message has the seeds that failed.
      if (report.brokenWorlds !== 0)
        throw new Error(inWords(report, kinds[kind].places(), seconds));
      expect(report.worlds).toBe(worlds[kind]);
    });

    test.each(Object.entries(leastChecks[kind]))('%s: is checked often enough', (check, times) => {
      expect(report?.checks[check]).toBeGreaterThanOrEqual(times);
    });

    test('every state and every transition of the machines is reached', () => {
      const reached = new Set(report?.reached);
      expect(placesOf(kind).filter((place) => !reached.has(place))).toEqual([]);
      expect(placesOf(kind).length).toBeGreaterThan(kind === 'service' ? 110 : 30);
    });

    test('every kind of fault happens', () => {
      const faults = Object.keys(report?.faults ?? {});
      // Worlds of several instances have those of servers too, but not all of them.
      if (kind === 'instances')
        expect(faults).toEqual(expect.arrayContaining([...kinds[kind].faults]));
      else expect(faults.sort()).toEqual([...kinds[kind].faults].sort());
    });
  },
);

/** Seeds that found bugs in the machines. Each bug has a test of its own too. */
const regressions = {
  106939: 'a snapshot in between stood for the one that was to confirm',
  1027827: 'a post was passed over while the one before it was still being acted on',
  207621: 'a confirmation was called off, and nothing followed',
  901057:
    'what was planned for the counts of the wish before followed the snapshot of the next one',
  4381372:
    'a snapshot was merged after all counts were cleared, before its server was told to be silent',
  6133895: 'a shutdown while nobody looked did not wait for a server that was found since',
  8013687: 'whoever only said that it was at an address hid the one at the usual port there',
  // The actor that had sent a request threw, and its successor did not know about the request.
  4230089: 'what a failed actor had sent was applied after the snapshot of its successor',
  // An unknown server was answered in the name of a known one at the same address.
  5145098: 'a late start-up answer had a server post under the name of its neighbour',
};

test.each(Object.entries(regressions))(
  'world %s keeps every promise; it once found that %s',
  (seed) => {
    expect(kinds.service.replay(Number(seed), () => {})).toBeUndefined();
  },
);

const regressionsOfInstances = {
  2001287: 'a server that asked while nobody led was forgotten when the clock of Redis jumped',
  2015224: 'a suspended leader whose wall clock had been set back acted beside its successor',
  2006108: 'an instance that stopped dropped what it was about to leave for the leader',
  3001304: 'a leader died before others were told what one instance already had under the same id',
  3006794: 'an instance stopped while Redis did not answer, and did not try again',
  4010066: 'a leader looked into the empty inbox, and its successor forgot who had just asked',
  4011305: 'a new leader called its numbers complete before it knew who had asked',
  // The checks were too strict.
  3036629: 'a leader that had been paused for long sent a silence',
  3038960: 'an instance acted under a lower term while the leader of a lost one was paused',
  4003394: 'a viewer that waited for a dead leader caught up after more than a second',
};

test.each(Object.entries(regressionsOfInstances))(
  'world %s of several instances keeps every promise; it once found that %s',
  (seed) => {
    expect(kinds.instances.replay(Number(seed), () => {})).toBeUndefined();
  },
);

test('a world is the same to the byte, in this process and in others', async () => {
  const trace = traceOf(7);
  expect(trace.split('\n').length).toBeGreaterThan(100);
  expect(traceOf(7)).toBe(trace);
  expect(traceOf(8)).not.toBe(trace);
  const [first, second] = await Promise.all([simulate('--seed', '7'), simulate('--seed', '7')]);
  expect(first.text).toBe(second.text);
  expect(first.text).toContain(trace);
  expect(first.code).toBe(0);
});

test('a world of a room is the same to the byte, in this process and in others', async () => {
  const trace = traceOf(7, 'rooms');
  expect(trace.split('\n').length).toBeGreaterThan(30);
  expect(traceOf(7, 'rooms')).toBe(trace);
  expect(traceOf(8, 'rooms')).not.toBe(trace);
  const { text, code } = await simulate('--rooms', '--seed', '7');
  expect(text).toContain(trace);
  expect(code).toBe(0);
});

test('a world of several instances is the same to the byte, in this process and in others', async () => {
  const trace = traceOf(7, 'instances');
  expect(trace.split('\n').length).toBeGreaterThan(100);
  expect(traceOf(7, 'instances')).toBe(trace);
  const { text, code } = await simulate('--instances', '--seed', '7');
  expect(text).toContain(trace);
  expect(code).toBe(0);
});

test.each([
  ['a failed request is not sent again', '--workers=1'],
  ['a failed request is not sent again', '--workers=2'],
  ['states are not merged', '--rooms'],
])(
  'the command traces the first world that breaks a promise when %s (%s), and exits with 1',
  async (bug, option) => {
    const { code, text } = await simulate('--worlds', '40', '--bug', bug, option);
    const [, seed] = /^ {2}seed (\d+): /m.exec(text) ?? [];
    expect(text).toMatch(new RegExp(`^world ${seed} broke \\d`, 'm'));
    expect(text).toContain('  plan {');
    expect(text).not.toContain('worlds that broke a promise: 0');
    expect(code).toBe(1);
  },
);

test('the command refuses an unknown bug', async () => {
  const { code, text } = await simulate('--worlds', '1', '--bug', 'nothing');
  expect(text).toContain('there is no "nothing"');
  expect(code).toBe(2);
});

test('the command shares worlds among processes, and prints one report', async () => {
  const { code, text } = await simulate('--worlds', '20', '--workers', '2', '--seed', '100');
  expect(text).toContain('20 worlds in ');
  expect(text).toContain('worlds that broke a promise: 0');
  expect(code).toBe(0);
  expect((await simulate('--worlds', 'many')).code).toBe(2);
});
