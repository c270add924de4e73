import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { noResync, patient, startDouble } from '../../support/stage.js';
import { overhang, seriousFindings } from './support/looks.js';
import { startStaged, useBrowser } from './support/pages.js';

const browser = useBrowser();

/** Runs in the page: what can be touched and is smaller than 24 px. Links in a text are as high as it. */
const smallTargets = `[...document.querySelectorAll('button, select, input, nav a, .room-link')]
  .filter((element) => element.checkVisibility() && !element.closest('.visually-hidden, tr'))
  .filter((element) => !element.matches('.skip, .visually-hidden, [type="checkbox"]'))
  .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < 24 || height < 24)
  .map(([html, { width, height }]) => html + ' ' + width + ' x ' + height)`;

test('the page is used by keys, in the chosen theme, and on a phone with one line at the top', async () => {
  const double = await startDouble();
  double.rooms.set('plans%2Fspring', 3).set('other', 1);
  const service = await startStaged([double], { ...noResync, ...patient });
  const page = await browser.open(`${service.url}/`);
  const heading = (name: string) => page.getByRole('heading', { name, exact: true, level: 1 });
  await page.locator('[data-server]').first().waitFor();

  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await heading('Servers').waitFor();
  await page.keyboard.press('/');
  const untilSearching = () =>
    eventually(async () =>
      expect(await page.evaluate('document.activeElement.id')).toBe('room-search'),
    );
  await untilSearching();
  // Letters that are typed are no shortcuts.
  await page.keyboard.type('g s?');
  await eventually(() => expect(page.url()).toContain('q=g+s'));

  await page.keyboard.press('Control+k');
  await page.locator('.palette input:focus').waitFor();
  await page.keyboard.type('SPRING plans');
  await page.getByRole('option', { name: /plans\/spring/ }).waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  await page.keyboard.press('Escape');
  // The focus is where it was.
  await untilSearching();
  await page.keyboard.press('Control+k');
  await page.locator('.palette input:focus').waitFor();
  await page.keyboard.type('spring');
  await page.getByRole('option', { name: /plans\/spring/ }).waitFor();
  await page.keyboard.press('Enter');
  await eventually(() => expect(page.url()).toContain('#/room/plans%252Fspring'));
  await page.locator('.palette').waitFor({ state: 'hidden' });

  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'hidden' });

  const theme = () => page.evaluate('document.documentElement.dataset.theme ?? "system"');
  const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
  const light = await background();
  for (const next of ['light', 'dark']) {
    await page.locator('.theme-switch').click();
    await eventually(async () => expect(await theme()).toBe(next));
  }
  await eventually(async () => expect(await background()).not.toBe(light));
  await page.reload();
  await eventually(async () => expect(await theme()).toBe('dark'));

  await page.setViewportSize({ width: 390, height: 800 });
  await page.goto(`${service.url}/#/rooms`);
  await heading('Rooms').waitFor();
  const head = page.locator('.page-head');
  const height = async () => (await head.boundingBox())?.height ?? 0;
  await eventually(async () => expect(await height()).toBeLessThan(60));
  expect(await page.evaluate(smallTargets)).toEqual([]);
  await head.getByRole('button', { name: /^Rooms/ }).click();
  await page.getByRole('link', { name: 'Servers', exact: true }).waitFor();
  expect(await overhang(page)).toBe(0);
  expect(await page.evaluate(smallTargets)).toEqual([]);
  expect(await seriousFindings(page)).toEqual([]);
  await page.getByRole('link', { name: 'Servers', exact: true }).click();
  await heading('Servers').waitFor();
  await eventually(async () => expect(await height()).toBeLessThan(60));
});
