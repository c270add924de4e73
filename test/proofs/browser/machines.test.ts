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

const look = (service: { url: string }, options = {}): Promise<Page> =>
  browser.open(`${service.url}/#/machines`, options);

/** The paths of all states of a definition. */
function pathsOf({ states = {} }: Definition, path = ''): string[] {
  return Object.entries(states).flatMap(([key, state]) => [
    path + key,
    ...pathsOf(state, `${path}${key}.`),
  ]);
}

const drawn = (page: Page) =>
  page
    .locator('[data-state]')
    .evaluateAll((states) => states.map((it) => it.getAttribute('data-state')));
/** The innermost highlighted states. */
const lit = (page: Page) =>
  page
    .locator('.chart-state.is-lit:not(:has(.is-lit))')
    .evaluateAll((states) => states.map((it) => it.getAttribute('data-state')));
const untilLit = (page: Page, states: string[]) =>
  eventually(async () => expect(await lit(page)).toEqual(expect.arrayContaining(states)));
const choose = (page: Page, name: RegExp) => page.getByRole('button', { name }).click();

test('each machine is drawn with all its states, and the current state and context are shown', async () => {
  const service = await startStaged(fleet);
  const page = await look(service);
  await eventually(async () => expect(await lit(page)).toEqual(['active.watched']));
  expect(await page.locator('[aria-current=true]', { hasText: 'watched' }).count()).toBe(1);
  const machines = await getJson<{ id: string; definition: Definition }[]>(
    `${service.url}/api/machines`,
  );
  expect(machines).toHaveLength(4);
  for (const [index, { definition }] of machines.entries()) {
    await page.getByRole('navigation', { name: 'Machines' }).getByRole('button').nth(index).click();
    await eventually(async () => expect(await drawn(page)).toEqual(pathsOf(definition)));
  }
  await choose(page, /^Activation/);
  await connectTo(nth(fleet, 0), 'r');
  await untilText(page, '.machines-context .tree', /tally.*rooms\s*1\s*connections\s*1/s);
  // Actions are hidden by default.
  expect(await page.locator('.chart').textContent()).not.toContain('addViewer');
  await page.getByLabel('Actions').check();
  await untilText(page, '.chart-transition', /viewer\.connected.*addViewer.*always.*activating/s);
});

test('servers are counted by state, and a killed one turns unreachable with a flash', async () => {
  const dead = await startReal();
  const page = await look(await startStaged([nth(fleet, 0), dead]));
  await choose(page, /^Pub-sub servers 2/);
  await untilText(page, '[data-state="standing.engaged.heard.live"] > .chart-name', 'live2');
  await dead.kill();
  await untilText(
    page,
    '[data-state="standing.engaged.unreachable"] > .chart-name',
    'unreachable1',
  );
  await eventually(async () =>
    expect(
      await page.locator('[data-state="standing.engaged.unreachable"] > .chart-flash').count(),
    ).toBe(1),
  );
  await untilText(page, '[data-state="standing.engaged.heard.live"] > .chart-name', 'live1');

  await page.getByLabel('Search by id').fill(String(dead.port));
  await untilCount(page, '.machines-actor', 1);
  await page.locator('.machines-actor').click();
  await untilText(page, '.machines-context', `server:${dead.id}`);
  await untilLit(page, ['standing.engaged.unreachable']);
  expect(await lit(page)).not.toContain('standing.engaged.heard.live');
  await untilText(page, '.machines-context .tree', /failures\s*[1-9]/);
  await page.getByLabel('Search by id').fill('nothing has this');
  await untilText(page, '.machines-actors', 'No matching ids');
});

test('a transition leads to its state by keyboard, and axe and a phone show no problems', async () => {
  const service = await startStaged(fleet);
  const phone = await look(service, { viewport: { width: 360, height: 740 } });
  await choose(phone, /^Pub-sub servers 2/);
  await untilText(phone, '[data-state="standing.engaged.heard.live"] > .chart-name', 'live2');
  expect(await overhang(phone)).toBe(0);
  expect(await seriousFindings(phone)).toEqual([]);
  await screenshot(phone, 'machines-phone');
  const target = phone.locator('[data-state="request.waiting"] .chart-target button').first();
  await target.focus();
  await untilCount(phone, '[data-state="request.resting"].is-pointed', 1);
  await phone.keyboard.press('Enter');
  const focused = phone.locator('[data-state="request.resting"]:focus');
  await eventually(async () => expect(await focused.count()).toBe(1));

  const dark = await look(service, { colorScheme: 'dark' });
  await untilLit(dark, ['active.watched']);
  await dark.getByLabel('Actions').check();
  expect(await seriousFindings(dark)).toEqual([]);
  await screenshot(dark, 'machines-dark');
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
