import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import type { ActivityEvent } from '../../../server/wire/activityEvent.js';
import { eventually } from '../../support/eventually.js';
import { calm, getJson, owns, startDouble, startStaged } from '../../support/stage.js';

const WEBHOOK_SECRET = 'a secret of many letters';

interface Received {
  id: string;
  isSigned: boolean;
  event: ActivityEvent;
}

/** A receiver of webhooks that refuses the first ones. */
async function startReceiver(refusals = 0) {
  const received: Received[] = [];
  let left = refusals;
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    const id = String(req.headers['webhook-id']);
    const text = `${id}.${req.headers['webhook-timestamp']}.${body}`;
    const mac = createHmac('sha256', WEBHOOK_SECRET).update(text).digest('base64');
    const isSigned = req.headers['webhook-signature'] === `v1,${mac}`;
    received.push({ id, isSigned, event: JSON.parse(body).data });
    left -= 1;
    res.writeHead(left >= 0 ? 503 : 204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owns(server, () => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return { url, received };
}

test('events are sent as signed webhooks, and again with the same id until they are accepted', async () => {
  const { url, received } = await startReceiver(1);
  const service = await startStaged([await startDouble()], {
    ...calm,
    WEBHOOK_URL: url,
    WEBHOOK_SECRET,
    WEBHOOK_ALLOW_PRIVATE: 'true',
  });
  // A busy machine pauses the service, which is an event too.
  const kinds = () => received.map(({ event }) => event.kind).filter((it) => !/paused$/.test(it));
  await eventually(() =>
    expect(kinds().slice(0, 4)).toEqual([
      'instance.alone',
      'instance.alone',
      'dependency.failed',
      'dependency.recovered',
    ]),
  );
  expect(received.every(({ isSigned }) => isSigned)).toBe(true);
  expect(received[0]?.id).toBe(received[1]?.id);
  await eventually(async () => {
    const events = await getJson<ActivityEvent[]>(`${service.url}/api/activity`);
    expect(received.slice(1).map(({ event }) => event)).toEqual(events);
  });
});

test('a private address that was not allowed gets none', async () => {
  const { url, received } = await startReceiver();
  const { port } = new URL(url);
  const service = await startStaged([], {
    ...calm,
    WEBHOOK_URL: `http://localhost.:${port}/`,
    WEBHOOK_SECRET,
  }).catch((error: Error) => error.message);
  expect(service).toContain('WEBHOOK_ALLOW_PRIVATE');
  expect(received).toEqual([]);
});
