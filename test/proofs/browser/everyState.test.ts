/**
 * Every view in every state. `npm run screenshots` takes a picture of each, in both themes, on a desktop and
 * on a phone. As a proof it looks at three states on a phone, in one theme.
 */

import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { useBrowser } from '../../system/browser/support/pages.js';
import { everyLook, look, quickLooks } from './support/pictures.js';
import { allViews, type Scene, type Stage, scenes } from './support/scenes.js';

const browser = useBrowser();
const { SCREENSHOTS, SCENES = '', LOOKS = '' } = process.env;
const wantedLooks = everyLook.filter(({ device, theme }) => `${device}-${theme}`.match(LOOKS));
const looks = SCREENSHOTS ? wantedLooks : quickLooks;
const only = new RegExp(SCREENSHOTS ? SCENES : '^(told|cut-off|names)$');

/** The address of a view. */
function addressOf(view: string, { server, room }: Stage): string {
  if (view === 'room') return `#/room/${encodeURIComponent(room)}`;
  if (view === 'server') return `#/server/${encodeURIComponent(server)}`;
  if (view === 'instances') return '#/servers';
  return allViews.some((name) => name === view) && view !== 'overview' ? `#/${view}` : '#/';
}

const since = '2026-01-05T08:00:00Z';
const instances = [
  { id: 'a', role: 'leading', term: 7, url: 'http://10.0.0.1:8000', viewers: 1234, lagMs: 300 },
  { id: 'b', role: 'following', term: null, url: 'http://10.0.0.2:8000', viewers: 0, lagMs: null },
  { id: 'c', role: 'gone', term: null, url: 'http://10.0.0.3:8000', viewers: 5, lagMs: 42_000 },
].map((instance) => ({ ...instance, version: '0.2.0', since }));

/** Shows what a view has beside its address. */
async function arrange(page: Page, view: string): Promise<void> {
  if (view === 'palette') await page.keyboard.press('Control+k');
  if (view === 'help') await page.keyboard.press('?');
  if (view === 'palette' || view === 'help') await page.locator('dialog').waitFor();
}

async function openView(scene: Scene, view: string, stage: Stage): Promise<Page> {
  const page = await browser.open('about:blank', scene.allowed ? { allowed: scene.allowed } : {});
  if (view === 'instances')
    await page.route('**/api/instances', (route) => route.fulfill({ json: instances }));
  await page.goto(`${stage.gate.url}/${addressOf(view, stage)}`);
  if (scene.disturb) await page.locator('[data-stream="live"]').waitFor();
  return page;
}

test.each(scenes.filter(({ name }) => only.test(name)))(
  'in the state "$name" every view fits, is readable, and has targets that can be touched',
  async (scene) => {
    const stage = await scene.start();
    const pages: [string, Page][] = [];
    for (const view of scene.views) pages.push([view, await openView(scene, view, stage)]);
    scene.disturb?.(stage);
    const problems: string[] = [];
    for (const [view, page] of pages) {
      await scene.until(page, stage);
      await arrange(page, view);
      problems.push(...(await look(page, `${view}-${scene.name}`, looks)));
      await page.close();
    }
    expect(problems).toEqual([]);
  },
);
