import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { maxWrongTokens } from '../../../server/http/auth/attempts.js';
import type { Service } from '../../../server/service.js';
import { eventually } from '../../support/eventually.js';
import { startDouble } from '../../support/stage.js';
import { seriousFindings, untilText } from './support/looks.js';
import { startStaged, untilStream, untilStrip, useBrowser } from './support/pages.js';

const browser = useBrowser();
const token = 'correct-horse-battery-staple';
/** Chromium logs each failed request to the console. */
const refusals = { allowed: /status of (401|429)/ };

async function startClosed(): Promise<Service> {
  const double = await startDouble();
  double.rooms.set('a', 1);
  return startStaged([double], { DASHBOARD_TOKEN: token }, { isHurried: true });
}

async function giveToken(page: Page, text: string): Promise<void> {
  await page.getByLabel('Token').fill(text);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

const viewersOf = ({ activation: actor }: Service) => actor.getSnapshot().context.viewers;

test('the token signs in all tabs, until one of them signs out', async () => {
  const service = await startClosed();
  const open = await browser.openContext(refusals);
  const [page, other] = [await open(service.url), await open(service.url)];
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(viewersOf(service)).toBe(0);
  expect(await seriousFindings(page)).toEqual([]);

  await giveToken(page, 'wrong');
  const alert = page.getByRole('alert');
  await eventually(async () =>
    expect(await alert.textContent()).toBe('Wrong token. Check it and try again.'),
  );
  await giveToken(page, token);
  for (const tab of [page, other]) await untilStrip(tab, { connections: 1 });
  await page.reload();
  await untilStrip(page, { connections: 1, viewers: 1 });
  expect(page.url()).not.toContain(token);

  await other.getByRole('button', { name: 'Sign out' }).click();
  for (const tab of [page, other]) await tab.getByRole('heading', { name: 'Sign in' }).waitFor();
  await eventually(() => expect(viewersOf(service)).toBe(0));
  expect(await page.locator('main').textContent()).not.toContain('Connections');
});

test('the form appears when the session ends elsewhere', async () => {
  const service = await startClosed();
  const page = await browser.open(service.url, refusals);
  await giveToken(page, token);
  await untilStream(page, 'live');
  await page.context().clearCookies();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

test('a 401 of a proxy is reported as such, without a sign-in form', async () => {
  const service = await startStaged([await startDouble()]);
  const page = await browser.open('about:blank', refusals);
  let isBarred = true;
  await page.route(/\/api\//, (route) => {
    const refusal = {
      status: 401,
      contentType: 'text/html',
      body: '<h1>Authorization Required</h1>',
    };
    return isBarred ? route.fulfill(refusal) : route.fallback();
  });
  await page.goto(service.url);
  await untilText(page, 'main', 'A proxy in front of the service answered 401');
  expect(await page.getByRole('heading', { name: 'Sign in' }).count()).toBe(0);
  isBarred = false;
  await untilStream(page, 'live');
});

test('after too many attempts the page tells when to try again', async () => {
  const service = await startClosed();
  const page = await browser.open(service.url, refusals);
  for (let i = 0; i < maxWrongTokens.perAddress; i += 1)
    await fetch(`${service.url}/api/session`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token: `guess-${i}` }),
    });
  await giveToken(page, token);
  await eventually(async () =>
    expect(await page.getByRole('alert').textContent()).toMatch(
      /^Too many attempts from your address\. Try again in \d+ s\.$/,
    ),
  );
});
