import { type DemoFleet, startDemoFleet } from './demoFleet.js';
import { startDemoRedis } from './demoRedis.js';
import { startDemoStore } from './demoStore.js';
import { simulateEditors } from './editors.js';
import { startLiveTable } from './liveTable.js';
import { freePort, startService } from './serviceChild.js';

// `npm run demo`: the service, real pub-sub servers in processes of their own, simulated editors,
// and a live table fed by the service's own stream. PORT, DEMO_SECONDS and REDIS_URL are all it reads.
const { PORT, DEMO_SECONDS, REDIS_URL } = process.env;

const eventEveryMs = 6_000;
const stopWithinMs = 20_000;
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

type Cleanup = () => unknown;
const cleanups: Cleanup[] = [];
let isEnding = false;

const print = (line: string) => process.stdout.write(`${line}\n`);

// Newest first; whatever is left by then is killed when this process exits (childProcess.ts).
const end = async (exitCode: number, why: string) => {
  if (isEnding) return;
  isEnding = true;
  const tooLate = setTimeout(() => process.exit(1), stopWithinMs);
  for (const cleanup of cleanups.reverse()) await cleanup();
  clearTimeout(tooLate);
  print(why);
  process.exit(exitCode);
};

const positive = (name: string, text: string | undefined): number | undefined => {
  if (!text) return undefined;
  const value = Number(text);
  if (value > 0 && value < 65_536) return value;
  throw new Error(`${name} is ${JSON.stringify(text)}: must be a number from 1 to 65535`);
};

const startEvents = (fleet: DemoFleet, say: (line: string) => void) => {
  let timer: NodeJS.Timeout;
  let now: Promise<void> = Promise.resolve();
  const happen = async () => {
    const line = await fleet.next().catch((cause: Error) => cause.message);
    say(line);
    if (!isEnding) timer = setTimeout(begin, eventEveryMs);
  };
  const begin = () => {
    now = happen();
  };
  timer = setTimeout(begin, eventEveryMs);
  cleanups.push(async () => {
    clearTimeout(timer);
    await now;
  });
};

const run = async () => {
  const seconds = positive('DEMO_SECONDS', DEMO_SECONDS);
  const port = positive('PORT', PORT) ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  let say: (line: string) => unknown = print;
  const news = (line: string) => say(`${new Date().toTimeString().slice(0, 8)}  ${line}`);

  print('starting three pub-sub servers and the service ...');
  const store = await startDemoStore();
  cleanups.push(store.stop);
  if (isEnding) return;
  const redis = await startDemoRedis(REDIS_URL, print);
  cleanups.push(redis.stop);
  if (isEnding) return;
  const fleet = await startDemoFleet({
    dashboardUrl: url,
    store: store.writer,
    redisUrl: redis.url,
    say: news,
  });
  cleanups.push(fleet.stop);
  if (isEnding) return;
  const service = await startService({ port, pubSubServers: fleet.ids(), redisUrl: redis.url });
  cleanups.push(service.stop);
  if (isEnding) return;
  // Ctrl-C reaches the service as well, and it may be the first to be gone: then it ends with 0.
  void service.exited.then(({ code, signal }) => {
    const why = `the service ended: exit ${code ?? signal}. ${service.lastWords()}`;
    return end(code === 0 ? 0 : 1, why);
  });

  const editors = simulateEditors({ servers: fleet.urls, rooms, editors: 24, stepMs: 100 });
  cleanups.push(editors.stop);
  const table = startLiveTable({ url: service.url, truth: fleet.truth });
  cleanups.push(table.stop, fleet.resumeAll);
  say = table.say;
  startEvents(fleet, news);

  if (seconds) {
    const timer = setTimeout(() => end(0, `the demo ran for ${seconds} s`), seconds * 1_000);
    cleanups.push(() => clearTimeout(timer));
  }
};

const stopped = 'stopped: nothing is left running';
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => void end(0, stopped));
}
// Whoever read the output is gone.
process.stdout.on('error', () => void end(0, stopped));
run().catch((cause: unknown) => {
  const message = cause instanceof Error ? cause.message : String(cause);
  return end(1, `the demo cannot run: ${message}`);
});
