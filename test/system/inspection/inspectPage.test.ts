import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { StatelyInspectionEvent } from '@statelyai/inspect';
import type { Browser, Page } from 'playwright-core';
import { eventually } from '../../support/eventually.js';
import { activationsOf, startDouble, startStaged, visits, watch } from '../../support/stage.js';
import { launchBrowser, patienceMs } from '../browser/support/browser.js';
import { seriousFindings } from '../browser/support/looks.js';
import { statesIn } from './support.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const modules = fileURLToPath(new URL('../../../node_modules/', import.meta.url));
/** What the receiver does not use of the package's imports. */
const unused =
  'export default { configure: () => JSON.stringify }; export const stringify = 0, uuid = 0;';
const imports = {
  xstate: '/xstate/dist/xstate.esm.js',
  ...Object.fromEntries(
    [
      'fast-safe-stringify',
      'safe-stable-stringify',
      'isomorphic-ws',
      'partysocket',
      'superjson',
      '#uuid',
    ].map((name) => [name, '/unused.js']),
  ),
};
/** In place of the page of stately.ai: the receiver of the package, as that page has it. */
const standIn = `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">
import { createBrowserReceiver } from '/@statelyai/inspect/dist/index.mjs';
window.received = [];
createBrowserReceiver().subscribe((message) => window.received.push(message));
</script>`;

/** A browser page that reaches a stand-in for stately.ai and no other site. */
async function openPage(): Promise<{ page: Page; outside: string[]; refused: string[] }> {
  const page = visits(await browser.newPage(), (it) => it.close());
  page.setDefaultTimeout(patienceMs);
  const outside: string[] = [];
  const refused: string[] = [];
  page.on('console', (message) => message.type() === 'error' && refused.push(message.text()));
  await page.route(/^https?:\/\/(?!127\.0\.0\.1)/, async (route) => {
    const { origin, pathname } = new URL(route.request().url());
    outside.push(origin + pathname);
    if (pathname === '/inspect') return route.fulfill({ contentType: 'text/html', body: standIn });
    const isModule = pathname !== '/unused.js';
    const body = isModule ? await readFile(modules + pathname.slice(1), 'utf8') : unused;
    return route.fulfill({ contentType: 'text/javascript', body });
  });
  return { page, outside, refused };
}

const receivedBy = (page: Page) =>
  page.frames()[1]?.evaluate(() => (globalThis as unknown as Received).received) ?? [];
interface Received {
  received: StatelyInspectionEvent[];
}

test('the page sends the inspector nothing before a click, and everything afterwards', async () => {
  const double = await startDouble();
  const service = await startStaged([double], { INSPECT: 'true' });
  const { page, outside, refused } = await openPage();
  await page.goto(`${service.url}/inspect`);
  expect(await page.textContent('form')).toContain('addresses of pub-sub servers');
  expect(outside).toEqual([]);
  expect(await seriousFindings(page)).toEqual([]);
  await page.click('button');
  await eventually(async () =>
    expect(statesIn(await receivedBy(page))).toMatchObject({
      activation: '"inactive"',
      [`server:${double.id}`]: expect.stringContaining('"standing":"silent"'),
    }),
  );
  expect(activationsOf(double)).toBe(0);
  await watch(service);
  await eventually(async () =>
    expect(statesIn(await receivedBy(page)).activation).toBe('{"active":"watched"}'),
  );
  expect(await page.textContent('output')).toMatch(/^Connected: \d+ messages sent\.$/);
  expect(new Set(outside.map((url) => new URL(url).origin))).toEqual(
    new Set(['https://stately.ai']),
  );
  expect(refused).toEqual([]);
});

test('the page frames and listens to stately.ai only', async () => {
  const service = await startStaged([], { INSPECT: 'true' });
  const { page, outside, refused } = await openPage();
  await page.goto(`${service.url}/inspect`);
  await page.evaluate(() => {
    const { document, window } = globalThis as unknown as Dom;
    document.querySelector('iframe').src = 'https://elsewhere.example/inspect';
    window.postMessage({ type: '@statelyai.connected' }, '*');
  });
  await eventually(() => expect(refused.join()).toContain('frame-src https://stately.ai'));
  expect(outside).toEqual([]);
  expect(await page.textContent('output')).toBe('');
});
interface Dom {
  document: { querySelector(name: string): { src: string } };
  window: { postMessage(message: object, to: string): void };
}
