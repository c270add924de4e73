/**
 * An activation of 1,000 pub-sub servers with 100 rooms each, ten of which hang:
 * when the first frame comes, when the other 990 are in the numbers, and the longest turn of the
 * service's event loop meanwhile; beside it the same requests by bare got, in the same run.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import got from 'got';
import { openEventStream } from '../support/eventStream.js';
import { startChild } from './children.js';
import { median, report, until } from './figures.js';
import type { Usage } from './usage.js';

const isQuick = process.argv.includes('--quick');
const size = { servers: 1000, hung: 10, rooms: 100 };
const rounds = isQuick ? 2 : 7;
const answering = size.servers - size.hung;

/** The same PUTs, sixteen at a time, by got alone: what the requests cost without the service. */
async function bareGot(ports: readonly number[]) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begin = performance.now();
  const rest = [...ports];
  const work = async () => {
    for (let port = rest.pop(); port !== undefined; port = rest.pop()) {
      const json = { active: true, eventsUrl: 'http://127.0.0.1:1/' };
      await got.put(`http://127.0.0.1:${port}/api/dashboard`, { json, retry: { limit: 0 } }).json();
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  const bareMs = performance.now() - begin;
  delay.disable();
  return { bareMs, bareDelayMs: delay.max / 1e6 };
}

async function oneRound() {
  const fleet = await startChild<{ ports: number[] }>('./fleetProcess', {
    options: size,
  });
  const { ports } = fleet.ready;
  const bare = await bareGot(ports.slice(0, answering));
  const service = await startChild<{ url: string }>('./serviceProcess', {
    env: {
      PORT: '0',
      PUBSUB_SERVERS: ports.map((port) => `127.0.0.1:${port}`).join(','),
      LINGER_MS: '60000',
      RESYNC_INTERVAL_MS: '600000',
    },
  });
  const { url } = service.ready;
  const stateOf = () => got(`${url}/api/state`).json<{ state: string }>();
  await until(async () => (await stateOf()).state === 'inactive');
  const before = await service.ask<Usage>('reset');
  const begin = performance.now();
  const stream = await openEventStream(url, { path: '/api/events?stream=changes' });
  const firstFrameMs = begin + (await until(() => stream.messages.length > 0)) - begin;
  const isLive = (server: { state: string }) => server.state === 'live';
  await until(() => Object.values(stream.seen().servers).filter(isLive).length === answering);
  const mergedMs = performance.now() - begin;
  const after = await service.ask<Usage>('read');
  const rooms = Object.keys(stream.rooms()).length;
  if (rooms !== answering * size.rooms) throw new Error(`wrong: ${rooms} rooms are shown`);
  await stream.close();
  await service.stop();
  await fleet.stop();
  const cpuMs = after.cpuMs - before.cpuMs;
  return {
    ...bare,
    firstFrameMs,
    mergedMs,
    cpuMs,
    maxDelayMs: after.longestTurnMs,
    rssMb: after.rssMb,
  };
}

const results: Awaited<ReturnType<typeof oneRound>>[] = [];
for (let round = 0; round < rounds; round += 1) results.push(await oneRound());

const of = (name: keyof (typeof results)[number]) => median(results.map((result) => result[name]));
const least = (values: number[]) => Math.min(...values);
const ratios = results.map(({ mergedMs, bareMs }) => mergedMs / bareMs);
report('an activation of 1,000 servers × 100 rooms, ten of which hang', [
  {
    figure: 'first frame',
    unit: 'ms',
    ours: of('firstFrameMs'),
    aim: 50,
    best: least(results.map(({ firstFrameMs }) => firstFrameMs)),
  },
  {
    figure: '990 servers merged and shown',
    unit: 'ms',
    ours: of('mergedMs'),
    limits: { 'bare got': of('bareMs') },
    ratio: median(ratios),
    aim: 2,
    best: least(ratios),
    notes: { 'processor, ms': of('cpuMs'), 'memory, MB': of('rssMb') },
  },
  {
    figure: 'longest turn of the event loop',
    unit: 'ms',
    ours: of('maxDelayMs'),
    aim: 50,
    best: least(results.map(({ maxDelayMs }) => maxDelayMs)),
    notes: { 'bare got, ms': of('bareDelayMs') },
  },
]);
