import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { eventually } from '../../support/eventually.js';
import type { ScriptedServer } from '../../support/scriptedServer.js';
import { noResync, patient, startDouble, stateOf, watch } from '../../support/stage.js';
import { overhang, seriousFindings } from './support/looks.js';
import { startStaged, untilStrip, useBrowser } from './support/pages.js';

const browser = useBrowser();
/** No probes or resyncs: a snapshot of 100,000 rooms takes long. */
const calm = { ...noResync, ...patient, PROBE_INTERVAL_MS: '600000' };

const manyRooms = 100_000;

/** A server whose room 0 has the most connections, room 1 fewer, and so on. */
async function startCrowded(count: number): Promise<ScriptedServer> {
  const double = await startDouble();
  for (let i = 0; i < count; i += 1) double.rooms.set(`room%20${i}`, count - i);
  return double;
}

const rows = (page: Page) => page.locator('tr[data-room]');

/**
 * Runs in the page: scrolls to many positions, one per frame, and checks the whole height of the list.
 * Returns the positions without a row.
 */
const scrollThrough = (steps: number) => `(async () => {
  const scroller = document.querySelector('.room-scroller');
  const { left, top, bottom } = scroller.getBoundingClientRect();
  const blanks = [];
  let seen = 0;
  for (let step = 0; step <= ${steps}; step += 1) {
    const reach = scroller.scrollHeight - scroller.clientHeight;
    // Random jumps and small steps.
    const at = step % 3 === 0 ? Math.random() * reach : (reach * step) / ${steps};
    scroller.scrollTop = at;
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    for (let y = top + 40; y < bottom - 2; y += 18) {
      const row = document.elementFromPoint(left + 60, y)?.closest('tr[data-room]');
      if (row?.querySelector('a')?.textContent) seen += 1;
      else blanks.push([Math.round(at), Math.round(y)]);
    }
  }
  return { blanks, seen };
})()`;

test('100,000 rooms appear soon, scroll without blank rows, and can be searched', async () => {
  const double = await startCrowded(manyRooms);
  const service = await startStaged([double], calm);
  // The service has all counts before the page is measured.
  await watch(service);
  await eventually(async () => expect(await stateOf(service)).toMatchObject({ complete: true }));
  const startedAt = performance.now();
  const page = await browser.open(`${service.url}/#/rooms`);
  await rows(page).first().waitFor();
  const firstRowsMs = Math.round(performance.now() - startedAt);
  process.stdout.write(`  100,000 rooms: first rows after ${firstRowsMs} ms\n`);
  await untilStrip(page, { rooms: '100,000' });
  await eventually(async () =>
    expect(await page.locator('.room-table table').getAttribute('aria-rowcount')).toBe('100001'),
  );

  // Counts keep changing.
  const changing = setInterval(() => void double.open('room%20500'), 50);
  const { blanks, seen } = await page
    .evaluate<{ blanks: number[][]; seen: number }>(scrollThrough(60))
    .finally(() => clearInterval(changing));
  expect(blanks).toEqual([]);
  expect(seen).toBeGreaterThan(60 * 10);
  expect(await rows(page).count()).toBeLessThan(150);

  await page.getByLabel('Search rooms by name').fill('ROOM 9999');
  await eventually(async () => expect(await rows(page).count()).toBe(11));
  expect(await rows(page).first().getAttribute('data-room')).toBe('room%209999');
  await page.getByLabel('Search rooms by name').fill('no such room');
  await page.getByRole('heading', { name: 'No matching rooms' }).waitFor();
  await page.getByLabel('Search rooms by name').fill('');
  await page.getByLabel('How many rooms').selectOption('Top 50');
  await eventually(async () =>
    expect(await page.locator('.room-table table').getAttribute('aria-rowcount')).toBe('51'),
  );
});

/** Runs in the page: whether the focused row is visible and not covered. */
const isFocusSeen = `(() => {
  const { left, top, height } = document.activeElement.closest('tr').getBoundingClientRect();
  return document.elementFromPoint(left + 60, top + height / 2)?.closest('tr')?.contains(
    document.activeElement,
  );
})()`;

test('rooms can be reached and opened by keyboard', async () => {
  const double = await startCrowded(300);
  const service = await startStaged([double], calm);
  const page = await browser.open(`${service.url}/#/rooms`);
  await rows(page).first().waitFor();
  await rows(page).first().locator('a').focus();
  const focused = () =>
    page.evaluate<string>('document.activeElement.closest("tr")?.dataset.room ?? ""');
  for (const [key, room] of [
    ['ArrowDown', 'room%201'],
    ['ArrowDown', 'room%202'],
    ['ArrowUp', 'room%201'],
    ['PageDown', undefined],
    ['PageDown', undefined],
    ['PageUp', undefined],
    ['End', 'room%20299'],
    ['Home', 'room%200'],
  ] as const) {
    const before = await focused();
    await page.keyboard.press(key);
    await eventually(async () => {
      if (room === undefined) expect(await focused()).not.toBe(before);
      else expect([key, await focused()]).toEqual([key, room]);
      expect(await page.evaluate(isFocusSeen)).toBe(true);
    });
  }
  // The focus stays on its room when it is scrolled out of sight.
  await page.mouse.move(600, 500);
  await page.mouse.wheel(0, 4000);
  await eventually(async () =>
    expect(await rows(page).last().getAttribute('data-index')).not.toBe('0'),
  );
  expect(await focused()).toBe('room%200');
  await page.keyboard.press('Enter');
  await eventually(() => expect(page.url()).toContain(`#/room/${encodeURIComponent('room%200')}`));
  // The row is gone, so the focus moves to the new view.
  await eventually(async () =>
    expect(await page.evaluate('document.activeElement.id')).toBe('main'),
  );
});

test('the connections of a room are shown by server, as columns or as a bar', async () => {
  const doubles = [await startDouble(), await startDouble()];
  doubles[0]?.rooms.set('a', 3).set('b', 4);
  doubles[1]?.rooms.set('a', 1);
  const service = await startStaged(doubles, calm);
  const page = await browser.open(`${service.url}/#/rooms`);
  const cells = page.locator('[data-room="a"] .cell-count');
  const wide = async (texts: string[]) =>
    eventually(async () => expect((await cells.allTextContents()).sort()).toEqual(texts));
  await wide(['1', '3']);
  await doubles[1]?.open('a');
  await wide(['2', '3']);
  await page.setViewportSize({ width: 360, height: 700 });
  await eventually(async () =>
    expect(await page.locator('[data-room="a"] .share-bar > span').count()).toBe(2),
  );
  await page.getByRole('list', { name: 'Colors of the servers' }).waitFor();
  // Those of one server begin with the most connections on it, not in all.
  const untilOrder = (...rooms: string[]) =>
    eventually(async () => {
      const names = await rows(page).locator('.room-shown').allTextContents();
      expect(names).toEqual(rooms);
    });
  await untilOrder('a', 'b');
  await page.getByLabel('On which server').selectOption(doubles[0]?.id ?? '');
  await untilOrder('b', 'a');
  expect(await page.locator('.room-here').allTextContents()).toEqual(['4', '3']);
});

test('the list is narrowed, sorted, left and found again by its address, and saved', async () => {
  const doubles = [await startDouble(), await startDouble()];
  for (let i = 0; i < 300; i += 1) doubles[0]?.rooms.set(`w-${i % 3}%2Fdoc ${i}`, 300 - i);
  doubles[1]?.rooms.set('w-1%2Fdoc 1', 7).set('=1+1', 1);
  const service = await startStaged(doubles, calm);
  const page = await browser.open(`${service.url}/#/rooms`);
  const first = () => rows(page).first().getAttribute('data-room');
  const untilFirst = (room: string) => eventually(async () => expect(await first()).toBe(room));
  const count = () => page.locator('.room-table table').getAttribute('aria-rowcount');
  await untilFirst('w-1%2Fdoc 1');

  await page.getByRole('button', { name: 'Room', exact: true }).click();
  await untilFirst('=1+1');
  expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('ascending');
  await page.getByRole('button', { name: 'By prefix' }).click();
  await page.locator('[data-prefix="w-1/"]').click();
  await untilFirst('w-1%2Fdoc 1');
  expect(await count()).toBe('101');

  // Scrolled, left and found again.
  await page.evaluate("document.querySelector('.room-scroller').scrollTop = 36 * 40");
  const link = page.locator('[data-room="w-1%2Fdoc 124"] a');
  await eventually(() => expect(page.url()).toContain('at=40'));
  await link.focus();
  await page.keyboard.press('Enter');
  await page.locator('.watched-head').waitFor();
  await page.goBack();
  await link.waitFor();
  const top = () => page.evaluate<number>("document.querySelector('.room-scroller').scrollTop");
  await eventually(async () => expect(await top()).toBe(36 * 40));
  expect(await count()).toBe('101');
  await eventually(async () =>
    expect(await page.evaluate('document.activeElement.getAttribute("href")')).toBe(
      `#/room/${encodeURIComponent('w-1%2Fdoc 124')}`,
    ),
  );

  // A server, with its two rooms; then back to the first list.
  await page.goto(`${service.url}/#/rooms?server=${encodeURIComponent(doubles[1]?.id ?? '')}`);
  await eventually(async () => expect(await count()).toBe('3'));
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'CSV' }).click();
  const text = await readFile((await (await saved).path()) ?? '', 'utf8');
  expect(text.split('\r\n')).toEqual([
    '\ufeffroom,raw name,connections',
    'w-1/doc 1,w-1%2Fdoc 1,306',
    `"'=1+1","'=1+1",1`,
    '',
  ]);
  expect(await seriousFindings(page)).toEqual([]);

  // Nobody watches a room, and the page says what that means.
  await page.goto(`${service.url}/#/rooms?show=diverged`);
  await page.getByText('Nobody is looking at one now.').waitFor();
  await doubles[1]?.close('=1+1');
  await page.goto(`${service.url}/#/rooms?show=empty`);
  await eventually(async () => expect(await first()).toBe('=1+1'));
});

test('untrusted room names do no harm', async () => {
  const double = await startDouble();
  const names = ['__proto__', 'constructor', '<b>bold</b>', '%E2%80%AEevil', '100%', 'a/b', ''];
  const long = 'x'.repeat(9000);
  for (const name of [...names, long]) double.rooms.set(name, 1);
  const service = await startStaged([double], calm);
  const page = await browser.open(`${service.url}/#/rooms`, {
    viewport: { width: 360, height: 900 },
  });
  // A snapshot reports `__proto__` as `{}`.
  await eventually(async () => expect(await rows(page).count()).toBe(names.length));
  expect(await page.locator('tr[data-room] b').count()).toBe(0);
  await page.getByText('\\u{202e}evil', { exact: true }).waitFor();
  await page.getByText('(empty name)').waitFor();
  expect(await overhang(page)).toBe(0);
  expect(await seriousFindings(page)).toEqual([]);
  await double.open('__proto__');
  await page.locator('tr[data-room="__proto__"]').waitFor();
});
