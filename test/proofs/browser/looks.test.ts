import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { eventually } from '../../support/eventually.js';
import { startDouble } from '../../support/stage.js';
import { overhang, seriousFindings } from '../../system/browser/support/looks.js';
import {
  startStaged,
  untilServer,
  untilStrip,
  useBrowser,
} from '../../system/browser/support/pages.js';
import { screenshot } from '../../system/browser/support/screenshots.js';

const browser = useBrowser();

/** Two servers that answer, one that does not, and five rooms. */
async function startMixed() {
  const doubles = [await startDouble(), await startDouble(), await startDouble()];
  const [one, two, down] = doubles;
  const rooms = ['design-review', 'weekly%20notes', 'roadmap/2025', '%F0%9F%98%80%20retro', '100%'];
  rooms.forEach((room, i) => {
    one?.rooms.set(room, 9 - i);
    two?.rooms.set(room, i + 1);
  });
  down?.respond({ kind: 'reset' });
  down?.respond({ kind: 'reset', to: 'health' });
  return { service: await startStaged(doubles, {}, { isHurried: true }), downId: down?.id ?? '' };
}

const views = ['overview', 'rooms', 'servers'] as const;

async function show(page: Page, view: (typeof views)[number]): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(`#/${view === 'overview' ? '' : view}`)}`);
  const something = {
    overview: '.plot-lines',
    rooms: 'tr[data-room]',
    servers: 'h1:text("Servers")',
  };
  await page.locator(something[view]).first().waitFor();
}

const background = (page: Page) =>
  page.evaluate<string>('getComputedStyle(document.body).backgroundColor');

test('every view is readable in both color schemes and on a phone', async () => {
  const { service, downId } = await startMixed();
  const backgrounds = new Set<string>();
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.open(service.url, {
      colorScheme,
      viewport: { width: 1200, height: 800 },
    });
    await untilStrip(page, {
      rooms: 'at least 5',
      connections: 'at least 50',
      servers: '2 of 3 live',
    });
    await untilServer(page, downId, 'unreachable');
    backgrounds.add(await background(page));
    for (const view of views) {
      await show(page, view);
      expect([view, await seriousFindings(page)]).toEqual([view, []]);
      await screenshot(page, `${view}-${colorScheme}`);
    }
    await page.setViewportSize({ width: 360, height: 740 });
    for (const view of views) {
      await show(page, view);
      expect([view, await overhang(page)]).toEqual([view, 0]);
      expect([view, await seriousFindings(page)]).toEqual([view, []]);
      await screenshot(page, `${view}-${colorScheme}-phone`);
    }
  }
  expect(backgrounds.size).toBe(2);
});

const maxFirstLoadBytes = 150_000;

test('the first load is small', async () => {
  const { service } = await startMixed();
  const page = await browser.open('about:blank');
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  let bytes = 0;
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await page.goto(service.url);
  await untilStrip(page, { rooms: 'at least 5' });
  await page.locator('.plot-lines').first().waitFor();
  process.stdout.write(`  first load: ${bytes} bytes over the wire\n`);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(maxFirstLoadBytes);
});

test('with reduced motion there are no animations', async () => {
  const { service } = await startMixed();
  const page = await browser.open(service.url, { reducedMotion: 'reduce' });
  await untilStrip(page, { rooms: 'at least 5' });
  // Simulates a change.
  const animation = await page.evaluate<string>(`(() => {
    const count = document.querySelector('.count');
    count.classList.add('changed');
    return getComputedStyle(count).animationName;
  })()`);
  expect(animation).toBe('none');
});

test('the page works with the keyboard', async () => {
  const { service } = await startMixed();
  const page = await browser.open(service.url);
  await untilStrip(page, { rooms: 'at least 5' });
  await page.keyboard.press('Tab');
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
  await page.keyboard.press('Enter');
  expect(await page.evaluate('document.activeElement.id')).toBe('main');
  await page.keyboard.press('Tab');
  expect(await page.evaluate('document.activeElement.closest("main") !== null')).toBe(true);
  // Sorting with the keyboard sets `aria-sort`.
  const header = page.locator('.server-connections').first();
  await header.getByRole('button').focus();
  for (const order of ['descending', 'ascending']) {
    await page.keyboard.press('Enter');
    await eventually(async () => expect(await header.getAttribute('aria-sort')).toBe(order));
  }
});
