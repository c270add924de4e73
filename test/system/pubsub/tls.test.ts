import { createServer as createHttpServer } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { expect, test } from '@jest/globals';
import { makeCertificate } from '../../support/certificates.js';
import { eventually } from '../../support/eventually.js';
import {
  getJson,
  owns,
  post,
  serversOf,
  startStaged,
  untilShown,
  watch,
  watchMaps,
} from '../../support/stage.js';

const ours = makeCertificate('IP:127.0.0.1', 'DNS:localhost');
const theirs = makeCertificate('IP:127.0.0.1');
const elsewhere = makeCertificate('DNS:elsewhere.example');

async function startListening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owns(server, (it) => new Promise((resolve) => it.close(resolve)));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A pub-sub server over https with one room, and where it was last told to post. */
async function startSecure(options: ServerOptions) {
  const told = { eventsUrl: '' };
  const server = createServer(options, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.method === 'PUT') Object.assign(told, JSON.parse(body));
    const isRoom = request.url?.startsWith('/api/room?');
    response.setHeader('Content-Type', isRoom ? 'application/octet-stream' : 'application/json');
    response.end(isRoom ? Buffer.from([0, 0]) : '[{"r":1}]');
  });
  return { told, id: await startListening(server) };
}

/** Why the last request to the server of a service failed. */
async function failureOf(id: string, env: Record<string, string>): Promise<string> {
  const service = await startStaged([{ id }], env, { isHurried: true });
  await watch(service);
  let failure = '';
  await eventually(async () => {
    failure = (await getJson<{ lastFailure: string }[]>(`${service.url}/api/servers`))[0]
      ?.lastFailure as string;
    expect(failure).toEqual(expect.any(String));
  });
  return failure;
}

test('servers are asked over https, and post to the URL for their connection', async () => {
  const { id, told } = await startSecure(ours);
  const service = await startStaged([{ id }], { PUBSUB_TLS: 'true', PUBSUB_CA_FILE: ours.file });
  const viewer = await watchMaps(service);
  await untilShown(viewer, { r: 1 });
  expect(told.eventsUrl).toMatch(`${service.url}/api/events?token=`);
  await post(told.eventsUrl, '{"room":"r","add":1}');
  await untilShown(viewer, { r: 2 });
  const room = await getJson<object>(`${service.url}/api/room/servers?room=r`);
  expect(room).toMatchObject({ servers: [{ answer: 'holds' }] });
  await eventually(async () =>
    expect(await serversOf(service)).toMatchObject([{ id, state: 'live' }]),
  );
});

test('a certificate of an unknown authority is named as the cause', async () => {
  const { id } = await startSecure(theirs);
  const wrong = await failureOf(id, { PUBSUB_TLS: 'true', PUBSUB_CA_FILE: ours.file });
  expect(wrong).toMatch(/^its certificate is not trusted .*PUBSUB_CA_FILE$/);
  const unset = await failureOf(id, { PUBSUB_TLS: 'true' });
  expect(unset).toMatch(/^its certificate is not trusted .*PUBSUB_CA_FILE$/);
});

test('a certificate for another host is named as the cause', async () => {
  const { id } = await startSecure(elsewhere);
  const failure = await failureOf(id, { PUBSUB_TLS: 'true', PUBSUB_CA_FILE: elsewhere.file });
  expect(failure).toMatch(/^its certificate is for another host: .*127\.0\.0\.1/);
});

test('a server that only speaks http is named as such', async () => {
  const id = await startListening(createHttpServer((_, response) => response.end('[]')));
  expect(await failureOf(id, { PUBSUB_TLS: 'true' })).toMatch(/over https .*PUBSUB_TLS$/);
});
