import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { eventually } from '../support/eventually.js';
import { startDouble, stateOf, untilState } from '../support/stage.js';
import { startStaged, untilStream, untilStrip, useBrowser } from './support/pages.js';

const browser = useBrowser();

test('ten tabs all work, and are one viewer until the last of them is closed', async () => {
  const double = await startDouble();
  double.rooms.set('a', 2);
  const service = await startStaged([double]);
  const open = await browser.openContext();
  const tabs: Page[] = [];
  for (let i = 0; i < 10; i += 1) tabs.push(await open(service.url));
  for (const tab of tabs) await untilStrip(tab, { connections: 2, viewers: 1 });

  await double.open('b');
  for (const tab of tabs) await untilStrip(tab, { connections: 3, rooms: 2 });
  expect(await stateOf(service)).toMatchObject({ viewers: 1, detail: 'watched' });

  const [last, ...others] = tabs;
  await Promise.all(others.map((tab) => tab.close()));
  await double.open('c');
  if (last) await untilStrip(last, { connections: 4, rooms: 3 });
  expect(await stateOf(service)).toMatchObject({ viewers: 1 });

  await last?.close();
  await eventually(async () => expect(await stateOf(service)).toMatchObject({ viewers: 0 }));
  await untilState(service, 'inactive');
  expect(double.active).toBe(false);
});

test('a tab that goes elsewhere leaves, and is live again when it comes back', async () => {
  const double = await startDouble();
  const service = await startStaged([double]);
  const page = await browser.open(service.url);
  await untilStream(page, 'live');
  await page.goto('about:blank');
  await untilState(service, 'inactive');
  await page.goBack();
  await untilStream(page, 'live');
  await untilStrip(page, { viewers: 1 });
});
