/**
 * `npm run demo`: runs the service, real pub-sub servers in their own processes, simulated editors, and
 * a live table of the service's stream. Reads the variables PORT, DEMO_SECONDS and REDIS_URL.
 *
 * `-- --instances 3` runs three instances of the service behind a proxy. Their leader is killed every
 * 20 s, or `--kill-every` seconds; 0: never.
 */

import { parseArgs } from 'node:util';
import { causeOf } from '../causeOf.js';
import { startDemoCluster } from './demoCluster.js';
import { type DemoFleet, startDemoFleet } from './demoFleet.js';
import { startDemoRedis } from './demoRedis.js';
import { startDemoStore } from './demoStore.js';
import { simulateEditors } from './editors.js';
import { LiveTable } from './liveTable.js';
import { startLocalRedis } from './localRedis.js';
import { freePort, startService } from './serviceChild.js';

const { PORT, DEMO_SECONDS, REDIS_URL } = process.env;
const { values: flags } = parseArgs({
  options: {
    instances: { type: 'string', default: '1' },
    'kill-every': { type: 'string', default: '20' },
  },
});

const eventEveryMs = 6_000;
const stopWithinMs = 20_000;
const maxInstances = 9;
const maxKillEvery = 3_600;
const rooms = [
  'design-review',
  'weekly notes',
  'roadmap/2025',
  '😀 retro',
  'budget-100%',
  'constructor',
  'onboarding',
  'todo',
];

/** Run in reverse order at the end. */
const cleanups: (() => unknown)[] = [];
let isEnding = false;
/** Prints a line until the live table takes over. */
let say: (line: string) => void = print;

const stopped = 'Stopped. Nothing is left running.';
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => void end(0, stopped));
}
// The reader of the output is gone.
process.stdout.on('error', () => void end(0, stopped));
run().catch((cause: unknown) => {
  const message = causeOf(cause);
  return end(1, `The demo failed: ${message}`);
});

async function run(): Promise<void> {
  const seconds = positive('DEMO_SECONDS', DEMO_SECONDS);
  const port = positive('PORT', PORT) ?? (await freePort());
  const instances = whole('--instances', flags.instances, 1, maxInstances);
  const killEvery = whole('--kill-every', flags['kill-every'], 0, maxKillEvery);
  const what = instances > 1 ? `${instances} instances of the service` : 'the service';
  print(`Starting three pub-sub servers and ${what} ...`);
  const started = await startAll({ port, instances, killEveryMs: killEvery * 1_000 });
  if (!started) return;
  const { fleet, service } = started;
  const editors = simulateEditors({
    servers: () => fleet.urls(),
    rooms,
    editors: 24,
    stepMs: 100,
  });
  cleanups.push(editors.stop);
  const table = new LiveTable({
    url: service.url,
    truth: () => fleet.truth(),
    nameOf: (id) => fleet.nameOf(id),
    status: service.status,
  });
  cleanups.push(
    () => table.stop(),
    () => fleet.resumeAll(),
  );
  say = (line) => table.say(line);
  startEvents(fleet);
  if (seconds) endAfter(seconds);
}

/** The service, as one process or as several instances behind a proxy. */
interface DemoService {
  readonly url: string;
  /** What the instances do. */
  readonly status?: () => string;
}

interface DemoSize {
  port: number;
  instances: number;
  killEveryMs: number;
}

/** Starts everything in order. Returns undefined if the demo is stopped meanwhile. */
async function startAll(
  size: DemoSize,
): Promise<{ fleet: DemoFleet; service: DemoService } | undefined> {
  const store = await startDemoStore();
  cleanups.push(store.stop);
  if (isEnding) return undefined;
  const redis = await startDemoRedis(REDIS_URL, print);
  cleanups.push(redis.stop);
  if (isEnding) return undefined;
  const fleet = await startDemoFleet({
    dashboardUrl: `http://127.0.0.1:${size.port}`,
    store: store.writer,
    redisUrl: redis.url,
    say: sayWithTime,
  });
  cleanups.push(() => fleet.stop());
  if (isEnding) return undefined;
  const known = { pubSubServers: fleet.ids(), redisUrl: redis.url };
  const service = await (size.instances > 1
    ? startInstances({ ...size, ...known })
    : startOne({ port: size.port, ...known }));
  if (isEnding) return undefined;
  return { fleet, service };
}

async function startInstances(
  options: DemoSize & { pubSubServers: string[]; redisUrl: string | undefined },
): Promise<DemoService> {
  // Not that of REDIS_URL, which may be somebody's: instances write to theirs.
  const redis = await startLocalRedis();
  cleanups.push(redis.stop);
  const cluster = await startDemoCluster({ ...options, clusterUrl: redis.url, say: sayWithTime });
  cleanups.push(() => cluster.stop());
  return { url: cluster.url, status: () => cluster.status() };
}

async function startOne(options: Parameters<typeof startService>[0]): Promise<DemoService> {
  const service = await startService(options);
  cleanups.push(service.stop);
  // Ctrl-C also reaches the service, which may exit before this process handles the signal: exit with 0.
  void service.exited.then(({ code, signal }) => {
    const why = `The service exited with ${code ?? signal}. ${service.lastWords()}`;
    return end(code === 0 ? 0 : 1, why);
  });
  return { url: service.url };
}

/** Lets something happen to a server every few seconds. */
function startEvents(fleet: DemoFleet): void {
  let current: Promise<void> = Promise.resolve();
  let timer = setTimeout(begin, eventEveryMs);
  cleanups.push(async () => {
    clearTimeout(timer);
    await current;
  });

  function begin(): void {
    current = happen();
  }

  async function happen(): Promise<void> {
    sayWithTime(await fleet.next().catch((cause: Error) => cause.message));
    if (!isEnding) timer = setTimeout(begin, eventEveryMs);
  }
}

function endAfter(seconds: number): void {
  const timer = setTimeout(() => end(0, `The demo ran for ${seconds} s.`), seconds * 1_000);
  cleanups.push(() => clearTimeout(timer));
}

/** Cleans up and exits. Children that are still running then are killed (childProcess.ts). */
async function end(exitCode: number, why: string): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  const tooLate = setTimeout(() => process.exit(1), stopWithinMs);
  for (const cleanup of cleanups.reverse()) await cleanup();
  clearTimeout(tooLate);
  print(why);
  process.exit(exitCode);
}

function positive(name: string, text: string | undefined): number | undefined {
  if (!text) return undefined;
  const value = Number(text);
  if (value > 0 && value < 65_536) return value;
  throw new Error(`${name} is ${JSON.stringify(text)}. It must be a number from 1 to 65535.`);
}

function whole(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const allowed = `a whole number from ${least} to ${most}`;
  throw new Error(`${flag} is ${JSON.stringify(text)}. It must be ${allowed}.`);
}

function sayWithTime(line: string): void {
  say(`${new Date().toTimeString().slice(0, 8)}  ${line}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
