/**
 * What metrics cost: a post, and a frame to each of 500 viewers, of a service that is scraped every 15 s. In
 * turn with one that is not: of the same build, or of the one that `BENCH_BESIDE` names, a compiled
 * `serviceProcess` without its extension. And what a scrape costs.
 */
import { setTimeout as pause } from 'node:timers/promises';
import got from 'got';
import { stopAll } from './children.js';
import { type FanOutCase, type Fans, measureFrames, startFansOf } from './fans.js';
import { type Figure, inRounds, isQuick, report } from './figures.js';
import { measure } from './measure.js';
import { post, type Stage, startStage, untilLive, untilTrue } from './stage.js';

const rounds = isQuick ? 3 : 9;
const durationMs = isQuick ? 1000 : 3000;
const scrapeMs = 15_000;
const scrapes = 20;
/** At most 5 % more. */
const aim = 1.05;
const each: FanOutCase = { viewers: 500, rooms: 1000, stream: 'changes', intervalMs: 50 };
const beside = process.env.BENCH_BESIDE;

interface Side {
  stage: Stage;
  fans: Fans;
  scraper: AbortController | undefined;
}

async function startSide(isScraped: boolean, file?: string): Promise<Side> {
  const stage = await startStage(each.rooms, { MAX_VIEWERS_PER_ADDRESS: '2000' }, [], file);
  const fans = await startFansOf(stage.service, each);
  await untilLive(stage);
  await untilTrue(fans.viewers, stage.poster);
  return { stage, fans, scraper: isScraped ? scrape(stage.service.ready.url) : undefined };
}

/** Scrapes until it is aborted. */
function scrape(url: string): AbortController {
  const stop = new AbortController();
  const { signal } = stop;
  void (async () => {
    while (!signal.aborted) {
      await got(`${url}/metrics?fleet=true`).text();
      await pause(scrapeMs, undefined, { signal }).catch(() => {});
    }
  })();
  return stop;
}

async function postCost({ stage: { poster, service } }: Side) {
  const run = { connections: 10, perSecond: 3000, durationMs };
  const { result, cpuMs, loadShare } = await measure(service, [poster], () => post(poster, run));
  return { us: (cpuMs * 1000) / result.posts, loadShare };
}

async function frameCost({ stage: { poster }, fans }: Side) {
  const run = { connections: 4, perSecond: 50, durationMs };
  const { usPerFrame, loadShare } = await measureFrames(fans, poster, each, run);
  return { us: usPerFrame, loadShare };
}

/** Processor time of one scrape, the mean of several. */
async function scrapeCost({ stage: { service } }: Side): Promise<Figure> {
  const all = await inRounds(rounds, () =>
    measure(service, [], async () => {
      for (let i = 0; i < scrapes; i += 1) await got(`${service.ready.url}/metrics`).text();
    }),
  );
  return {
    figure: 'a scrape',
    unit: 'ms of processor',
    aim: 10,
    // Nobody else works meanwhile.
    rounds: all.map(({ cpuMs }) => ({ ours: cpuMs / scrapes, loadShare: 0.01 })),
  };
}

const scraped = await startSide(true);
const other = await startSide(false, beside);
const name = beside ? 'the build beside' : 'not scraped';

/** Both sides in turn; the first round warms up and is not counted. */
async function compare(figure: string, costOf: typeof postCost): Promise<Figure> {
  const all = await inRounds(rounds + 1, async () => ({
    ours: await costOf(scraped),
    without: await costOf(other),
  }));
  return {
    figure,
    unit: 'µs of processor',
    aim,
    needsSpareLoad: true,
    rounds: all.slice(1).map(({ ours, without }) => ({
      ours: ours.us,
      limits: { [name]: without.us },
      loadShare: Math.max(ours.loadShare, without.loadShare),
    })),
  };
}

const figures = [
  await compare('a post of one delta, scraped every 15 s', postCost),
  await compare(`a frame to each of ${each.viewers} viewers, scraped every 15 s`, frameCost),
  await scrapeCost(scraped),
];
for (const { fans, stage } of [scraped, other]) await untilTrue(fans.viewers, stage.poster);
report('metrics', figures);
scraped.scraper?.abort();
for (const { fans, stage } of [scraped, other])
  await stopAll(fans.viewers, stage.service, stage.poster);
