import { expect, test } from '@jest/globals';
import { Signatures } from '../../../server/pubsub/signatures.js';
import type { Service } from '../../../server/service.js';
import { eventually } from '../../support/eventually.js';
import { type Answer, ask } from '../../support/http.js';
import {
  putsOf,
  serversOf,
  startDouble,
  startStaged,
  untilShown,
  watch,
  watchMaps,
} from '../../support/stage.js';
import { startLogged } from '../security/logged.js';
import { startAgent } from './support.js';

const secret = 'the secret of this test';
const other = 'not the secret of this test';
const withSecret = { PUBSUB_SECRET: secret };
const path = '/api/events/clients';

const idOf = ({ port }: { port: number }) => `127.0.0.1:${port}`;
const rowOf = async (service: Service, id: string) =>
  (await serversOf(service)).find((row) => row.id === id);

/** Sends a signed query by hand. */
function askSigned({ url }: { url: string }, query: string, signedWith = secret): Promise<Answer> {
  const target = `${path}?${query}`;
  const request = { method: 'GET', host: new URL(url).host, target, body: '' };
  const headers = { 'Dashboard-Signature': new Signatures([signedWith]).sign(request) };
  return ask(url + target, { headers });
}

test('a server and a service with the same secret count, and rooms are fetched', async () => {
  const service = await startStaged([], withSecret);
  const viewer = await watchMaps(service);
  const held = new Map<string, number>();
  const documents = { connections: () => held, encodedState: () => Buffer.from([0, 0]) };
  const server = await startAgent({ url: service.url, secret, documents });
  held.set('b c', 1);
  server.agent.opened('b c');
  await untilShown(viewer, { 'b c': 1 });
  const room = await fetch(`${service.url}/api/room/servers?room=b%20c`);
  expect(await room.json()).toMatchObject({ servers: [{ server: idOf(server), answer: 'holds' }] });
});

test('a probe of a server with a secret is signed', async () => {
  const service = await startStaged([], { ...withSecret, RESYNC_INTERVAL_MS: '600000' });
  await watch(service);
  const server = await startAgent({ url: service.url, secret });
  const seenAt = async () => (await rowOf(service, idOf(server)))?.lastHeardAt;
  await eventually(async () =>
    expect(await rowOf(service, idOf(server))).toMatchObject({ state: 'live' }),
  );
  const before = await seenAt();
  await eventually(async () => expect(await seenAt()).not.toBe(before));
  // On a busy machine it may be late at any instant.
  await eventually(async () =>
    expect(await rowOf(service, idOf(server))).toMatchObject({ state: 'live', lastFailure: null }),
  );
});

test('a rotation breaks nothing: new on the service, then on the server', async () => {
  const service = await startStaged([], { PUBSUB_SECRET: `${other},${secret}` });
  const viewer = await watchMaps(service);
  const server = await startAgent({ url: service.url, secret: [secret, other] });
  server.connections.set('r', 1);
  server.agent.opened('r');
  await untilShown(viewer, { r: 1 });
});

test('a configured server with another secret is shown with the reason', async () => {
  const server = await startAgent({ secret: other });
  const service = await startStaged([{ id: idOf(server) }], withSecret, { isHurried: true });
  await watch(service);
  await eventually(async () =>
    expect(await rowOf(service, idOf(server))).toMatchObject({
      lastFailure: expect.stringMatching(/^answered 401: .*another secret/),
    }),
  );
});

test('deployed servers that are configured go on as before', async () => {
  const double = await startDouble();
  const service = await startStaged([double], withSecret);
  const viewer = await watchMaps(service);
  await double.open('r');
  await untilShown(viewer, { r: 1 });
  expect(await double.askAtStartup(service.url)).toMatchObject({ active: false });
});

test('an unsigned query, or one with another secret, has nobody asked, and is logged once', async () => {
  const double = await startDouble();
  const { service, lines } = await startLogged(withSecret);
  await watch(service);
  for (let i = 0; i < 3; i += 1) {
    const answers = [
      await ask(`${service.url}${path}?port=${double.port}`),
      await askSigned(service, `port=${double.port}`, other),
    ];
    for (const { status, text } of answers) {
      expect(status).toBe(200);
      expect(JSON.parse(text)).toEqual({ active: false, eventsUrl: `${service.url}/api/events` });
    }
  }
  // After these, a signed one is answered and its server asked.
  const known = await startDouble();
  await askSigned(service, `port=${known.port}`);
  await eventually(() => expect(putsOf(known)).toHaveLength(1));
  expect(double.requests).toEqual([]);
  const told = lines
    .map((line) => JSON.parse(line))
    .filter(({ msg }) => msg.startsWith('a start-up query is'));
  expect(told.map(({ reason, address }) => [reason, address])).toEqual([
    ['missing', '127.0.0.1'],
    ['wrong_secret', '127.0.0.1'],
  ]);
  expect(lines.join()).not.toContain(secret);
});

test('a captured query is refused when it is sent again, or for another service', async () => {
  const host = 'one.example:8000';
  const one = await startStaged([], { ...withSecret, ALLOWED_HOSTS: 'one.example' });
  const another = await startStaged([], withSecret);
  const double = await startDouble();
  const target = `${path}?port=${double.port}`;
  const signed = new Signatures([secret]).sign({ method: 'GET', host, target, body: '' });
  const send = (service: { url: string }) =>
    ask(service.url + target, { headers: { 'Dashboard-Signature': signed, Host: host } });
  await send(another);
  expect([...another.activation.getSnapshot().context.roster]).toEqual([]);
  await send(one);
  await eventually(() => expect(putsOf(double)).toHaveLength(1));
  await watch(one);
  await eventually(() => expect(putsOf(double)).toHaveLength(2));
  const { text } = await send(one);
  expect(JSON.parse(text)).toMatchObject({ active: false });
});

test('a signed query may name a host that does not resolve to its source', async () => {
  const double = await startDouble({ host: '127.0.0.2' });
  const service = await startStaged([], withSecret);
  await askSigned(service, `port=${double.port}&host=127.0.0.2`);
  await eventually(async () =>
    expect(await rowOf(service, double.id)).toMatchObject({ state: 'silent' }),
  );
});

test('a post without a token makes no unknown server known', async () => {
  const double = await startDouble();
  const service = await startStaged([], { ...withSecret, PUBSUB_PORT: `${double.port}` });
  const posted = await fetch(`${service.url}/api/events?token=none`, {
    method: 'POST',
    body: '{}',
  });
  expect(posted.status).toBe(404);
  expect([...service.activation.getSnapshot().context.roster]).toEqual([]);
});
