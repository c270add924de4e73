import { expect, test } from '@jest/globals';
import { startDouble } from '../../support/stage.js';
import { startStaged, useBrowser } from './support/pages.js';

const browser = useBrowser();

test('the servers view shows what servers tell of themselves, and a dash for what they do not', async () => {
  const [told, deployed] = [await startDouble(), await startDouble()];
  told.agent = {
    name: 'web-1',
    agent: '0.1.0',
    host: 'hocuspocus 3.4.4',
    uptimeSeconds: 3 * 3600,
    memoryBytes: 80 * 1024 * 1024,
    eventLoopDelayMs: 1.6,
    documents: { inMemory: 1234, idle: 2 },
    stores: { pending: 0, failed: 3 },
  };
  const service = await startStaged([told, deployed]);
  const page = await browser.open(`${service.url}/#/servers`);
  const row = page.locator(`[data-agent="${told.id}"]`);
  await row.waitFor();
  const factsOf = async (id: string) =>
    Object.fromEntries(
      await page
        .locator(`[data-agent="${id}"] td`)
        .evaluateAll((cells) =>
          cells.map((cell) => [cell.getAttribute('data-fact'), cell.textContent]),
        ),
    );
  expect(await factsOf(told.id)).toEqual({
    'Runs in': 'hocuspocus 3.4.4',
    Agent: '0.1.0',
    Up: '3 h',
    Memory: '80 MiB',
    'Loop delay': '2 ms',
    'In memory': '1,234',
    Idle: '2',
    'To store': '0',
    'Not stored': '3',
  });
  expect(new Set(Object.values(await factsOf(deployed.id)))).toEqual(new Set(['–unknown']));
  await page.locator(`[data-server="${told.id}"]`).getByText('web-1').waitFor();
});
