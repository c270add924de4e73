import type { lookup as systemLookup } from 'node:dns';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { sendWebhook, type WebhookTarget } from '../../../server/webhooks/sendWebhook.js';
import { eventually } from '../../support/eventually.js';
import { owns } from '../../support/stage.js';

const signed = { headers: { 'content-type': 'application/json', 'webhook-id': '1-a' }, body: '{}' };
const isPrivate = /address is private/;

async function listening(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owns(server, () => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const target = (url: string, more: Partial<WebhookTarget> = {}): WebhookTarget => ({
  url,
  allowsPrivate: true,
  signal: new AbortController().signal,
  ...more,
});

/** A resolver that knows one address for every name. */
const resolvesTo = (address: string) =>
  ((_name: string, _options: object, done: (...args: unknown[]) => void) =>
    done(null, [{ address, family: 4 }])) as unknown as typeof systemLookup;

test('a webhook is posted with its headers and body', async () => {
  const seen: unknown[] = [];
  const host = await listening(async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    seen.push([req.method, req.url, req.headers['webhook-id'], req.headers['content-type'], body]);
    res.writeHead(204).end();
  });
  await sendWebhook(target(`http://${host}/hooks/1?key=a%20b`), signed);
  expect(seen).toEqual([['POST', '/hooks/1?key=a%20b', '1-a', 'application/json', '{}']]);
});

test.each([200, 204, 299])('status %i is a success', async (status) => {
  const host = await listening((_req, res) => res.writeHead(status).end());
  await expect(sendWebhook(target(`http://${host}/`), signed)).resolves.toBeUndefined();
});

test('the body of an answer is not waited for', async () => {
  let closed: Promise<unknown> | undefined;
  const host = await listening((req, res) => {
    closed = once(req.socket, 'close');
    res.writeHead(200).write('and so on');
  });
  await sendWebhook(target(`http://${host}/`), signed);
  await closed;
});

test('an answer that does not come in time is a failure, and is not asked for again', async () => {
  let requests = 0;
  const host = await listening(() => {
    requests += 1;
  });
  let sent = 0;
  // On a busy machine the time may be over before a request has arrived.
  await eventually(async () => {
    sent += 1;
    const failure = sendWebhook(target(`http://${host}/`, { timeoutMs: 50 }), signed);
    await expect(failure).rejects.toThrow(/timeout/i);
    expect(requests).toBeGreaterThan(0);
  });
  expect(requests).toBeLessThanOrEqual(sent);
});

test('a name that is not known is a failure', async () => {
  const lookup = ((_name: string, _options: object, done: (error: Error) => void) =>
    done(new Error('getaddrinfo ENOTFOUND hooks.example'))) as unknown as typeof systemLookup;
  const there = target('http://hooks.example/', { lookup, allowsPrivate: false });
  await expect(sendWebhook(there, signed)).rejects.toThrow('ENOTFOUND');
});

test.each([300, 302, 400, 404, 500])('status %i is a failure', async (status) => {
  const host = await listening((_req, res) => res.writeHead(status, { location: '/x' }).end());
  await expect(sendWebhook(target(`http://${host}/secret`), signed)).rejects.toThrow(
    `the receiver answered ${status}`,
  );
});

test('a receiver may say when to try again', async () => {
  const host = await listening((_req, res) => res.writeHead(429, { 'Retry-After': '120' }).end());
  const failure = sendWebhook(target(`http://${host}/`), signed);
  await expect(failure).rejects.toMatchObject({
    name: 'WebhookFailure',
    retryAfterMs: 120_000,
  });
});

test('private addresses are refused unless they are allowed', async () => {
  let requests = 0;
  const host = await listening((_req, res) => {
    requests += 1;
    res.writeHead(204).end();
  });
  const port = host.split(':')[1];
  const refused = { allowsPrivate: false };
  for (const name of [host, `localhost:${port}`, `[::1]:${port}`, `[::ffff:127.0.0.1]:${port}`])
    await expect(sendWebhook(target(`http://${name}/`, refused), signed)).rejects.toThrow(
      isPrivate,
    );
  const lookup = resolvesTo('127.0.0.1');
  for (const address of ['10.0.0.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '127.0.0.1'])
    await expect(
      sendWebhook(
        target(`http://hooks.example:${port}/`, { ...refused, lookup: resolvesTo(address) }),
        signed,
      ),
    ).rejects.toThrow(isPrivate);
  expect(requests).toBe(0);
  await sendWebhook(target(`http://hooks.example:${port}/`, { lookup }), signed);
  expect(requests).toBe(1);
});

test('a failure does not tell the URL', async () => {
  const host = await listening((req) => req.socket.destroy());
  const failure = sendWebhook(target(`http://${host}/secret`), signed);
  await expect(failure).rejects.toThrow(/^(?!.*secret)/s);
});
