import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import * as Y from 'yjs';
import { type ServerProcess, startServerProcess } from '../../../server/demo/pubSubFleet.js';
import type { Service } from '../../../server/service.js';
import { emptyStore } from '../../support/emptyStore.js';
import { type EventStream, openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { connectTo, nth } from '../../support/fleet.js';
import { type RedisServer, startRedis } from '../../support/redisServer.js';
import { startTestService } from '../../support/service.js';
import { startDocServer } from '../rooms/support/docServer.js';
import { edit, enter } from '../rooms/support/rooms.js';

import { overhang, seriousFindings, untilCount, untilText } from './support/looks.js';
import { startStaged, useBrowser } from './support/pages.js';
import { screenshot } from './support/screenshots.js';

const calm = {
  LINGER_MS: '50',
  FRAME_INTERVAL_MS: '5',
  REQUEST_TIMEOUT_MS: '10000',
  PROBE_INTERVAL_MS: '60000',
  RESYNC_INTERVAL_MS: '600000',
};
/** A store that lists a dead address for one room. */
const store = {
  ...emptyStore,
  rooms: {
    ...emptyStore.rooms,
    get: async (id: string) =>
      id === 'half-stored' ? { id, addresses: ['127.0.0.9:9'] } : undefined,
  },
};

const browser = useBrowser();
let redis: RedisServer;
let servers: ServerProcess[];
let service: Service;
let viewer: EventStream;

beforeAll(async () => {
  redis = await startRedis();
  const start = () => startServerProcess({ redisUrl: redis.url });
  servers = await Promise.all([start(), start()]);
  const ids = servers.map(({ id }) => id).join();
  service = await startTestService(
    { ...calm, PUBSUB_SERVERS: ids, REDIS_URL: redis.url, DYNAMODB_TABLE: 'rooms' },
    { openStore: async () => store },
  );
  // A permanent viewer keeps the service active.
  viewer = await openEventStream(service.url);
});
afterAll(async () => {
  await viewer?.close();
  await service?.stop();
  await Promise.all(servers.map((server) => server.kill()));
  await redis.stop();
});

const look = (room: string, options = {}, at = service): Promise<Page> =>
  browser.open(`${at.url}/#/room/${encodeURIComponent(room)}`, options);
const untilStanding = (page: Page, words: string) => untilText(page, '.watched-head .badge', words);

/** For what is shown for seconds: call it before that. The browser itself looks, in every frame. */
const untilSeen = (page: Page, selector: string, hasText: string) =>
  page.locator(selector, { hasText }).first().waitFor({ state: 'attached' });

test('a text appears as it is typed, with new parts highlighted; viewing does not join the room', async () => {
  const page = await look('typed');
  await untilStanding(page, 'Waiting');
  const editor = await edit(nth(servers, 0), 'typed', 'Ada');
  editor.type('it begins');
  await untilText(page, '.tree-text p', 'it begins');
  await untilStanding(page, 'Live');
  for (const letter of ' and goes on') editor.type(letter);
  await untilText(page, '.tree-text p', 'it begins and goes on');
  expect(await page.locator('.tree-text .is-new').allTextContents()).not.toContain('it begins');
  const highlighted = untilSeen(page, '.tree-text .is-new', 'now');
  editor.text.insert(3, 'now ');
  await highlighted;
  await untilText(page, '.watched-head', '1 connection');
  expect(await nth(servers, 0).connections()).toMatchObject({ typed: 1 });
  expect(await nth(servers, 1).connections()).not.toHaveProperty('typed');
  await untilCount(page, '.tree .is-new', 0);
  await untilText(page, '.tree-text p', 'it now begins and goes on');
});

test('changes of maps, arrays and XML are highlighted in place', async () => {
  const { doc } = await edit(nth(servers, 1), 'shapes');
  doc.getMap('settings').set('count', 1);
  doc.getMap('settings').set('owner', { name: 'Ada', roles: ['admin'] });
  doc.getArray('todo').insert(0, ['buy milk', 'ship it']);
  const paragraph = new Y.XmlElement('paragraph');
  doc.getXmlFragment('page').insert(0, [paragraph]);
  const page = await look('shapes');
  await untilText(page, '.tree', /settings.*2 entries.*count.*1.*owner.*roles.*todo.*2 items/s);
  await untilCount(page, '.tree-flash', 0);

  const marked = ['count2', '1"fresh"', 'text8 characters'].map((text) =>
    untilSeen(page, '.tree-line:has(> .tree-flash.is-new)', text),
  );
  doc.getMap('settings').set('count', 2);
  doc.getArray('todo').insert(1, ['fresh']);
  paragraph.insert(0, [new Y.XmlText('from XML')]);
  await Promise.all(marked);
  await untilText(page, '.tree-tag', '<paragraph>');
  // A deletion highlights its parent.
  const touched = untilSeen(page, '.tree-line:has(> .tree-flash.is-touched)', 'todo');
  doc.getArray('todo').delete(0, 1);
  await touched;
});

test('people are listed with their announced state until they leave', async () => {
  const page = await look('people');
  await untilStanding(page, 'Waiting');
  const editor = await edit(nth(servers, 0), 'people', 'Grace <b>Hopper</b>');
  const other = await edit(nth(servers, 1), 'people', 'Linus');
  other.provider.awareness.setLocalStateField('cursor', { anchor: 4 });
  editor.provider.awareness.setLocalStateField('user', {
    name: 'Grace <b>Hopper</b>',
    color: 'rgb(1, 2, 3)',
  });
  await untilText(page, '.watched-people', 'Grace <b>Hopper</b>');
  await untilText(page, '.watched-people', 'Linus');
  // Connections that announce nobody are not taken for nobody.
  await connectTo(nth(servers, 0), 'people');
  await untilText(page, '.card-head', '2 of 3 known so far');
  // The history has a line for all servers, and one for each.
  await untilText(page, '.room-history .chart-legend', /^all servers3\D.*2.*1$/s);
  await untilCount(page, '.room-history .chart-legend li', 3);
  await untilText(page, '.room-history', 'Numbers by server begin when somebody began to look');
  const swatch = page.locator('.watched-person', { hasText: 'Grace' }).locator('.swatch');
  // The color arrives after the name.
  await eventually(async () =>
    expect(await swatch.getAttribute('style')).toContain('rgb(1, 2, 3)'),
  );
  await page.locator('.watched-person', { hasText: 'Linus' }).click();
  await untilText(page, '.watched-people .tree', /cursor.*anchor.*4/s);
  await other.leave();
  await untilCount(page, '.watched-person', 1);

  // A person with a too large state stays in the list.
  editor.provider.awareness.setLocalStateField('selection', 'x'.repeat(100_000));
  await untilText(page, '.watched-person', 'state too large');
  await page.locator('.watched-person').click();
  await untilText(page, '.watched-people', '100.1 kB of JSON');
  editor.provider.awareness.setLocalStateField('selection', null);
  await untilText(page, '.watched-people', 'Grace <b>Hopper</b>');
});

test('long names are truncated and overflow nothing', async () => {
  const name = `${'a.very.long.name.of.somebody'.repeat(2)}@example.com`;
  const room = 'r'.repeat(300);
  const editor = await edit(nth(servers, 0), room, name);
  const page = await look(room, { viewport: { width: 360, height: 740 } });
  await untilText(page, '.watched-people', name.slice(0, 60));
  editor.doc.getMap('k'.repeat(200)).set('v'.repeat(200), 'w'.repeat(500));
  await untilText(page, '.tree', 'kkkk');
  await untilText(page, '.watched-log', 'kkkk');
  for (const width of [360, 800, 1280]) {
    await page.setViewportSize({ width, height: 740 });
    expect([width, await overhang(page)]).toEqual([width, 0]);
    await screenshot(page, `long-names-${width}`);
  }
});

test('the log lists each update, newest first, and stands still while paused', async () => {
  const editor = await edit(nth(servers, 0), 'logged', 'Ada');
  editor.type('x');
  // What arrives later would be in the log.
  await eventually(async () => {
    const headers = { Accept: 'application/json' };
    const answer = await fetch(`${service.url}/api/room?room=logged`, { headers });
    expect(await answer.json()).toMatchObject({ document: { text: { value: 'x' } } });
  });
  const page = await look('logged');
  await untilStanding(page, 'Live');
  editor.type('hello');
  await untilText(page, '.watched-log tbody tr:first-child', '+5');
  editor.text.delete(0, 2);
  await untilText(page, '.watched-log tbody tr:first-child', /text.*−2.*deletes only/s);
  expect(await page.locator('.watched-log tbody tr').count()).toBe(2);
  editor.text.format(0, 2, { bold: true });
  await untilText(page, '.watched-log tbody tr:first-child', /text.*bold.*Ada/s);
  editor.text.format(0, 2, { bold: null });
  await untilText(page, '.watched-log tbody tr:first-child', /unbold.*formatting only/s);
  // Known people are named, also once they are known only after their updates.
  await untilText(page, '.watched-log tbody tr:last-child', /\+5.*Ada: 1–5/s);
  await page.getByRole('button', { name: 'Pause' }).click();
  editor.type('while it is paused');
  await untilText(page, '.card-head', '1 new update');
  await untilCount(page, '.watched-log tbody tr', 4);
  await page.getByRole('button', { name: 'Resume' }).click();
  await untilText(page, '.watched-log tbody tr:first-child', '+18');
});

test('disagreements between the store and the servers are explained', async () => {
  const editor = await edit(nth(servers, 0), 'half-stored');
  editor.type('x');
  const page = await look('half-stored');
  await untilText(
    page,
    '.watched-servers',
    /127\.0\.0\.9:9\s*Dead address.*nothing answers there/s,
  );
  await untilText(page, '.watched-servers', new RegExp(`${nth(servers, 0).id}\\s*Not stored`));
  await untilText(
    page,
    '.watched-servers',
    '1 connection. It holds the room, but the metadata store',
  );
});

test('without Redis the room is polled, diverged servers are flagged, and a vanished room is still shown', async () => {
  const [one, other] = [await startDocServer(), await startDocServer()];
  const deaf = await startStaged([one, other], calm);
  const text = one.doc('split').getText('text');
  text.insert(0, 'only here');
  other.doc('split').getText('text').insert(0, 'only there');
  const page = await look('split', {}, deaf);
  await one.announce('split');
  await other.announce('split');
  await untilStanding(page, 'Polling');
  await untilText(page, '.notice', 'set REDIS_URL');
  await untilText(page, '.tree-text p', /only here/);
  await untilText(page, '.tree-text p', /only there/);
  await untilText(page, '.notice', 'The servers hold different documents');
  await untilText(page, '.notice li', `${one.id} misses 10 elements`);
  text.insert(9, ', and more');
  await untilText(page, '.tree-text p', 'only here, and more');
  expect(await seriousFindings(page)).toEqual([]);
  for (const server of [one, other]) server.forget('split');
  await untilStanding(page, 'Gone');
  await untilText(page, '.notice', 'No server holds this room anymore');
  await untilText(page, '.tree-text p', 'only here, and more');
});

test('without Redis a room is live by posts of its server, with its updates and people', async () => {
  const server = await startServerProcess();
  const posting = await startStaged([server], calm);
  try {
    const editor = await edit(server, 'posted', 'Ada');
    editor.type('it begins');
    const page = await look('posted', {}, posting);
    await untilStanding(page, 'Live');
    await untilText(page, '.watched-head', 'live, by posts of the servers');
    await untilText(page, '.watched-people', 'Ada');
    editor.type(' and goes on');
    await untilText(page, '.tree-text p', 'it begins and goes on');
    await untilText(page, '.watched-log', '+12');
    expect(await seriousFindings(page)).toEqual([]);
  } finally {
    await server.kill();
  }
});

test('servers with invalid, missing or conflicting updates are named and explained', async () => {
  const [sick, waiting, other] = [
    await startDocServer({ capabilities: [], name: 'sick-1' }),
    await startDocServer(),
    await startDocServer(),
  ];
  const odd = await startStaged([sick, waiting, other], calm);
  sick.states.set('odd', Uint8Array.of(1, 1, 1));
  const page = await look('odd', {}, odd);
  await sick.announce('odd');
  await untilStanding(page, 'Unreadable');
  await untilText(page, '.notice', 'none of them sends a valid Yjs document');
  await untilText(page, '.notice li', new RegExp(`sick-1 ${sick.id}: not a Yjs update`));
  await untilText(page, '.card', 'No server has sent a valid document');
  await untilText(page, '.watched-servers', new RegExp(`sick-1 ${sick.id}\\s*Unreadable`));
  const doc = new Y.Doc();
  doc.clientID = 7;
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (const word of ['one ', 'two ', 'three']) doc.getText('text').insert(0, word);
  for (const i of [0, 2]) Y.applyUpdate(waiting.doc('odd'), nth(updates, i));
  other.doc('odd').clientID = 7;
  other.doc('odd').getText('text').insert(0, 'other');
  await waiting.announce('odd');
  await other.announce('odd');
  await untilStanding(page, 'Polling');
  await untilText(page, '.notice', 'Some servers are missing updates');
  await untilText(page, '.notice li', `${waiting.id} waits for 4 elements of client 7.`);
  await untilText(page, '.notice', /with content other than shown below/);
  await untilText(page, '.notice', 'Two clients use the same client id');
  expect(await seriousFindings(page)).toEqual([]);
});

test('a room that servers count but do not return says so', async () => {
  const server = await startDocServer();
  server.snapshot = [{ plain: 7 }, { 'a=b': 7 }];
  const counting = await startStaged([server], calm);
  const page = await look('plain', {}, counting);
  const pretense = /No server has this room|Not asked yet|0 connections|connections unknown/;
  await untilStanding(page, 'Not returned');
  await untilText(page, '.watched-head', '7 connections');
  await untilText(page, '.card-head', '0 of 7 known so far');
  await untilText(page, '.notice', 'they do not offer GET /api/room');
  await untilText(page, '.watched-servers', /Denied.*7 connections\. .*does not offer GET/s);
  expect(await page.locator('main').textContent()).not.toMatch(pretense);
  expect(await seriousFindings(page)).toEqual([]);

  await page.goto(`${counting.url}/#/room/a%3Db`);
  await untilStanding(page, 'Unsupported name');
  await untilText(page, '.watched-head', '7 connections');
  await untilText(page, '.watched-servers', /Not asked.*7 connections\. Without the agent/s);
  expect(await page.locator('main').textContent()).not.toMatch(pretense);
});

test.each([
  ['a%20b', 'a b'],
  ['__proto__', '__proto__'],
  ['100%', '100%'],
  ['a/b', 'a/b'],
  ['😀', '😀', '%F0%9F%98%80'],
])('the room %s is shown with its name and its raw key', async (room, shown, raw = room) => {
  const editor = await edit(nth(servers, 0), room);
  editor.type(`this is ${shown}`);
  const page = await look(raw);
  await untilText(page, '.tree-text p', `this is ${shown}`);
  expect(await page.locator('h1').textContent()).toBe(shown);
  expect(await page.locator('.watched-key code').textContent()).toBe(raw);
  await untilText(page, '.watched-head', '1 connection');
});

test('a hostile document is shown as plain text, and only in part', async () => {
  const { doc, provider } = await edit(
    nth(servers, 0),
    'hostile',
    '\u202e<img src=x onerror=alert(1)>',
  );
  const script =
    '<script>globalThis.harmed = true</script><img src=x onerror="globalThis.harmed=1">';
  doc.getText('html').insert(0, script);
  doc.getText('huge').insert(0, 'word '.repeat(100_000));
  doc.getArray('long').insert(
    0,
    Array.from({ length: 20_000 }, (_, index) => index),
  );
  doc.getMap('keys').set('__proto__', { polluted: true });
  doc.getMap('keys').set('constructor', 'text');
  let deep = new Y.Map<unknown>();
  doc.getMap('deep').set('down', deep);
  for (let depth = 0; depth < 500; depth += 1) {
    const below = new Y.Map<unknown>();
    deep.set('down', below);
    deep = below;
  }
  const page = await look('hostile');
  await untilText(page, '.tree', script);
  provider.awareness.setLocalStateField('user', {
    name: '\u202e<img src=x onerror=alert(1)>',
    color: 'url(https://example.com/x)',
  });
  await untilText(page, '.watched-people', '\\u{202e}<img src=x');
  await untilText(page, '.tree', /keys.*2 entries.*__proto__.*polluted.*true/s);
  expect(await page.locator('#main *').count()).toBeLessThan(600);
  expect(await page.evaluate('[globalThis.harmed, ({}).polluted]')).toEqual([undefined, undefined]);

  await page.getByRole('button', { name: /^long/ }).click();
  await untilCount(page, '.tree-index', 50);
  await page.getByRole('button', { name: 'Show 200 more of 19,950' }).click();
  await untilCount(page, '.tree-index', 250);
  const text = page.locator('.tree-text', { hasText: 'word word' });
  expect((await text.locator('p').textContent())?.length).toBeLessThan(1100);
  await text.getByRole('button', { name: /Show more/ }).click();
  await eventually(async () =>
    expect((await text.locator('p').textContent())?.length).toBeGreaterThan(7_900),
  );
});

test('a fifth room waits for a free connection, and then opens', async () => {
  const editor = await edit(nth(servers, 0), 'shared');
  editor.type('for all');
  const first = await look('shared');
  const pages = [first];
  for (let tab = 1; tab < 5; tab += 1) {
    const page = await first.context().newPage();
    await page.goto(first.url());
    pages.push(page);
  }
  for (const page of pages.slice(0, 4)) await untilText(page, '.tree-text p', 'for all');
  await untilStanding(nth(pages, 4), 'Waiting for a free connection');
  await untilText(nth(pages, 4), '.notice', 'Close one of them');
  await first.close();
  await untilText(nth(pages, 4), '.tree-text p', 'for all');
});

test('axe finds nothing serious in either scheme, and a phone does not scroll sideways', async () => {
  const editor = enter(nth(servers, 0), 'looked-at', 'Ada');
  await editor.synced;
  editor.type('A long line of text that has to wrap somewhere on the way. '.repeat(5));
  editor.text.format(0, 6, { bold: true });
  editor.doc.getMap('settings').set('a'.repeat(200), 'b'.repeat(400));
  const phone = { viewport: { width: 360, height: 740 } };
  const small = await look('looked-at', phone);
  const dark = await look('looked-at', { colorScheme: 'dark' });
  for (const page of [small, dark]) {
    await untilStanding(page, 'Live');
    await untilText(page, '.tree-text p', 'A long line');
    editor.type('.');
    await untilText(page, '.watched-log', 'text');
    expect(await seriousFindings(page)).toEqual([]);
    await screenshot(page, page === small ? 'room-phone' : 'room-dark');
  }
  expect(await overhang(small)).toBe(0);
  // The keyboard closes the first branch.
  const branch = small.locator('.tree-toggle').first();
  await branch.focus();
  await small.keyboard.press('Enter');
  await eventually(async () => expect(await branch.getAttribute('aria-expanded')).toBe('false'));
});
