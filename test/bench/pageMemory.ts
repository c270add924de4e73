/**
 * Whether the page grows while it is open: 1,000 deltas a second, of rooms that come and go, in the system's Chromium.
 * Every sample is taken at the overview, after all other views were shown, when all garbage is collected. The first
 * quarter of the samples is compared with the last one. `BENCH_MINUTES=60` takes an hour, `BENCH_DELTAS=10000` posts
 * as many a second.
 */
import { launchBrowser } from '../system/browser/support/browser.js';
import { stopAll } from './children.js';
import { endChurn, startChurn } from './churn.js';
import { type Figure, isQuick, report } from './figures.js';
import { measure } from './measure.js';
import { type Held, PageHeap } from './pageHeap.js';
import { startService } from './stage.js';
import { until } from './within.js';

const minutes = Number(process.env.BENCH_MINUTES ?? (isQuick ? 0.5 : 10));
const perSecond = Number(process.env.BENCH_DELTAS ?? 1000);
/** Until then code is compiled and caches are filled. */
const warmUpCycles = isQuick ? 4 : 8;
const samples = isQuick ? 8 : 32;
const pauseMs = (minutes * 60_000) / samples;

const churn = await startChurn({ servers: 5, rooms: 5000, perSecond });
const service = await startService(churn.ready.ids, {});
const browser = await launchBrowser();
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
const errors: string[] = [];
page.on('pageerror', (error) => errors.push(String(error)));
await page.goto(service.ready.url);
await page.locator('[data-status="complete"]').waitFor();
const heap = await PageHeap.of(browser, page);

const views = {
  rooms: 'tr[data-room]',
  servers: 'tr[data-server]',
  activity: '#main h1',
  machines: '#main h1',
  '': '.plot-lines',
};

/** Shows every view, the overview last. */
async function showAll(): Promise<void> {
  for (const [view, something] of Object.entries(views)) {
    await page.evaluate(`location.hash = '#/${view}'`);
    await page.locator(something).first().waitFor();
  }
  const link = page.locator('[data-room] a').first();
  await link.click();
  await page.locator('.watched-head').first().waitFor();
  await page.evaluate(`location.hash = '#/'`);
  await page.locator('.plot-lines').first().waitFor();
}

async function sampled(): Promise<Held> {
  const until = performance.now() + pauseMs;
  await showAll();
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, until - performance.now())));
  const held = await heap.held();
  process.stdout.write(`  ${JSON.stringify(held)}\n`);
  return held;
}

const text = async (item: string) => page.locator(`[data-item="${item}"] dd`).textContent();

await churn.ask('begin');
for (let cycle = 0; cycle < warmUpCycles; cycle += 1) await showAll();
const { result: all, loadShare } = await measure(service, [churn], async () => {
  const taken: Held[] = [];
  for (let i = 0; i < samples; i += 1) taken.push(await sampled());
  return taken;
});
const truth = await endChurn(churn);
await until('the page shows the true counts', async () => {
  const shown = [await text('connections'), await text('rooms')];
  return (
    shown.join() === [truth.connections, truth.rooms].map((n) => n.toLocaleString('en')).join()
  );
});
await browser.close();
await stopAll(service, churn);
if (errors.length > 0) throw new Error(errors.join('\n'));

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const quarter = Math.ceil(samples / 4);

function growth(what: keyof Held, unit: string, aim: number): Figure {
  const of = (part: readonly Held[]) => median(part.map((held) => held[what]));
  const [first, last] = [of(all.slice(0, quarter)), of(all.slice(-quarter))];
  const notes = { first, last, deltas: truth.deltas };
  return {
    figure: `growth of ${what}`,
    unit,
    aim,
    mayBeZero: true,
    rounds: [{ ours: last - first, loadShare, notes }],
  };
}

report(`the page: memory, ${perSecond} deltas a second for ${minutes} minutes`, [
  growth('heapMb', 'MB', 1),
  growth('workerMb', 'MB', 1),
  // Chromium may keep the last view that was left for a while.
  growth('nodes', 'nodes', 1000),
  growth('listeners', 'listeners', 20),
]);
