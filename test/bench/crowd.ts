/**
 * Many viewers, and bad ones: 20 that stop reading the stream of whole maps with 10,000 rooms, and what
 * that costs in memory; 10,000 that are held, of which 1,000 come back at once.
 */
import got from 'got';
import { type Figure, report, until } from './figures.js';
import type { PostResult } from './posterProcess.js';
import { startStage, startViewers, untilLive, untilTrue } from './stage.js';
import type { Usage } from './usage.js';
import type { Seen } from './viewersProcess.js';

const isQuick = process.argv.includes('--quick');

/** What 20 viewers cost that stop reading, beside 20 that read. */
async function stalled(): Promise<Figure> {
  const stage = await startStage(10_000, {}, ['--expose-gc']);
  const { url } = stage.service.ready;
  const viewers = await startViewers({ url, path: '/api/events', viewers: 20, readers: 0 });
  const reader = await startViewers({ url, path: '/api/events', viewers: 1, readers: 1 });
  await untilLive(stage);
  await untilTrue(reader, stage.poster);
  const post = (durationMs: number) =>
    stage.poster.ask<PostResult>('post', { connections: 4, perSecond: 50, durationMs });
  await post(2000);
  const before = await stage.service.ask<Usage>('read');
  await viewers.ask('stopReading');
  await post(isQuick ? 5000 : 20_000);
  const after = await stage.service.ask<Usage>('read');
  await untilTrue(reader, stage.poster);
  for (const child of [viewers, reader, stage.service, stage.poster]) await child.stop();
  const heldMb = after.heldMb - before.heldMb;
  return {
    figure: '20 viewers stop reading, 10,000 rooms',
    unit: 'MB more',
    ours: heldMb,
    aim: 10,
    best: heldMb,
    notes: { 'memory of the process, MB more': after.rssMb - before.rssMb },
  };
}

/** 10,000 viewers, of whom 1,000 lose their connections and come back at once. */
async function many(): Promise<Figure[]> {
  const amount = 10_000;
  const stage = await startStage(1000);
  const { url } = stage.service.ready;
  const path = '/api/events?stream=changes';
  const viewers = await startViewers({ url, path, viewers: amount, readers: 1 });
  await untilLive(stage);
  await until(async () => (await got(`${url}/api/state`).json<Seen>()).viewers === amount);
  await untilTrue(viewers, stage.poster);
  const before = await stage.service.ask<Usage>('reset');
  const { cpuMs } = await reconnect(viewers, stage, before);
  const { longestTurnMs, rssMb } = await stage.service.ask<Usage>('read');
  await stage.poster.ask<PostResult>('post', { connections: 4, perSecond: 50, durationMs: 2000 });
  await untilTrue(viewers, stage.poster);
  const { ended } = await viewers.ask<Seen>('seen');
  for (const child of [viewers, stage.service, stage.poster]) await child.stop();
  return [
    {
      figure: 'of 10,000 viewers, 1,000 of them come back at once: not served',
      unit: 'viewers',
      ours: ended,
      aim: 0,
      best: ended,
      notes: {
        'memory of the process, MB': rssMb,
        'processor for each that came back, µs': cpuMs,
        'longest turn of the event loop, ms': longestTurnMs,
      },
    },
  ];
}

async function reconnect(
  viewers: Awaited<ReturnType<typeof startViewers>>,
  { service }: Awaited<ReturnType<typeof startStage>>,
  before: Usage,
) {
  const amount = 1000;
  await viewers.ask('reconnect', { amount });
  const { cpuMs } = await service.ask<Usage>('read');
  return { cpuMs: ((cpuMs - before.cpuMs) * 1000) / amount };
}

report('many viewers, and bad ones', [await stalled(), ...(await many())]);
