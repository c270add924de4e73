import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { eventually } from '../../support/eventually.js';
import { startDouble } from '../../support/stage.js';
import { overhang, seriousFindings } from '../../system/browser/support/looks.js';
import { startStaged, untilServer, useBrowser } from '../../system/browser/support/pages.js';
import { screenshot } from '../../system/browser/support/screenshots.js';

const browser = useBrowser();

/** A server with five connections to one room. It tells this name, if any. */
async function startNamed(name: string | undefined) {
  const double = await startDouble();
  if (name !== undefined) double.agent = { capabilities: [], name };
  double.rooms.set('plan', 5);
  return double;
}

async function show(page: Page, hash: string, awaited: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  await page.locator(awaited).first().waitFor();
}

const background = (page: Page, selector: string) =>
  page.evaluate<string>(
    `getComputedStyle(document.querySelector(${JSON.stringify(selector)})).backgroundColor`,
  );

/** The colors of a server in the table of servers and in that of rooms. */
async function colorsOf(page: Page, id: string): Promise<string[]> {
  await show(page, '#/servers', `[data-server="${id}"]`);
  const inServers = await background(page, `[data-server="${id}"] .swatch`);
  await show(page, '#/rooms', `[data-column="${id}"]`);
  return [inServers, await background(page, `[data-column="${id}"] .swatch`)];
}

const heads = (page: Page) => page.locator('[data-column]').allTextContents();

test.each(['light', 'dark'] as const)(
  'servers are called by their names in every view, and keep their colors when one moves: %s',
  async (colorScheme) => {
    const second = 'collaboration-production-7f9c-web-2';
    const [nameless, one, two] = [
      await startNamed(undefined),
      await startNamed('web-1'),
      await startNamed(second),
    ];
    const service = await startStaged([nameless, one, two]);
    const page = await browser.open(`${service.url}/#/rooms`, { colorScheme });
    const unnamed = `:${nameless.port}`;
    await eventually(async () => expect(await heads(page)).toEqual([unnamed, second, 'web-1']));
    expect(await page.locator(`[data-column="${one.id}"]`).getAttribute('title')).toBe(
      `web-1 at ${one.id}`,
    );
    // A server has its color with its counts.
    await eventually(async () => expect(await page.locator('.cell-heat').count()).toBe(3));
    const colors = new Map<string, string[]>();
    for (const { id } of [nameless, one, two]) colors.set(id, await colorsOf(page, id));
    expect(new Set([...colors.values()].flat()).size).toBe(3);
    await screenshot(page, `names-rooms-${colorScheme}`);

    await show(page, '#/', '.distribution[title]');
    const bar = page.locator('[data-room="plan"] .distribution');
    await eventually(async () =>
      expect((await bar.getAttribute('title'))?.split(', ').sort()).toEqual(
        [`5 on ${unnamed}`, `5 on ${second}`, '5 on web-1'].sort(),
      ),
    );
    await screenshot(page, `names-overview-${colorScheme}`);

    await one.stop();
    await untilServer(page, one.id, 'unreachable');
    await page.getByText(`web-1 at ${one.id} (unreachable)`).waitFor();
    const moved = await startNamed('web-1');
    await moved.askAtStartup(service.url, { port: moved.port });
    await untilServer(page, moved.id, 'live');
    await show(page, '#/rooms', `[data-column="${moved.id}"]`);
    await eventually(async () =>
      expect((await heads(page)).sort()).toEqual(
        [unnamed, second, `web-1 :${one.port}`, `web-1 :${moved.port}`].sort(),
      ),
    );
    await screenshot(page, `names-moved-rooms-${colorScheme}`);
    expect(await colorsOf(page, moved.id)).toEqual(colors.get(one.id));
    for (const { id } of [nameless, two]) expect(await colorsOf(page, id)).toEqual(colors.get(id));
    await show(page, '#/servers', `[data-server="${moved.id}"]`);
    await screenshot(page, `names-servers-${colorScheme}`);

    await show(page, '#/room/plan', '.watched-servers li');
    const listed = page.locator('.watched-servers li', { hasText: moved.id });
    await listed.getByText('web-1').waitFor();
    await screenshot(page, `names-room-${colorScheme}`);
    expect(await overhang(page)).toBe(0);
    expect(await seriousFindings(page)).toEqual([]);
  },
);
