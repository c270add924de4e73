import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { eventually } from '../../support/eventually.js';
import { connectTo, nth, sharedFleet, startReal } from '../../support/fleet.js';
import { getJson } from '../../support/stage.js';
import {
  overhang,
  seriousFindings,
  untilCount,
  untilText,
} from '../../system/browser/support/looks.js';
import { startStaged, useBrowser } from '../../system/browser/support/pages.js';
import { screenshot } from '../../system/browser/support/screenshots.js';

interface Definition {
  states?: Record<string, Definition>;
}

const browser = useBrowser();
const fleet = sharedFleet(2);

const look = (service: { url: string }, query = '', options = {}): Promise<Page> =>
  browser.open(`${service.url}/#/statecharts${query}`, options);

/** The paths of all states of a definition. */
function pathsOf({ states = {} }: Definition, path = ''): string[] {
  return Object.entries(states).flatMap(([key, state]) => [
    path + key,
    ...pathsOf(state, `${path}${key}.`),
  ]);
}

const idsOf = (page: Page, name: string) =>
  page
    .locator(`[${name}]`)
    .evaluateAll((all, attribute) => all.map((it) => it.getAttribute(attribute) ?? ''), name);
/** The highlighted states that have none in them. */
const lit = (page: Page) =>
  page
    .locator('[data-part].is-lit:is(.is-state, .is-final)')
    .evaluateAll((states) => states.map((it) => it.getAttribute('data-part')));
const untilLit = (page: Page, states: string[]) =>
  eventually(async () => expect(await lit(page)).toEqual(expect.arrayContaining(states)));
const choose = (page: Page, name: RegExp) => page.getByRole('button', { name }).click();
const head = (id: string) => `[data-head="${id}"]`;

test('each machine is drawn with all its states and arrows, and listed for screen readers', async () => {
  const service = await startStaged(fleet);
  const page = await look(service);
  await eventually(async () => expect(await lit(page)).toEqual(['active.watched']));
  const machines = await getJson<{ id: string; definition: Definition }[]>(
    `${service.url}/api/machines`,
  );
  expect(machines).toHaveLength(4);
  for (const [index, { id, definition }] of machines.entries()) {
    await page
      .getByRole('navigation', { name: 'Statecharts' })
      .getByRole('button')
      .nth(index)
      .click();
    await page.waitForURL(new RegExp(`machine=${id}`));
    const paths = pathsOf(definition);
    await eventually(async () => {
      const drawn = (await idsOf(page, 'data-part')).filter((part) => !part.includes('@'));
      expect(drawn.sort()).toEqual(paths.sort());
      expect(await idsOf(page, 'data-state')).toHaveLength(paths.length);
    });
    expect(await page.locator('[data-arrow]').count()).toBeGreaterThan(5);
  }
  await choose(page, /^Activation/);
  await connectTo(nth(fleet, 0), 'r');
  await untilText(page, '.statecharts-context .tree', /tally.*rooms\s*1\s*connections\s*1/s);
  // Actions are hidden by default.
  expect(await page.locator('.viewport').textContent()).not.toContain('addViewer');
  await page.getByLabel('Actions').check();
  await untilText(page, '.viewport', /always \[isWatched\].*viewer\.connected \/ addViewer/s);
  expect(await seriousFindings(page)).toEqual([]);
  await page.getByRole('button', { name: 'List' }).click();
  await untilCount(page, '.viewport', 0);
  await untilText(page, '.chart-transition', /viewer\.connected.*addViewer.*always.*activating/s);
});

test('the statechart of a server is a link on its page, and shows what happens to it', async () => {
  const dead = await startReal();
  const service = await startStaged([nth(fleet, 0), dead]);
  const page = await browser.open(`${service.url}/#/server/${encodeURIComponent(dead.id)}`);
  await page.getByRole('link', { name: 'Statechart' }).click();
  await untilText(page, '.statecharts-context', `server:${dead.id}`);
  await untilLit(page, ['standing.engaged.heard.live']);
  await dead.kill();
  await untilLit(page, ['standing.engaged.unreachable']);
  expect(await lit(page)).not.toContain('standing.engaged.heard.live');
  // Marked until the server answers.
  const arrow = '[data-arrow="standing.engaged.heard>standing.engaged.unreachable"]';
  await untilCount(page, `${arrow}.is-taken > .arrow-flash`, 1);
  expect(await seriousFindings(page)).toEqual([]);
  await screenshot(page, 'statechart-server');

  await page.getByRole('button', { name: 'Show all' }).click();
  await untilText(page, head('standing.engaged.heard.live'), 'live1');
  await untilText(page, head('standing.engaged.unreachable'), 'unreachable1');
  await page.getByLabel('Search by id').fill('nothing has this');
  await untilText(page, '.statecharts-actors', 'No matching ids');
});

test('a phone shows a chart by scrolling and zooming, also by keyboard, and links of the list go to states', async () => {
  const service = await startStaged(fleet);
  const phone = await look(service, '?machine=pubSubServer', {
    viewport: { width: 360, height: 740 },
    colorScheme: 'dark',
  });
  await untilLit(phone, ['standing.engaged.heard.live']);
  expect(await overhang(phone)).toBe(0);
  expect(await seriousFindings(phone)).toEqual([]);
  await screenshot(phone, 'statechart-phone');
  const frame = phone.getByRole('region', { name: /^Chart of Pub-sub servers/ });
  await frame.focus();
  await untilText(phone, '.viewport-zoom', '75');
  await phone.keyboard.press('+');
  await untilText(phone, '.viewport-zoom', '94');
  await phone.keyboard.press('ArrowRight');
  await eventually(async () =>
    expect(await frame.evaluate(({ scrollLeft }) => scrollLeft)).toBeGreaterThan(0),
  );
  await phone.keyboard.press('0');
  const widths = () =>
    frame.evaluate(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth] as const);
  await eventually(async () => {
    const [whole, seen] = await widths();
    expect(whole).toBe(seen);
  });

  await phone.getByRole('button', { name: 'List' }).click();
  await phone.locator('[data-state="request.waiting"] .chart-target button').first().focus();
  await phone.keyboard.press('Enter');
  await untilCount(phone, '[data-state="request.resting"]:focus', 1);
  expect(await overhang(phone)).toBe(0);
  expect(await seriousFindings(phone)).toEqual([]);
});

test('the page links to the Stately inspector when it is on', async () => {
  const service = await startStaged([], { INSPECT: 'true' });
  const page = await look(service);
  await page.getByText('Follow every event in the Stately inspector').click();
  const link = page.getByRole('link', { name: 'Open the inspector' });
  await eventually(async () => expect(await link.count()).toBe(1));
  await link.click();
  await eventually(() => expect(page.url()).toBe(`${service.url}/inspect`));
});
