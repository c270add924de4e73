/** Hostile documents and awareness states in the view of a room. */

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import * as Y from 'yjs';
import { eventually } from '../../support/eventually.js';
import { type RedisServer, startRedis } from '../../support/redisServer.js';
import { calm } from '../../support/stage.js';
import { untilCount, untilText } from '../../system/browser/support/looks.js';
import { startStaged, useBrowser } from '../../system/browser/support/pages.js';
import { awarenessUpdate } from '../../system/rooms/support/awareness.js';
import { startDocServer } from '../../system/rooms/support/docServer.js';

const browser = useBrowser();
let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** For a busy machine. */

/** Opens the view of a room with this document. */
async function show(doc: Y.Doc, query = '') {
  const server = await startDocServer();
  server.states.set('r', Y.encodeStateAsUpdate(doc));
  const service = await startStaged([server], { ...calm, REDIS_URL: redis.url });
  const page = await browser.open(`${service.url}/#/room/r${query}`);
  return { page, service };
}

/** Checks that nothing was executed, fetched or made an element, and that there are no bidirectional controls. */
async function expectHarmless(page: Page) {
  expect(await page.evaluate('[globalThis.harmed, ({}).polluted]')).toEqual([undefined, undefined]);
  expect(
    await page
      .locator('#main img, #main script, #main iframe, #main a[href^="javascript"]')
      .count(),
  ).toBe(0);
  const shown = await page.evaluate<string>(
    'document.body.outerHTML + [...document.querySelectorAll("[title]")].map((it) => it.title).join("")',
  );
  expect(shown).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u);
}

/** Checks that the page is responsive: it navigates away and back. */
async function expectAnswers(page: Page) {
  await page.getByRole('link', { name: '‹ Rooms' }).click();
  await eventually(async () => expect(await page.locator('.watched-head').count()).toBe(0));
  await page.goBack();
  await eventually(async () => expect(await page.locator('.watched-head').count()).toBe(1));
}

const turned = '\u202eexe.fdp\u2066\u0007\u{e0041}';
const script =
  '"><script>harmed=1</script><img src=x onerror=harmed=1><a href="javascript:harmed=1">x</a>';
const hostile = script + turned;

test('untrusted names and texts execute nothing and disguise nothing', async () => {
  const doc = new Y.Doc();
  doc.getText(`text ${hostile}`).insert(0, hostile);
  doc.getText('formatted').insert(0, hostile, { [hostile]: hostile, link: { href: script } });
  doc.getText('formatted').insertEmbed(0, { [hostile]: hostile });
  doc.getMap(`map ${hostile}`).set(hostile, hostile);
  doc.getMap('__proto__').set('polluted', true);
  doc.getMap('long').set(hostile, `${hostile}\n`.repeat(50));
  doc
    .getMap('plain')
    .set('value', { [hostile]: [hostile, { [hostile]: null }], __proto__: { polluted: 1 } });
  const element = new Y.XmlElement(`x${hostile}`);
  doc.getXmlFragment('xml').insert(0, [element]);
  element.setAttribute(hostile, hostile);
  element.insert(0, [new Y.XmlText(hostile)]);
  doc.getMap('docs').set('sub', new Y.Doc({ guid: hostile }));
  const { page } = await show(doc);
  await untilText(page, '.tree', `\\u{202e}exe.fdp\\u{2066}\\u{7}`);
  await eventually(async () => expect(await redis.subscribers('r-presence')).toBe(1));
  const user = { name: hostile.slice(-40), color: `url(javascript:harmed=1)${hostile}` };
  await redis.publish(
    'r-presence',
    awarenessUpdate([1, 1, { user, [hostile]: { [hostile]: hostile } }]),
  );
  await redis.publish(
    'r-presence',
    awarenessUpdate([2, 1, { user: { name: { toString: 1 }, color: 5 } }]),
  );
  await redis.publish(
    'r-presence',
    awarenessUpdate([3, 1, JSON.parse('{"__proto__":{"polluted":1}}')]),
  );
  await untilCount(page, '.watched-person', 3);
  for (const person of await page.locator('.watched-person').all()) await person.click();
  await untilText(page, '.watched-people', '<script>harmed=1</script>');
  for (;;) {
    const closed = page.locator('.tree-toggle[aria-expanded="false"]');
    if ((await closed.count()) === 0) break;
    await closed.first().click();
  }
  await expectHarmless(page);
  await expectAnswers(page);
});

test('a million keys and huge names, formats and marks neither freeze nor break the page', async () => {
  const doc = new Y.Doc();
  const million = Object.fromEntries(Array.from({ length: 1_000_000 }, (_, i) => [`k${i}`, i]));
  doc.getMap('million').set('keys', million);
  const map = doc.getMap('map');
  doc.transact(() => {
    for (let i = 0; i < 50_000; i += 1) map.set(`key ${i}`, i);
  });
  doc.getMap('names').set('n'.repeat(1_000_000), 'long');
  doc.getMap('names').set('tower', `Z${'\u0334\u0335\u0336\u0337'.repeat(30)}`);
  const text = doc.getText('formats');
  doc.transact(() => {
    for (let i = 0; i < 500; i += 1)
      text.insert(i, 'x', { [`format ${i} ${'f'.repeat(1000)}`]: { large: 'v'.repeat(1000) } });
  });
  doc.getXmlFragment('xml').insert(0, [new Y.XmlElement('e'.repeat(1_000_000))]);
  const { page } = await show(doc);
  await eventually(async () =>
    expect(await page.locator('.tree').textContent()).toContain('50,000 entries'),
  );
  const shown = (await page.locator('.tree').textContent()) ?? '';
  expect(shown.length).toBeLessThan(20_000);
  const titles = await page.evaluate<number>(
    '[...document.querySelectorAll("[title]")].reduce((sum, it) => sum + it.title.length, 0)',
  );
  expect(titles).toBeLessThan(1_000_000);
  const more = page.getByRole('button', { name: 'Show 200 more of 999,950' });
  await more.click();
  await untilText(page, '.tree', 'Show 200 more of 999,750');
  await expectHarmless(page);
  await expectAnswers(page);
});
