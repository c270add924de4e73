import { expect, test } from '@jest/globals';
import { startDouble } from '../../support/stage.js';
import { overhang, seriousFindings, untilCount, untilText } from './support/looks.js';
import { startStaged, untilServer, useBrowser } from './support/pages.js';
import { screenshot } from './support/screenshots.js';

const browser = useBrowser();

test('the activity lists what happens as it happens, filters it, and leads to what it is about', async () => {
  const [sick, well] = [await startDouble(), await startDouble()];
  const service = await startStaged([sick, well]);
  const { open } = browser;
  const page = await open(`${service.url}/#/servers`);
  await untilServer(page, sick.id, 'live');
  sick.respond({ kind: 'status', status: 500 });
  sick.respond({ kind: 'status', status: 500, to: 'health' });
  await untilServer(page, sick.id, 'unreachable');
  await page.getByRole('link', { name: 'Activity' }).click();
  const event = (kind: string) => `[data-kind="${kind}"]`;
  await page.locator(event('server.unreachable')).first().waitFor();
  await page.locator(event('instance.alone')).first().waitFor();

  sick.respond({ kind: 'normal' });
  sick.respond({ kind: 'normal', to: 'health' });
  await page.locator(event('server.live')).first().waitFor();
  // The newest first. On a busy machine the other server may be late meanwhile.
  const kinds = await page
    .locator('[data-event]', { hasText: sick.id })
    .evaluateAll((all) => all.map((row) => row.getAttribute('data-kind')));
  expect(kinds).toContain('server.live');
  expect(kinds.indexOf('server.live')).toBeLessThan(kinds.lastIndexOf('server.unreachable'));

  await page.getByLabel('Problems only').check();
  await untilCount(page, event('server.live'), 0);
  await page.getByLabel('Search the activity').fill('nothing like it');
  await page.locator('[data-empty="no-match"]').waitFor();
  await page.getByLabel('Search the activity').fill('500');
  await page.locator(event('server.unreachable')).first().waitFor();
  // The filter is in the address.
  await page.waitForURL(/#\/activity\?level=warning&q=500$/);
  await page.reload();
  await page.locator(event('server.unreachable')).first().waitFor();
  expect(await page.getByLabel('Problems only').isChecked()).toBe(true);
  await untilCount(page, event('server.live'), 0);
  expect(await seriousFindings(page)).toEqual([]);

  // By keyboard: to the next row, and where its link leads.
  const rows = page.locator('[data-event]');
  await rows.first().focus();
  await page.keyboard.press('ArrowDown');
  expect(await rows.nth(1).evaluate((row) => row.matches(':focus'))).toBe(true);
  await untilText(page, ':focus .moment-at', /\d{4}/);
  await page.setViewportSize({ width: 390, height: 800 });
  expect(await overhang(page)).toBe(0);
  await screenshot(page, 'activity-390');
  await page.keyboard.press('Enter');
  await page.waitForURL(/#\/server\/127\.0\.0\.1%3A\d+$/);
});
