/** The page in Firefox, as a person uses it. The other tests of the page run in Chromium. */

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'puppeteer-core';
import { eventually } from '../../support/eventually.js';
import { connectTo, startReal } from '../../support/fleet.js';
import { type RedisServer, startRedis } from '../../support/redisServer.js';
import { calm } from '../../support/stage.js';
import { startStaged } from '../../system/browser/support/pages.js';
import { edit } from '../../system/rooms/support/rooms.js';
import { click, press, untilText, untilTexts, useFirefox } from './support/firefox.js';

const firefox = useFirefox();
let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const item = (name: string) => `[data-item="${name}"] dd`;
const rooms = 'tr[data-room] .room-link .room-shown';

/** The background of the page, as a color. */
const background = (page: Page) => page.evaluate('getComputedStyle(document.body).backgroundColor');

test('in Firefox the page is live, finds and opens rooms and servers, and is used by keys', async () => {
  const server = await startReal({ redisUrl: redis.url });
  const service = await startStaged([server], { ...calm, REDIS_URL: redis.url });
  const ada = await edit(server, 'weekly%20notes', 'Ada');
  await connectTo(server, 'roadmap');
  const { page, errors } = await firefox.open(service.url);

  // The overview counts as people come.
  await page.waitForSelector('[data-stream="live"]');
  await untilTexts(page, item('connections'), ['2']);
  await connectTo(server, 'weekly%20notes');
  await untilTexts(page, item('connections'), ['3']);
  await untilText(page, 'figcaption', 'Connections');

  // Rooms: sort, search, open one.
  await click(page, 'Rooms', 'link');
  await untilTexts(page, rooms, ['weekly notes', 'roadmap']);
  await click(page, 'Room', 'button');
  await untilTexts(page, rooms, ['roadmap', 'weekly notes']);
  await page.type('#room-search', 'notes');
  await untilTexts(page, rooms, ['weekly notes']);
  await page.click('tr[data-room] .room-link');
  await untilText(page, '.watched-head .badge', 'Live');
  ada.type('it is written');
  await untilText(page, '.tree-text p', 'it is written');
  await untilText(page, '.watched-person', 'Ada');
  await untilText(page, '.watched-log tbody', 'Ada');
  await page.goBack();
  await untilTexts(page, rooms, ['weekly notes']);
  await eventually(() => expect(page.url()).toContain('sort=name'));

  // A server, and back.
  await click(page, 'Servers', 'link');
  await page.locator(`tr[data-server="${server.id}"] a`).click();
  await page.waitForSelector(`[data-page="${server.id}"][data-state="live"]`);
  await untilText(page, 'tr[data-room]', 'roadmap');
  await page.goBack();
  await page.waitForSelector(`tr[data-server="${server.id}"]`);

  // The palette, and where it leads.
  await page.keyboard.down('Control');
  await press(page, 'k');
  await page.keyboard.up('Control');
  await page.waitForSelector('.palette input:focus');
  await page.keyboard.type('roadmap');
  await untilText(page, '.palette [role="option"]', 'roadmap');
  await press(page, 'Enter');
  await untilText(page, 'h1', 'roadmap');

  const light = await background(page);
  for (const _ of ['light', 'dark']) await page.click('.theme-switch');
  await eventually(async () => expect(await background(page)).not.toBe(light));

  await press(page, 'g', 'c');
  await untilText(page, '#machine-title', 'Activation');
  await untilText(page, '#main', 'watched');
  expect(errors).toEqual([]);
});
