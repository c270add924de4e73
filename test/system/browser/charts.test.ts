import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { ActivityEvent } from '../../../server/wire/activityEvent.js';
import { eventually } from '../../support/eventually.js';
import { nth } from '../../support/fleet.js';
import { startDouble } from '../../support/stage.js';
import { overhang, seriousFindings, untilText } from './support/looks.js';
import { startStaged, useBrowser } from './support/pages.js';
import { screenshot } from './support/screenshots.js';

const browser = useBrowser();

const hour = 3600_000;
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

/** A day of which the middle third is not known: 7, unknown, 9. */
const day = (numbers: readonly (number | null)[]) =>
  Array.from({ length: 2880 }, (_, i) => nth(numbers, Math.floor(i / 960)));

/** A service with a past. A real one would need a day. */
async function withPast(page: Page): Promise<void> {
  const event: ActivityEvent = {
    id: '1-a',
    at: ago(20 * hour),
    kind: 'server.unreachable',
    level: 'warning',
    subject: { type: 'server', name: 'a:1' },
    message: 'Pub-sub server a:1 does not answer.',
    cause: null,
    instance: 'http://127.0.0.1',
  };
  await page.route(/api\/activity/, (route) => route.fulfill({ json: [event] }));
  await page.route(/api\/history\?/, (route) => {
    const isDay = route.request().url().includes('step=30');
    const numbers = isDay ? day([7, null, 9]) : [9];
    const from = ago(isDay ? 24 * hour - 30_000 : 1000);
    const history = {
      step: isDay ? 30 : 1,
      from,
      active: true,
      connections: numbers,
      rooms: numbers,
    };
    return route.fulfill({ json: history });
  });
}

/** Pixels of a share of the first chart. */
async function pixelsAt(page: Page, share: number): Promise<[number, number]> {
  const box = await page.locator('.plot-area').first().boundingBox();
  if (!box) throw new Error('no chart');
  return [box.x + box.width * share, box.y + box.height / 2];
}

const words = (page: Page) => page.locator('.chart figcaption').allTextContents();
const readings = (page: Page) => page.locator('.chart-reading').allTextContents();

test('charts keep their range, share cursor and zoom, and draw gaps and marks', async () => {
  const double = await startDouble();
  double.rooms.set('a', 8);
  const service = await startStaged([double]);
  const page = await browser.open('about:blank');
  await withPast(page);
  await page.goto(service.url);
  await page.getByLabel('Last 24 hours').check();
  await page.waitForURL(/range=day/);
  await page.reload();

  // The range is that of before the reload, and the unknown third is told.
  expect(await page.getByLabel('Last 24 hours').isChecked()).toBe(true);
  await untilText(
    page,
    '.chart figcaption',
    /Connections.*Last 24 hours: lowest 7, highest 9, not known for 8 h\./,
  );

  // Both charts tell of the moment that is pointed at in one of them.
  await page.locator('.plot-mark').first().waitFor();
  // The chart may still move under the pointer.
  await eventually(async () => {
    await page.mouse.move(...(await pixelsAt(page, 0.2)));
    expect(await readings(page)).toEqual([expect.stringMatching(/^7 at/), expect.anything()]);
  });
  await eventually(async () => {
    await page.mouse.move(...(await pixelsAt(page, 0.5)));
    expect(await readings(page)).toEqual(Array(2).fill(expect.stringMatching(/^not known at/)));
  });
  await screenshot(page, 'charts-gap');

  // A mark has its words when the keyboard reaches it.
  await page.locator('.plot-mark').first().focus();
  await untilText(page, '.plot-words', 'Pub-sub server a:1 does not answer.');

  // Dragging zooms all charts, and the keyboard zooms on and back.
  await page.mouse.move(...(await pixelsAt(page, 0.1)));
  await page.mouse.down();
  await page.mouse.move(...(await pixelsAt(page, 0.3)));
  await page.mouse.up();
  const zoomedOut = page.getByRole('button', { name: 'Zoom out' });
  await zoomedOut.waitFor();
  await eventually(async () =>
    expect(await words(page)).toEqual(
      Array(2).fill(expect.stringContaining('In the part shown: lowest 7, highest 7.')),
    ),
  );
  expect(await seriousFindings(page)).toEqual([]);
  const slider = page.locator('.plot-area').first();
  await slider.focus();
  const before = await slider.getAttribute('aria-valuemin');
  await slider.press('+');
  await eventually(async () => expect(await slider.getAttribute('aria-valuemin')).not.toBe(before));
  await slider.press('-');
  await slider.press('Escape');
  await zoomedOut.waitFor({ state: 'detached' });
  await untilText(page, '.chart figcaption', 'Last 24 hours: lowest 7');

  await page.setViewportSize({ width: 390, height: 844 });
  await eventually(async () => expect(await overhang(page)).toBe(0));
  await screenshot(page, 'charts-phone');
});
