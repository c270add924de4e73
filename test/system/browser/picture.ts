/** `npm run picture`: takes a screenshot of the page with the demo's servers as `docs/page.png`. */

import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startDemoFleet } from '../../../server/demo/demoFleet.js';
import { simulateEditors } from '../../../server/demo/editors.js';
import { freePort } from '../../../server/demo/serviceChild.js';
import { emptyStore } from '../../support/emptyStore.js';
import { startTestService } from '../../support/service.js';
import { launchBrowser, openPage } from './support/browser.js';

const path = fileURLToPath(new URL('../../../docs/page.png', import.meta.url));
const maxBytes = 200 * 1024;
/** The plots first show a growing crowd, then a killed server. */
const beforeMs = 14_000;
const afterMs = 12_000;
const rooms = [
  'design-review',
  'weekly%20notes',
  'roadmap/2025',
  '%F0%9F%98%80%20retro',
  'budget-100%',
  'onboarding',
  'todo',
  'constructor',
];

const say = (line: string) => process.stdout.write(`${line}\n`);
const cleanups: (() => unknown)[] = [];

async function take(): Promise<void> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const fleet = await startDemoFleet({ dashboardUrl: url, say });
  cleanups.push(() => fleet.stop());
  const env = {
    PORT: String(port),
    PUBSUB_SERVERS: fleet.ids().join(','),
    PROBE_INTERVAL_MS: '1000',
  };
  const service = await startTestService(env, { openStore: async () => emptyStore });
  cleanups.push(service.stop);
  const editors = simulateEditors({ servers: () => fleet.urls(), rooms, editors: 60, stepMs: 120 });
  cleanups.push(editors.stop);
  const browser = await launchBrowser();
  cleanups.push(() => browser.close());
  const context = await browser.newContext({
    viewport: { width: 1200, height: 780 },
    colorScheme: 'light',
    reducedMotion: 'reduce',
  });
  const { page, errors } = await openPage(context, url);
  await page.waitForTimeout(beforeMs);
  say(await fleet.next());
  await page.waitForTimeout(afterMs);
  await page.screenshot({ path });
  if (errors.length > 0) throw new Error(`the page met errors: ${errors.join('; ')}`);
  const { size } = statSync(path);
  if (size > maxBytes) throw new Error(`${path} has ${size} bytes, more than ${maxBytes}`);
  say(`${path}: ${size} bytes`);
}

try {
  await take();
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
}
