import { expect, test } from '@jest/globals';
import Koa from 'koa';
import { Doc, encodeStateAsUpdate } from 'yjs';
import { parseNetworks } from '../../../server/addresses.js';
import { createApp } from '../../../server/http/app.js';
import { type ErrorCode, errors } from '../../../server/http/errors.js';
import type { Store } from '../../../server/store/store.js';
import { appNeeds } from '../../support/appNeeds.js';
import { clusterNeeds } from '../../support/clusterNeeds.js';
import { emptyStore } from '../../support/emptyStore.js';
import { toldUrl, useHarness } from '../../support/harness.js';
import { type Answer, ask, post } from '../../support/http.js';
import { startTestService } from '../../support/service.js';

const harness = useHarness();

/** How each code is met. */
const meetings: Record<ErrorCode, () => Promise<Answer>> = {
  unauthorized: async () => ask(`${await alone({ viewerToken: 'x' })}/api/state`),
  too_many_attempts: async () => {
    const url = `${await alone({ viewerToken: 'x' })}/api/state`;
    const headers = { Authorization: 'Bearer y' };
    for (let i = 0; i < 10; i += 1) expect((await ask(url, { headers })).status).toBe(401);
    return ask(url, { headers });
  },
  foreign_page: async () =>
    ask(`${await alone()}/api/session`, {
      method: 'DELETE',
      headers: { Origin: 'https://a.example' },
    }),
  host_not_allowed: async () =>
    ask(`${await alone()}/api/state`, { headers: { Host: 'a.example' } }),
  invalid_host: async () => {
    // No object has two lines of one name; node:http takes a list of names and values, too.
    const headers = ['Host', 'localhost', 'Host', 'a.example'] as never;
    return ask(`${await alone()}/api/state`, { headers });
  },
  invalid_user: async () => {
    const proxySignIn = { header: 'x-user', signOutUrl: undefined, answerMs: 1000 };
    const trustedProxies = parseNetworks('127.0.0.1');
    const url = await alone({ proxySignIn, trustedProxies });
    const headers = ['Host', 'localhost', 'x-user', 'a', 'X-User', 'b'] as never;
    return ask(`${url}/api/state`, { headers });
  },
  content_hidden: async () => ask(`${await alone({ updates: undefined })}/api/updates`),
  instance_unknown: async () => {
    const headers = { 'Instance-Signature': 'v1' };
    return ask(`${await alone({ cluster: clusterNeeds() })}/api/state`, { headers });
  },
  not_found: async () => ask(`${await alone()}/nothing`),
  method_not_allowed: async () => ask(`${await alone()}/health`, { method: 'PUT' }),
  token_unknown: async () => post(`${await alone()}/api/events`, {}),
  invalid_json: async () => post(await callbackUrl(), '{'),
  invalid_delta: async () => post(await callbackUrl(), {}),
  invalid_parameter: async () => ask(`${await alone()}/api/events?stream=x`),
  body_too_large: async () => post(await callbackUrl({ MAX_BODY_BYTES: '10' }), ' '.repeat(11)),
  unsupported_type: async () => ask(`${await alone()}/api/session`, { method: 'POST' }),
  unsupported_encoding: async () =>
    ask(await callbackUrl(), { method: 'POST', headers: { 'Content-Encoding': 'gzip' } }),
  body_timeout: async () => {
    const needs = appNeeds({ bodyLimits: { bodyTimeoutMs: 10 } });
    const { url } = await harness.app(createApp(needs));
    const token = needs.callbacks.tokens.mint({ kind: 'address', address: '' });
    const headers = { 'Content-Length': 10, Connection: 'close' };
    return ask(`${url}/api/events?token=${token}`, { method: 'POST', headers, isLeftOpen: true });
  },
  too_many_viewers: async () => {
    const { url } = await harness.service({ MAX_VIEWERS: '1' });
    await harness.stream({ url });
    return ask(`${url}/api/events`, { headers: { Accept: 'application/json' } });
  },
  draining: async () => ask(`${await alone({ isDraining: () => true })}/ready`),
  no_leader: async () => ask(`${await alone({ cluster: clusterNeeds() })}/api/state`),
  room_not_found: () => askWithServers([], '/api/rooms/r'),
  room_unreadable: () => askWithServers(['x', 'y'], '/api/rooms/r'),
  room_too_large: () =>
    askWithServers([updateOf('x'.repeat(2000)), updateOf('y'.repeat(2000))], '/api/rooms/r', {
      MAX_ROOM_BYTES: '1000',
    }),
  store_unavailable: () =>
    askService('/api/rooms', {}, async () => {
      throw new Error('no such store');
    }),
  internal: async () => {
    const state = () => {
      throw new Error('secret');
    };
    return ask(`${await alone({ fleet: { state } })}/api/state`);
  },
};

async function alone(overrides?: Parameters<typeof appNeeds>[0]): Promise<string> {
  return (await harness.app(createApp(appNeeds(overrides)))).url;
}

/** An update of a document that nobody else has. */
function updateOf(text: string): Uint8Array {
  const doc = new Doc();
  doc.getText('t').insert(0, text);
  return encodeStateAsUpdate(doc);
}

/** A pub-sub server that answers for every room the same; its id. */
async function startRoomServer(state: string | Uint8Array): Promise<string> {
  const app = new Koa();
  app.use((ctx) => {
    ctx.body = ctx.path === '/api/room' ? Buffer.from(state) : 'okay';
  });
  return new URL((await harness.app(app)).url).host;
}

/** Asks a service whose pub-sub servers hold these states of every room. */
async function askWithServers(
  states: readonly (string | Uint8Array)[],
  target: string,
  env: Record<string, string> = {},
): Promise<Answer> {
  const servers = await Promise.all(states.map(startRoomServer));
  return askService(target, { PUBSUB_SERVERS: servers.join(','), ...env });
}

async function askService(
  target: string,
  env: Record<string, string>,
  openStore: () => Promise<Store> = async () => emptyStore,
): Promise<Answer> {
  const service = await startTestService(env, { openStore });
  try {
    return await ask(service.url + target);
  } finally {
    await service.stop();
  }
}

async function callbackUrl(env: Record<string, string> = {}): Promise<string> {
  const server = await harness.server();
  await harness.service(env);
  return toldUrl(server);
}

test.each(Object.keys(errors) as ErrorCode[])(
  '%s has its status and the body of all errors',
  async (code) => {
    const answer = await meetings[code]();
    expect(answer.status).toBe(errors[code].status);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(answer.text)).toEqual({
      error: {
        code,
        message: expect.stringContaining(errors[code].message),
        requestId: expect.stringMatching(/^[\da-f]{8}-[\da-f-]{27}$/),
      },
    });
    expect(answer.text).not.toContain('secret');
  },
);

test('the log contains the request id of an error', async () => {
  const logged: string[] = [];
  const { url } = await harness.app(createApp(appNeeds({ onLog: (line) => logged.push(line) })));
  const { text } = await ask(`${url}/api/events?token=t0ken`, { method: 'POST' });
  const { requestId } = JSON.parse(text).error;
  expect(logged.map((line) => JSON.parse(line))).toMatchObject([
    { requestId, code: 'token_unknown', method: 'POST', path: '/api/events' },
  ]);
  expect(logged.join()).not.toContain('t0ken');
});
