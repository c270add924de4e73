import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { ServerDetails } from '../../../server/wire/serverView.js';
import { eventually } from '../../support/eventually.js';
import { startDouble } from '../../support/stage.js';
import { seriousFindings, untilCount } from './support/looks.js';
import { startStaged, useBrowser } from './support/pages.js';

const browser = useBrowser();

test('the servers view shows what servers tell of themselves, and a dash for what they do not', async () => {
  const [told, deployed] = [await startDouble(), await startDouble()];
  told.agent = {
    name: 'web-1',
    agent: '0.1.0',
    host: 'hocuspocus 3.4.4',
    uptimeSeconds: 3 * 3600,
    memoryBytes: 80 * 1024 * 1024,
    eventLoopDelayMs: 1.6,
    documents: { inMemory: 1234, idle: 2 },
    stores: { pending: 0, failed: 3 },
  };
  const service = await startStaged([told, deployed]);
  const page = await browser.open(`${service.url}/#/servers`);
  const row = page.locator(`[data-agent="${told.id}"]`);
  await row.waitFor();
  const factsOf = async (id: string) =>
    Object.fromEntries(
      await page
        .locator(`[data-agent="${id}"] td`)
        .evaluateAll((cells) =>
          cells.map((cell) => [cell.getAttribute('data-fact'), cell.textContent]),
        ),
    );
  expect(await factsOf(told.id)).toEqual({
    'Runs in': 'hocuspocus 3.4.4',
    Agent: '0.1.0',
    Up: '3 h',
    Memory: '80 MiB',
    'Loop delay': '2 ms',
    'In memory': '1,234',
    Idle: '2',
    'To store': '0',
    'Not stored': '3',
  });
  expect(new Set(Object.values(await factsOf(deployed.id)))).toEqual(new Set(['–unknown']));
  await page.locator(`[data-server="${told.id}"]`).getByText('web-1').waitFor();
});

/** Answers of the service as those of a fleet of so many servers. */
async function withServers(page: Page, count: number): Promise<void> {
  await page.route('**/api/servers', async (route) => {
    const [one] = (await (await route.fetch()).json()) as ServerDetails[];
    const idOf = (i: number) => `10.0.${i >> 8}.${i & 255}:8001`;
    const others = Array.from({ length: count - 1 }, (_, i) => ({ ...one, id: idOf(i) }));
    await route.fulfill({ json: one ? [one, ...others] : [] });
  });
}

test('of a thousand servers those near the window are drawn, and keys reach all', async () => {
  const double = await startDouble();
  double.agent = { agent: '0.1.0', host: 'node', uptimeSeconds: 60 };
  const service = await startStaged([double]);
  const page = await browser.open('about:blank');
  await withServers(page, 1000);
  await page.goto(`${service.url}/#/servers`);
  const table = page.locator('.server-table[aria-rowcount="1001"]');
  await table.waitFor();
  const drawn = () => page.locator('[data-server], [data-agent]').count();
  await eventually(async () => expect(await drawn()).toBeGreaterThan(10));
  expect(await drawn()).toBeLessThan(200);

  // Tab reaches one row, and the keys the others, wherever the window is scrolled to.
  const reached = table.locator('a[tabindex="0"]');
  await untilCount(page, '.server-table a[tabindex="0"]', 1);
  await reached.focus();
  const indexOf = (which: string) =>
    table.locator(`[data-server]:has(a${which})`).getAttribute('aria-rowindex');
  const first = Number(await indexOf(':focus'));
  await page.keyboard.press('ArrowDown');
  await eventually(async () => expect(Number(await indexOf(':focus'))).toBe(first + 1));
  await page.keyboard.press('End');
  await eventually(async () => expect(await indexOf(':focus')).toBe('1001'));
  const focusedAt = async () => (await table.locator('a:focus').boundingBox())?.y ?? -1;
  await eventually(async () => expect(Math.abs((await focusedAt()) - 400)).toBeLessThan(400));
  expect(await drawn()).toBeLessThan(200);
  await page.mouse.move(600, 400);
  await page.mouse.wheel(0, -1_000_000);
  await page.locator('[data-server][aria-rowindex="2"]').waitFor();
  expect(await indexOf(':focus')).toBe('1001');
  await page.keyboard.press('Home');
  await eventually(async () => expect(await indexOf(':focus')).toBe('2'));
  expect(await seriousFindings(page)).toEqual([]);
});
