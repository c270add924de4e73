import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { owns, startDouble, untilShown, watch } from '../../support/stage.js';
import { startStaged, useBrowser } from './support/pages.js';

const browser = useBrowser();

/** Serves a page of another origin. Resolves with that origin. */
async function startForeignPage(): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<title>another</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owns(server, () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('an allowed foreign page can neither request an events URL nor post to one', async () => {
  const origin = await startForeignPage();
  const double = await startDouble();
  const service = await startStaged([double], { CORS_ORIGINS: origin });
  const viewer = await watch(service);
  await double.open('real');
  await untilShown(viewer, { real: 1 });
  const page = await browser.open(origin, { allowed: /CORS policy|Failed to load resource/ });
  const query = `${service.url}/api/events/clients?port=${double.port}`;
  const text = await page.evaluate(
    (url) =>
      fetch(url).then(
        (answer) => answer.text(),
        (error) => String(error),
      ),
    query,
  );
  expect(text).toContain('TypeError');
  // A valid events URL, as if it had leaked to the page.
  const posted = await page.evaluate(
    (url) =>
      fetch(url, { method: 'POST', mode: 'no-cors', body: '{"room":"forged","add":777}' }).then(
        ({ type }) => type,
      ),
    double.eventsUrl ?? '',
  );
  expect(posted).toBe('opaque');
  // A later post of the server counts, and the forged one does not.
  await double.open('real');
  await untilShown(viewer, { real: 2 });
  // The page may read what CORS_ORIGINS allows.
  const state = await page.evaluate(
    (url) => fetch(url).then((answer) => answer.json()),
    `${service.url}/api/state`,
  );
  expect(state).toMatchObject({ state: 'active' });
});
