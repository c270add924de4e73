/**
 * What metrics cost: a post, and a frame to each of 500 viewers, of a service that is scraped every 15 s. In
 * turn with one that is not: of the same build, or of the one that `BENCH_BESIDE` names, a compiled
 * `serviceProcess` without its extension. And what a scrape costs.
 */
import { setTimeout as pause } from 'node:timers/promises';
import got from 'got';
import { type Figure, inRounds, isQuick, report } from './figures.js';
import { measure } from './measure.js';
import {
  compareSides,
  endSides,
  frameCost,
  postCost,
  type Side,
  startSide,
  viewers,
} from './sides.js';

const rounds = isQuick ? 3 : 9;
const scrapeMs = 15_000;
const scrapes = 20;
const beside = process.env.BENCH_BESIDE;

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

const ours = await startSide();
const scraper = scrape(ours.stage.service.ready.url);
const other = await startSide(beside);
const sides = { ours, other, name: beside ? 'the build beside' : 'not scraped', rounds };

const figures = [
  await compareSides({
    ...sides,
    figure: 'a post of one delta, scraped every 15 s',
    costOf: postCost,
  }),
  await compareSides({
    ...sides,
    figure: `a frame to each of ${viewers} viewers, scraped every 15 s`,
    costOf: frameCost,
  }),
  await scrapeCost(ours),
];
report('metrics', figures);
scraper.abort();
await endSides(ours, other);
