import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { startDouble } from '../../support/stage.js';
import { seriousFindings } from './support/looks.js';
import { startStaged, untilServer, useBrowser } from './support/pages.js';

const browser = useBrowser();
const since = new Date(Date.now() - 3 * 3_600_000).toISOString();
const shared = { version: '0.2.0', since };
const instances = [
  { id: 'a', role: 'leading', term: 7, url: 'http://10.0.0.1:8000', viewers: 1234, lagMs: 300 },
  { id: 'b', role: 'following', term: null, url: 'http://10.0.0.2:8000', viewers: 0, lagMs: null },
  { id: 'c', role: 'gone', term: null, url: 'http://10.0.0.3:8000', viewers: 5, lagMs: 42_000 },
];

test('the servers view lists the instances of the service if there are several', async () => {
  const double = await startDouble();
  const service = await startStaged([double]);
  const page = await browser.open(`${service.url}/#/servers`);
  await untilServer(page, double.id, 'live');
  expect(await page.getByText('Instances of this service').count()).toBe(0);
  await page.route('**/api/instances', (route) =>
    route.fulfill({ json: instances.map((instance) => ({ ...instance, ...shared })) }),
  );
  const rows = () =>
    page
      .locator('[data-instance]')
      .evaluateAll((all) =>
        all.map((row) => [...row.children].map(({ textContent }) => textContent)),
      );
  await eventually(async () =>
    expect(await rows()).toEqual([
      ['http://10.0.0.1:8000', 'leading', '1,234', '0.2.0', '3 h', 'now'],
      ['http://10.0.0.2:8000', 'following', '0', '0.2.0', '3 h', '–unknown'],
      ['http://10.0.0.3:8000', 'gone', '5', '0.2.0', '3 h', '42 s ago'],
    ]),
  );
  expect(await seriousFindings(page)).toEqual([]);
});
