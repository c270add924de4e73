import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { freePort } from '../../../server/demo/serviceChild.js';
import type { ActivityEvent } from '../../../server/wire/activityEvent.js';
import type { FleetHistory } from '../../../server/wire/historyReport.js';
import { eventually } from '../../support/eventually.js';
import { connectTo, editIn, nth, sharedFleet, startReal } from '../../support/fleet.js';
import { runProcess } from '../../support/serviceProcess.js';
import {
  getJson,
  letProbesPass,
  owns,
  patient,
  serversOf,
  startDouble,
  stopStaged,
} from '../../support/stage.js';
import { filledStore } from '../security/filledStore.js';
import { seriousFindings } from './support/looks.js';
import {
  serviceIsAway,
  startStaged,
  untilServer,
  untilStatus,
  untilStream,
  untilStrip,
  useBrowser,
} from './support/pages.js';

const browser = useBrowser();
const fleet = sharedFleet(2);

test('counts change on the page as editors come and go', async () => {
  const service = await startStaged(fleet);
  const page = await browser.open(service.url);
  await untilStrip(page, { connections: 0, rooms: 0, servers: '2 of 2 live', viewers: 1 });
  await untilStatus(page, 'complete');
  await page.getByText('Live · all 2 servers', { exact: true }).waitFor();
  await page.locator('[data-empty="nobody"]').waitFor();

  const editor = await editIn(nth(fleet, 0), 'weekly%20notes');
  await editIn(nth(fleet, 1), 'weekly%20notes');
  await connectTo(nth(fleet, 1), 'constructor');
  await untilStrip(page, { connections: 3, rooms: 2 });
  const row = page.locator('[data-room="weekly%20notes"]');
  await row.getByText('weekly notes', { exact: true }).waitFor();
  await page.locator('[data-room="constructor"]').waitFor();

  await editor.leave();
  await untilStrip(page, { connections: 2, rooms: 2 });
  await row.locator('.number', { hasText: /^1$/ }).waitFor();
});

test('a reload loses nothing of the plots', async () => {
  const service = await startStaged(fleet, { LINGER_MS: '20000' });
  const page = await browser.open(service.url);
  const editors = await Promise.all(['a', 'b', 'c'].map((room) => editIn(nth(fleet, 0), room)));
  await untilStrip(page, { connections: 3 });
  const known = async () => {
    const { connections } = await getJson<FleetHistory>(`${service.url}/api/history`);
    return connections;
  };
  await eventually(async () => expect(await known()).toContain(3));
  for (const editor of editors) await editor.leave();
  await untilStrip(page, { connections: 0 });
  await eventually(async () => expect((await known()).at(-1)).toBe(0));

  await page.reload();
  await untilStrip(page, { connections: 0 });
  const words = page.locator('figcaption', { hasText: 'Connections' });
  await eventually(async () => expect(await words.textContent()).toContain('highest 3'));
  await page.getByLabel('Last hour').check();
  await eventually(async () => expect(await words.textContent()).toContain('highest 3'));
});

test('a killed server turns unreachable and its connections leave the totals', async () => {
  const victim = await startReal({ port: await freePort() });
  const service = await startStaged([...fleet, victim]);
  await connectTo(nth(fleet, 0), 'a');
  await connectTo(victim, 'a');
  await connectTo(victim, 'b');
  const page = await browser.open(service.url);
  await untilStrip(page, { connections: 3, rooms: 2, servers: '3 of 3 live' });

  await victim.kill();
  await untilServer(page, victim.id, 'unreachable');
  await untilStrip(page, {
    connections: 'at least 1',
    rooms: 'at least 1',
    servers: '2 of 3 live',
  });
  await page.getByText('Incomplete: 2 of 3 servers counted', { exact: true }).waitFor();
  const notice = page.locator('[data-notice="incomplete"]');
  await eventually(async () =>
    expect(await notice.textContent()).toContain(`${victim.id} (unreachable)`),
  );

  await startReal({ port: victim.port });
  await untilServer(page, victim.id, 'live');
  await page.getByText(/^Reconnected at .*restart or network loss/).waitFor();
  await notice.waitFor({ state: 'detached' });
});

/** What the page showed at one moment. */
interface Moment {
  status: string;
  stream: string;
  connections: string;
  notices: string[];
}

/** Notes everything that the page shows from now on. */
const watchMoments = (page: Page) => page.evaluate(momentsScript);
const momentsSeen = (page: Page) => page.evaluate('globalThis.moments') as Promise<Moment[]>;
const momentsScript = `
  globalThis.moments = [];
  const look = () => {
    const pill = document.querySelector('[data-status]')?.dataset ?? {};
    const connections = document.querySelector('[data-item="connections"] dd')?.textContent ?? '';
    const notices = [...document.querySelectorAll('[data-notice]')].map((it) => it.dataset.notice);
    globalThis.moments.push({ status: pill.status, stream: pill.stream, connections, notices });
  };
  new MutationObserver(look).observe(document.body, {
    subtree: true, childList: true, characterData: true, attributes: true,
  });
`;

test('over a restart of the service, old numbers are shown as old, and nothing else speaks', async () => {
  const PORT = String(await freePort());
  const slow = await startDouble();
  const all = [...fleet, slow];
  const first = await startStaged(all, { PORT });
  const page = await browser.open(first.url, { allowed: serviceIsAway });
  await connectTo(nth(fleet, 0), 'before');
  await untilStrip(page, { connections: 1 });
  await untilStatus(page, 'complete');
  await watchMoments(page);

  await stopStaged(first);
  await untilStream(page, 'reconnecting');
  await page.locator('[data-notice="reconnecting"]').waitFor();
  await page.getByRole('status').getByText('The page keeps retrying').waitFor();
  await connectTo(nth(fleet, 1), 'meanwhile');
  slow.respond({ kind: 'hang' });
  await startStaged(all, { PORT, ...patient }, { isHurried: true });
  await untilStream(page, 'live');
  await untilStatus(page, 'asking');
  await page.locator('[data-item="connections"] dd', { hasText: /^1 .*(now|ago)$/ }).waitFor();
  expect(await page.locator('[data-notice]').count()).toBe(0);

  slow.respond({ kind: 'normal' });
  slow.release();
  await untilStatus(page, 'complete');
  await untilStrip(page, { connections: 2, rooms: 2, servers: '3 of 3 live' });
  const wrong = (await momentsSeen(page)).filter(
    ({ status, stream, connections, notices }) =>
      (status !== 'complete' && /^\d+$/.test(connections)) ||
      (stream !== 'live' && notices.some((name) => name !== 'reconnecting')),
  );
  expect(wrong).toEqual([]);
});

test('a pause of the service is told, and no server is blamed for it', async () => {
  // A busy machine must not keep a server silent for as long as the pause.
  const intervals = { PROBE_INTERVAL_MS: '500', REQUEST_TIMEOUT_MS: '5000' };
  const ids = fleet.map(({ id }) => id).join();
  const { child, listening } = runProcess({ ...intervals, PUBSUB_SERVERS: ids, STATE_DIR: 'none' });
  const page = await browser.open(await listening);
  await connectTo(nth(fleet, 0), 'a');
  await untilStrip(page, { connections: 1, servers: '2 of 2 live' });
  await watchMoments(page);

  child.kill('SIGSTOP');
  // Longer than a server may be silent.
  await letProbesPass(16, intervals);
  await connectTo(nth(fleet, 1), 'meanwhile');
  child.kill('SIGCONT');
  await page.getByText(/^This service was paused for \d+ s$/).waitFor();
  await untilStrip(page, { connections: 2, servers: '2 of 2 live' });
  await untilStatus(page, 'complete');
  expect(await page.locator('.server-note').allTextContents()).toEqual([]);
  const notices = (await momentsSeen(page)).flatMap((moment) => moment.notices);
  expect(notices).not.toContain('incomplete');
  expect(notices).not.toContain('all-down');
  const events = await getJson<ActivityEvent[]>(`${await listening}/api/activity`);
  const kinds = events.map(({ kind }) => kind);
  expect(kinds).toContain('instance.paused');
  expect(kinds.filter((kind) => kind.startsWith('server.'))).toEqual([]);
});

test('the page tells that the service is shutting down', async () => {
  const double = await startDouble();
  const service = await startStaged([double], patient);
  const page = await browser.open(service.url, { allowed: serviceIsAway });
  await untilStream(page, 'live');
  // The shutdown waits for this server.
  double.respond({ kind: 'hang' });
  const stopping = stopStaged(service);
  await page.getByText('The service is shutting down.').waitFor();
  double.release();
  await stopping;
});

test('without servers the page explains how to add some', async () => {
  const service = await startStaged([]);
  const page = await browser.open(service.url);
  await page.locator('[data-empty="no-servers"]').waitFor();
  const words = await page.locator('main').textContent();
  expect(words).toContain(`curl '${service.url}/api/events/clients?port=8001'`);
  expect(words).toContain('PUBSUB_SERVERS=');
  expect(words).not.toContain('docs/');
  await untilStatus(page, 'noServers');
  expect(await page.locator('.badge.good').count()).toBe(0);
  expect(await seriousFindings(page)).toEqual([]);
});

test('a stale address of the rooms table is listed as no server', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const openStore = async () => filledStore([{ id: 'left', addresses: [address] }]);
  const env = { DYNAMODB_TABLE: 'given', DISCOVER_FROM_ROOMS: 'true' };
  const service = await startStaged(fleet, env, { openStore });
  const page = await browser.open(`${service.url}/#/servers`);
  await page.locator('[data-finding="gone"]').getByText(address).waitFor();
  await untilStatus(page, 'complete');
});

test('when all servers are down the page tells it, the reason and what may be missing', async () => {
  const double = await startDouble();
  const dns = { PUBSUB_DNS: 'pubsub.invalid', PUBSUB_DNS_SERVER: '127.0.0.1:9' };
  double.rooms.set('r', 7);
  const service = await startStaged([double], dns);
  const page = await browser.open(service.url);
  await untilStrip(page, { servers: '1 of 1 live' });
  double.respond({ kind: 'status', status: 500 });
  double.respond({ kind: 'status', status: 500, to: 'health' });
  const notice = page.locator('[data-notice="all-down"]');
  await eventually(async () =>
    expect(await notice.textContent()).toMatch(/No pub-sub server answers.*500/s),
  );
  const outside = page.locator('[data-notice="dependencies"]');
  await outside.getByText(/The name pubsub.invalid in DNS at .* does not answer/).waitFor();
  expect(await page.locator('[data-notice="discovery"]').count()).toBe(0);
  // What was known is not called 0 now.
  await untilStatus(page, 'allDown');
  await untilStrip(page, { servers: '0 of 1 live' });
  expect(await page.locator('[data-item="connections"] dd').textContent()).toMatch(/^–/);
  expect(await page.locator('main').textContent()).not.toContain('Nobody is connected');
  await page.locator('[data-empty="unknown"]').getByText('No server answers').waitFor();
});

test('a server whose posts do not arrive is deaf, and the page shows the address', async () => {
  const double = await startDouble();
  const service = await startStaged([double]);
  const page = await browser.open(`${service.url}/#/servers`);
  await untilStream(page, 'live');
  let count = 0;
  await eventually(async () => {
    count += 1;
    double.rooms.set('r', count);
    const [row] = await serversOf(service);
    expect(row?.state).toBe('deaf');
  });
  await untilServer(page, double.id, 'deaf');
  const words = `its posts do not reach this service at ${service.url}/api/events. Set PUBLIC_URL.`;
  await page.locator('[data-notice="incomplete"]').getByText(words).waitFor();
  await page.getByText(`Answers, but ${words}`, { exact: true }).waitFor();
});

test('a browser without shared workers has one stream for each tab', async () => {
  const service = await startStaged(fleet);
  const init = () => {
    // @ts-expect-error: some browsers have none.
    delete globalThis.SharedWorker;
  };
  const open = await browser.openContext({ init });
  const pages = [await open(service.url), await open(service.url)];
  await connectTo(nth(fleet, 0), 'a');
  for (const page of pages) await untilStrip(page, { connections: 1, viewers: 2 });
});

/** A proxy that serves the service under `/below/`. */
async function startProxy(target: string): Promise<string> {
  const { hostname, port } = new URL(target);
  const proxy = createServer((incoming, outgoing) => {
    if (!incoming.url?.startsWith('/below/')) return void outgoing.writeHead(404).end();
    const path = incoming.url.slice('/below'.length);
    const { method, headers } = incoming;
    const onward = request({ hostname, port, path, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  owns(proxy, () => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/below/`;
}

test('the page works under a path of a proxy', async () => {
  const service = await startStaged(fleet);
  const page = await browser.open(await startProxy(service.url));
  await connectTo(nth(fleet, 0), 'a/b');
  await untilStrip(page, { connections: 1, viewers: 1 });
  await page.getByRole('link', { name: 'Rooms', exact: true }).click();
  await page.locator('[data-room="a/b"]').waitFor();
});
