import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { owns, startDouble } from '../../support/stage.js';
import { overhang, seriousFindings, untilCount, untilText } from './support/looks.js';
import { startStaged, untilStream, untilStrip, useBrowser } from './support/pages.js';
import { screenshot } from './support/screenshots.js';

const browser = useBrowser();
/** Chromium logs each failed request to the console. */
const refusals = { allowed: /status of 401/ };

/** A proxy that names a user, or nobody, in a header of every request. */
async function startProxy({ url }: { url: string }) {
  const state = { user: 'ada' };
  const forward = (req: IncomingMessage, res: ServerResponse) => {
    const headers = {
      ...req.headers,
      'x-forwarded-user': Buffer.from(state.user).toString('latin1'),
    };
    const passed = request(`${url}${req.url}`, { method: req.method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    passed.on('error', () => res.destroy());
    res.on('close', () => passed.destroy());
    req.pipe(passed);
  };
  const server = owns(createServer(forward), (it) => {
    it.closeAllConnections();
    it.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const proxied = { TRUSTED_PROXIES: '127.0.0.1', PROXY_USER_HEADER: 'X-Forwarded-User' };

test('a room whose content is hidden has its connections, and says why there is no more', async () => {
  const double = await startDouble();
  double.rooms.set('a', 2);
  const service = await startStaged([double], { SHOW_CONTENT: 'false' });
  const page = await browser.open(`${service.url}/#/room/a`);
  await untilText(page, '[data-content="hidden"]', 'The operator has switched off the content');
  await untilText(page, '.watched-head', '2 connections');
  await untilText(page, '.watched-servers', '2 connections');
  await untilCount(page, '.tree, #room-document, #watched-log', 0);
  expect(await seriousFindings(page)).toEqual([]);
  expect(await overhang(page)).toBe(0);
  await screenshot(page, 'hidden-room');
  await page.getByRole('link', { name: 'Rooms' }).first().click();
  await untilStrip(page, { connections: 2 });
});

test('the page shows who signed in at the proxy, and where to sign out', async () => {
  const env = { ...proxied, SIGN_OUT_URL: '/oauth2/sign_out' };
  const service = await startStaged([await startDouble()], env, { isHurried: true });
  const proxy = await startProxy(service);
  proxy.state.user = 'ada <b>\u202elovelace';
  const page = await browser.open(proxy.url);
  await untilStream(page, 'live');
  await untilText(page, '.account', 'Signed in as ada <b>\\u{202e}lovelace');
  const link = page.getByRole('link', { name: 'Sign out' });
  expect(await link.getAttribute('href')).toBe('/oauth2/sign_out');
  expect(await page.getByRole('button', { name: 'Sign out' }).count()).toBe(0);
  expect(await seriousFindings(page)).toEqual([]);
  await screenshot(page, 'signed-in-at-proxy');
});

test('somebody whom the proxy does not name is told so, and signed in with the next reload', async () => {
  const service = await startStaged([await startDouble()], proxied, { isHurried: true });
  const proxy = await startProxy(service);
  proxy.state.user = '';
  const page = await browser.open(proxy.url, refusals);
  await page.locator('[data-sign-in="proxy"]').waitFor();
  expect(await page.getByLabel('Token').count()).toBe(0);
  expect(await seriousFindings(page)).toEqual([]);
  proxy.state.user = 'ada';
  await page.getByRole('button', { name: 'Reload' }).click();
  await untilStream(page, 'live');
  await untilText(page, '.account', 'Signed in as ada');
  await eventually(async () =>
    expect(await page.getByRole('link', { name: 'Sign out' }).count()).toBe(0),
  );
});

test('with a token too, somebody whom the proxy does not name can use that', async () => {
  const env = { ...proxied, DASHBOARD_TOKEN: 'correct-horse-battery-staple' };
  const service = await startStaged([await startDouble()], env, { isHurried: true });
  const proxy = await startProxy(service);
  proxy.state.user = '';
  const page = await browser.open(proxy.url, refusals);
  await page.getByLabel('Token').fill(env.DASHBOARD_TOKEN);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await untilStream(page, 'live');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});
