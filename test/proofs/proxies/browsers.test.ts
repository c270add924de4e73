import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { freePort, startService } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import { owns, startDouble, startStaged } from '../../support/stage.js';
import { untilText } from '../../system/browser/support/looks.js';
import { untilStrip, useBrowser } from '../../system/browser/support/pages.js';
import { type StartProxy, startApache, startNginx } from './support/proxies.js';

const token = 'a-token-that-nobody-guesses';
// By plain http at such a name browsers do not say whose page asks: that is left to the service.
const browser = useBrowser(['--host-resolver-rules=MAP dash.example 127.0.0.1']);
/** What Chromium says of refusals, and of a policy that it follows at addresses of https alone. */
const refusals = { allowed: /status of (401|403|502)|Cross-Origin-Opener-Policy/ };

/** The page at `http://dash.example`, under a path. */
async function openBehind(start: StartProxy, example?: string) {
  const double = await startDouble();
  double.rooms.set('roadmap/2025', 3).set('/lead', 2).set('lead', 4).set('..', 5).set('', 6);
  const env = { DASHBOARD_TOKEN: token, TRUSTED_PROXIES: '127.0.0.1', REQUEST_TIMEOUT_MS: '3000' };
  const service = await startStaged([double], env, { isHurried: true });
  const proxy = await start({ port: Number(new URL(service.url).port) }, example);
  const url = `http://dash.example:${proxy.port}/dashboard/`;
  return { url, page: await browser.open(url, refusals), service };
}

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

test('the page behind nginx, under a path and by plain http, signs in and shows the right rooms', async () => {
  const { url, page } = await openBehind(startNginx);
  await signIn(page);
  await untilStrip(page, { connections: 20, rooms: 5 });
  const counts = { 'roadmap/2025': 3, '/lead': 2, lead: 4, '..': 5 };
  for (const [room, connections] of Object.entries(counts)) {
    await page.goto(`${url}#/room/${encodeURIComponent(room)}`);
    await untilText(page, '.watched-head h1', room);
    await untilText(page, '.watched-head', `${connections} connections`);
    // Its stream is told of that very room, which a server has.
    await untilText(page, '.watched-head .badge', 'Polling');
  }
});

test('the page behind Apache that changes Host signs in by plain http', async () => {
  const plain = 'ProxyPass /dashboard/ http://127.0.0.1:8000/';
  const { page } = await openBehind(startApache, plain);
  await signIn(page);
  await untilStrip(page, { connections: 20 });
});

test('the page behind nginx that changes Host says why it cannot sign in, and what to set', async () => {
  const plain = 'location /dashboard/ { proxy_pass http://127.0.0.1:8000/; }';
  const { url, page, service } = await openBehind(startNginx, plain);
  await signIn(page);
  const { origin } = new URL(url);
  await eventually(async () => {
    const said = await page.getByRole('alert').textContent();
    for (const part of [origin, new URL(service.url).host, 'add dash.example to ALLOWED_HOSTS'])
      expect(said).toContain(part);
  });
});

const integrate = await readFile(new URL('../../../docs/integrate.md', import.meta.url), 'utf8');
const examples = [...integrate.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code);
const example = examples.find((code) => code.includes('new EventSource')) ?? '';

/** The sources that the example opened are kept where a test finds them. */
function keepSources(): void {
  const kept: EventSource[] = [];
  const Original = EventSource;
  class Kept extends Original {
    constructor(url: string) {
      super(url);
      kept.push(this);
    }
  }
  Object.assign(globalThis, { EventSource: Kept, kept });
}

test('the example of docs/integrate.md outlives restarts behind nginx, after which an EventSource gives up', async () => {
  const double = await startDouble();
  double.rooms.set('before', 1);
  const port = await freePort();
  const start = async () => {
    const started = await startService({ port, pubSubServers: [double.id] });
    return owns(started, () => started.stop());
  };
  const service = await start();
  const proxy = await startNginx({ port }, 'location / { proxy_pass http://127.0.0.1:8000/; }');
  // What is opened has no icon.
  const allowed = /status of (404|502)|net::ERR_INCOMPLETE/;
  const page = await browser.open(`${proxy.url}/health`, { allowed, init: keepSources });
  await page.evaluate(`{ ${example}; globalThis.rooms = rooms; }`);
  const roomsSeen = () => page.evaluate<[string, number][]>('[...rooms]');
  const closed = () =>
    page.evaluate<number>('kept.filter((source) => source.readyState === 2).length');
  await eventually(async () => expect(await roomsSeen()).toEqual([['before', 1]]));
  expect(await closed()).toBe(0);

  process.kill(service.pid, 'SIGKILL');
  await service.exited;
  // It gave up, tried again, and met the proxy's 502 once more.
  await eventually(async () => expect(await closed()).toBeGreaterThanOrEqual(2));
  double.rooms.set('meanwhile', 2);
  await start();
  const expected = [
    ['before', 1],
    ['meanwhile', 2],
  ];
  await eventually(async () => expect((await roomsSeen()).sort()).toEqual(expected));
});
