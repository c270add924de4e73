import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { startDouble, stopStaged } from '../../support/stage.js';
import { overhang, seriousFindings, untilCount, untilText } from './support/looks.js';
import { serviceIsAway, startStaged, untilServer, useBrowser } from './support/pages.js';
import { screenshot } from './support/screenshots.js';

const browser = useBrowser();

test('a server has a page with its rooms, requests, events and facts, and what to do if it fails', async () => {
  const [sick, well] = [await startDouble(), await startDouble()];
  sick.agent = { name: 'web-1', agent: '0.1.0', memoryBytes: 80 * 1024 * 1024 };
  for (let i = 1; i <= 60; i += 1) sick.rooms.set(`page-${i}`, i === 7 ? 9 : 1);
  well.rooms.set('page-7', 2);
  const service = await startStaged([sick, well]);
  const page = await browser.open(`${service.url}/#/servers`, {
    viewport: { width: 1000, height: 200 },
    allowed: serviceIsAway,
  });
  await untilServer(page, sick.id, 'live');

  // Back finds the list where it was.
  const scrolled = () => page.evaluate('scrollY');
  const link = page.locator(`[data-server="${sick.id}"]`).getByRole('link', { name: 'web-1' });
  await link.hover();
  expect(await scrolled()).toBeGreaterThan(0);
  await link.click();
  await page.locator(`[data-page="${sick.id}"][data-state="live"]`).waitFor();
  expect(await scrolled()).toBe(0);
  await page.goBack();
  await untilServer(page, sick.id, 'live');
  // Not exactly there: on a busy machine a notice above may come or go meanwhile.
  await eventually(async () => expect(await scrolled()).toBeGreaterThan(0));
  await page.goForward();
  await page.setViewportSize({ width: 1000, height: 900 });

  // Its rooms: the busiest first, in natural order, searched in the address.
  await untilText(page, '[data-room="page-7"]', /9\s*11$/);
  const first = () => page.locator('[data-room]').first().getAttribute('data-room');
  await eventually(async () => expect(await first()).toBe('page-7'));
  await page.getByRole('button', { name: 'Room', exact: true }).click();
  await eventually(async () => expect(await first()).toBe('page-1'));
  expect(await page.locator('[data-room]').nth(1).getAttribute('data-room')).toBe('page-2');
  await page.getByLabel('Search the rooms of this server').fill('page-5');
  await untilCount(page, '[data-room]', 11);
  await page.waitForURL(/\?sort=name&q=page-5$/);

  await untilText(page, '[data-fact="Memory"]', '80 MiB');
  await untilText(page, '[data-fact="Drift"]', /0$/);
  await untilText(page, '[data-request="activate"]', /^Counts[1-9].*ms/);
  expect(await seriousFindings(page)).toEqual([]);

  sick.respond({ kind: 'status', status: 500 });
  sick.respond({ kind: 'status', status: 500, to: 'health' });
  await page.locator(`[data-page][data-state="unreachable"]`).waitFor();
  const notice = '[data-notice="server"]';
  await untilText(page, notice, /Since .*Why: answered 500/s);
  await untilText(page, notice, `curl -i http://${sick.id}/health`);
  await untilText(page, '[data-kind="server.unreachable"]', 'Unreachable');
  expect(await seriousFindings(page)).toEqual([]);
  await page.setViewportSize({ width: 390, height: 800 });
  expect(await overhang(page)).toBe(0);
  await screenshot(page, 'server-390');

  sick.respond({ kind: 'normal' });
  sick.respond({ kind: 'normal', to: 'health' });
  await page.locator(`[data-page][data-state="live"]`).waitFor();
  await untilCount(page, notice, 0);
  await untilText(page, '[data-last-failure]', 'answered 500');

  await page.evaluate('location.hash = "#/server/10.0.0.9%3A1"');
  await untilText(page, '[data-empty="server"]', '10.0.0.9:1');

  // Without the service, every number is of then.
  await page.goBack();
  await untilText(page, '[data-fact="Rooms"]', /^Rooms60$/);
  await untilText(page, '.server-room-card .card-head', '60');
  await stopStaged(service);
  await untilText(page, '[data-fact="Rooms"]', /^Rooms60 · (now|\d.* ago)$/);
  await untilText(page, '.server-head', /Live\s*· (now|\d.* ago)/);
  await untilText(page, '.server-room-card .card-head', /60\s*· (now|\d.* ago)/);
  expect(await page.locator('.chart-value .count').count()).toBe(0);
});
