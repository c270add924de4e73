/** Everything on the page can be reached and used without a pointer. */

import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { eventually } from '../../support/eventually.js';
import { noResync, patient, startDouble } from '../../support/stage.js';
import { startStaged, untilStream, useBrowser } from '../../system/browser/support/pages.js';

const browser = useBrowser();

/** What Tab went to. */
interface Stop {
  what: string;
  /** Whether it is marked, on the screen, and not covered. */
  isSeen: boolean;
  isFirst: boolean;
}

/** Runs in the page. Remembers what had the focus. */
const noteStop = `(() => {
  const element = document.activeElement;
  globalThis.stops ??= new Set();
  const isFirst = element.matches('.skip') && globalThis.stops.size > 1;
  globalThis.stops.add(element);
  const isMarked = (marked, ...pseudo) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(marked, ...pseudo);
    return outlineStyle !== 'none' && outlineWidth !== '0px';
  };
  // A radio button is hidden, and the words beside it are marked.
  const { nextElementSibling: words } = element;
  const isMarkedBeside = element.type === 'radio' && words !== null && isMarked(words);
  const box = element.getBoundingClientRect();
  const isOn = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return {
    what: element.outerHTML.slice(0, 120),
    isSeen: isOn && (isMarked(element) || isMarked(element, '::after') || isMarkedBeside),
    isFirst,
  };
})()`;

/** Runs in the page: what Tab should have reached and did not. Of radio buttons it reaches one. */
const missed = `[...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
  .filter((element) => element.tabIndex >= 0 && !element.disabled && element.checkVisibility())
  .filter((element) => element.type !== 'radio' || element.checked)
  .filter((element) => !globalThis.stops.has(element))
  .map((element) => element.outerHTML.slice(0, 120))`;

/** Presses Tab through the whole page. Returns what was focused and could not be seen. */
async function tabThrough(page: Page): Promise<string[]> {
  await page.evaluate(
    'globalThis.stops = new Set(); document.activeElement.blur(); scrollTo(0, 0)',
  );
  const unseen: string[] = [];
  for (let presses = 0; presses < 300; presses += 1) {
    await page.keyboard.press('Tab');
    const { what, isSeen, isFirst } = await page.evaluate<Stop>(noteStop);
    if (isFirst) return unseen;
    if (!isSeen && !what.startsWith('<body')) unseen.push(what);
  }
  throw new Error('Tab does not come back to the beginning: something traps the focus');
}

const room = 'workspace-8%2Fdesign-review';

test('every control of every view is reached by Tab, and seen when it has the focus', async () => {
  const [told, plain] = [await startDouble(), await startDouble()];
  told.agent = { name: 'web-1', agent: '0.1.0', memoryBytes: 80 * 1024 * 1024 };
  for (const double of [told, plain]) double.rooms.set(room, 2).set('retro', 1).set('plan', 1);
  const service = await startStaged([told, plain], { ...noResync, ...patient });
  const page = await browser.open(service.url, { viewport: { width: 1280, height: 800 } });
  await untilStream(page, 'live');
  const views: [string, string][] = [
    ['#/', 'table.top-rooms'],
    ['#/rooms', 'tr[data-room]'],
    [`#/room/${encodeURIComponent(room)}`, '.watched-head'],
    ['#/servers', '[data-server]'],
    [`#/server/${encodeURIComponent(told.id)}`, '[data-page] [data-room]'],
    ['#/activity', '[data-event]'],
    ['#/statecharts', '#machine-title'],
  ];
  for (const [hash, awaited] of views) {
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
    await page.locator(awaited).first().waitFor();
    // The page may draw a control again while Tab moves on. Then this tries once more.
    await eventually(async () =>
      expect([hash, await tabThrough(page), await page.evaluate(missed)]).toEqual([hash, [], []]),
    );
  }
});

test('rows are walked by arrows, dialogs are left by Escape, and on a phone the views unfold by Enter', async () => {
  const double = await startDouble();
  double.rooms.set('a', 2).set('b', 1);
  const service = await startStaged([double], { ...noResync, ...patient });
  const page = await browser.open(`${service.url}/#/rooms`);
  await page.locator('tr[data-room]').nth(1).waitFor();
  await page.locator('tr[data-room] a[tabindex="0"]').first().focus();
  const focused = () => page.evaluate('document.activeElement.closest("tr")?.dataset.room');
  for (const [key, row] of [
    ['ArrowDown', 'b'],
    ['ArrowUp', 'a'],
  ] as const) {
    await page.keyboard.press(key);
    await eventually(async () => expect(await focused()).toBe(row));
  }

  for (const [key, name] of [
    ['Control+k', 'Find'],
    ['?', 'Keys'],
  ] as const) {
    await page.keyboard.press(key);
    const dialog = page.getByRole('dialog', { name });
    await dialog.waitFor();
    for (let presses = 0; presses < 5; presses += 1) await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.closest("main, header") === null')).toBe(
      true,
    );
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await eventually(async () => expect(await focused()).toBe('a'));
  }

  await page.setViewportSize({ width: 390, height: 800 });
  const fold = page.locator('.head-fold');
  await fold.focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Overview');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Busiest rooms' }).waitFor();
});
