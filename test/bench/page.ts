/**
 * What scrolling through 100,000 rooms and 1,000 servers takes of the main thread of the page, frame by frame, in the
 * system's Chromium, while 200 deltas a second come in. Beside it is a bare list of as many rows.
 */
import type { Page } from 'playwright-core';
import { launchBrowser } from '../system/browser/support/browser.js';
import { stopAll } from './children.js';
import { endChurn, startChurn } from './churn.js';
import { type Figure, inRounds, isQuick, report } from './figures.js';
import { startFleet, untilInactive } from './fleet.js';
import { measure } from './measure.js';
import { startPlainList } from './plainList.js';
import { type Scrolled, scrolled } from './scrolling.js';
import { startService } from './stage.js';
import { until } from './within.js';

const rounds = isQuick ? 1 : 3;
const steps = isQuick ? 60 : 400;
/** Of so few frames the 99th percentile is the worst one: on a busy machine, a matter of luck. */
const judged = isQuick ? 'p50' : 'p99';
const aimMs = 8;
const size = { servers: 999, hung: 0, rooms: 100 };
const least = { rooms: 99_900, servers: 1000 };

const fleet = await startFleet(size);
const churn = await startChurn({ servers: 1, rooms: 1000, perSecond: 200 });
const ids = [...fleet.ready.ports.map((port) => `127.0.0.1:${port}`), ...churn.ready.ids];
// One process answers for all servers: on a busy machine that takes a while.
const patience = {
  LINGER_MS: '3600000',
  REQUEST_TIMEOUT_MS: '20000',
  RESYNC_INTERVAL_MS: '3600000',
};
const service = await startService(ids, patience);
await untilInactive(service);
const plain = await startPlainList(least.rooms);
const browser = await launchBrowser(['--disable-smooth-scrolling']);
const viewport = { width: 1280, height: 900 };

async function open(url: string): Promise<Page> {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** The page with all rooms and servers. */
async function openAll(view: string): Promise<Page> {
  const page = await open(`${service.ready.url}/#/${view}`);
  const numberOf = async (item: string) => {
    const text = await page.locator(`[data-item="${item}"] dd`).textContent();
    return Number(/\d+/.exec(text?.replaceAll(',', '') ?? '')?.[0]);
  };
  await until('the page has all rooms and servers', async () => {
    const [rooms, servers] = [await numberOf('rooms'), await numberOf('servers')];
    return rooms >= least.rooms && servers >= least.servers;
  });
  return page;
}

async function inPage(view: string, selector: string): Promise<Scrolled & { loadShare: number }> {
  const page = await openAll(view);
  await page.locator(selector).first().waitFor();
  const scroll = { selector, steps };
  const { result, loadShare } = await measure(service, [churn], () =>
    scrolled(browser, page, scroll),
  );
  await page.context().close();
  return { ...result, loadShare };
}

async function inPlainList(): Promise<Scrolled> {
  const page = await open(plain.url);
  const result = await scrolled(browser, page, { selector: '#list', steps });
  await page.context().close();
  return result;
}

async function oneRound() {
  const bare = await inPlainList();
  const rooms = await inPage('rooms', '.room-scroller');
  const servers = await inPage('servers', '.server-table');
  return { bare, rooms, servers };
}

await churn.ask('begin');
const results = await inRounds(rounds, oneRound);
await endChurn(churn);
await browser.close();
plain.stop();
await stopAll(service, fleet, churn);

const figureOf = (figure: string, list: 'rooms' | 'servers'): Figure => ({
  figure: `${figure}: processor time of the main thread a frame, ${judged}`,
  unit: 'ms',
  aim: aimMs,
  rounds: results.map(({ bare, [list]: ours }) => {
    const { frames, p50, p95, p99, worst, wallP99, loadShare } = ours;
    const beside = { 'bare list, p50': bare.p50, 'bare list, p99': bare.p99 };
    const notes = { frames, p50, p95, p99, worst, 'p99 by the clock': wallP99, ...beside };
    return { ours: ours[judged], loadShare, notes };
  }),
});

report('the page: scrolling by wheel, 100 pixels a frame', [
  figureOf('100,000 rooms', 'rooms'),
  figureOf('1,000 servers', 'servers'),
]);
