import { type BenchChild, stopAll } from './children.js';
import { type Figure, inRounds, isQuick } from './figures.js';
import { measure } from './measure.js';
import {
  post,
  type Stage,
  startStage,
  startViewers,
  stateOf,
  untilLive,
  untilTrue,
} from './stage.js';
import type { Seen } from './viewersProcess.js';
import { until } from './within.js';

const rounds = isQuick ? 1 : 3;
const amount = 10_000;
const returning = 1000;

/** 10,000 viewers, of whom 1,000 lose their connections and come back at once. */
export async function returningViewers(): Promise<Figure[]> {
  const all = await inRounds(rounds, oneRound);
  return [
    {
      figure: 'of 10,000 viewers, 1,000 of them come back at once: not served',
      unit: 'viewers',
      aim: 0,
      mayBeZero: true,
      rounds: all.map(({ ended, allServedMs, cpuMs, longestTurnMs, after, loadShare }) => ({
        ours: ended,
        loadShare,
        notes: {
          'until all have the counts, ms': allServedMs,
          'memory of the process, MB': after.rssMb,
          'processor for each that came back, µs': (cpuMs * 1000) / returning,
          'longest turn of the event loop, ms': longestTurnMs,
        },
      })),
    },
  ];
}

async function oneRound() {
  const stage = await startStage(1000);
  const { poster, service } = stage;
  const path = '/api/events?stream=changes';
  const { url } = service.ready;
  const viewers = await startViewers({ url, path, viewers: amount, readers: returning + 1 });
  const run = { connections: 4, perSecond: 50 };
  await untilLive(stage);
  await untilViewers(stage, amount);
  await untilTrue(viewers, poster);
  // They come back to other counts than they left.
  await viewers.ask('leave', { amount: returning });
  await untilViewers(stage, amount - returning);
  await post(poster, { ...run, durationMs: 1000 });
  const measured = await measure(service, [viewers], () => comeBack(stage, viewers));
  await post(poster, { ...run, durationMs: 1000 });
  await untilTrue(viewers, poster);
  await untilViewers(stage, amount);
  const { ended } = await viewers.ask<Seen>('seen');
  await stopAll(viewers, service, poster);
  return { ...measured, ended, allServedMs: measured.result };
}

/** Resolves when those who came back have the true counts, with the time until the last one had. */
async function comeBack({ poster }: Stage, viewers: BenchChild<object>): Promise<number> {
  await viewers.ask('mark');
  const { beganAt } = await viewers.ask<{ beganAt: number }>('comeBack', { amount: returning });
  await untilTrue(viewers, poster);
  const { lastFrameAt, wholeStates } = await viewers.ask<Seen>('seen');
  // Those with their last event id got what they had missed; the others the whole state.
  if (wholeStates !== returning / 2)
    throw new Error(`${wholeStates} of ${returning} viewers that came back got a whole state`);
  return lastFrameAt - beganAt;
}

const untilViewers = ({ service }: Stage, wanted: number) =>
  until(
    `the service has ${wanted} viewers`,
    async () => (await stateOf(service)).viewers === wanted,
    20,
  );
