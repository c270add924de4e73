import { expect, test } from '@jest/globals';
import { createApp } from '../../server/app.js';
import { type ErrorCode, errors } from '../../server/http/errors.js';
import { appNeeds } from './appNeeds.js';
import { ask, post } from './http.js';
import { toldUrl, useWorld } from './support.js';

const world = useWorld();

/** How each code is met; those of rooms are met in the tests of their routes. */
const meetings: Partial<Record<ErrorCode, () => Promise<unknown>>> = {
  unauthorized: async () => ask(`${await alone({ viewerToken: 'x' })}/api/state`),
  not_found: async () => ask(`${await alone()}/nothing`),
  method_not_allowed: async () => ask(`${await alone()}/health`, { method: 'PUT' }),
  token_unknown: async () => post(`${await alone()}/api/events`, {}),
  invalid_json: async () => post(await callbackUrl(), '{'),
  invalid_delta: async () => post(await callbackUrl(), {}),
  invalid_parameter: async () => ask(`${await alone()}/api/events?stream=x`),
  body_too_large: async () => post(await callbackUrl({ MAX_BODY_BYTES: '10' }), ' '.repeat(11)),
  unsupported_encoding: async () =>
    ask(await callbackUrl(), { method: 'POST', headers: { 'Content-Encoding': 'gzip' } }),
  body_timeout: async () => {
    const needs = appNeeds({ bodyTimeoutMs: 10 });
    const { url } = await world.app(createApp(needs));
    const token = needs.tokens.mint({ kind: 'address', address: '' });
    const headers = { 'Content-Length': 10, Connection: 'close' };
    return ask(`${url}/api/events?token=${token}`, { method: 'POST', headers, isLeftOpen: true });
  },
  too_many_viewers: async () => {
    const { url } = await world.service({ MAX_VIEWERS: '1' });
    await world.stream({ url });
    return ask(`${url}/api/events`, { headers: { Accept: 'application/json' } });
  },
  draining: async () => ask(`${await alone({ isDraining: () => true })}/ready`),
  internal: async () => {
    const state = () => {
      throw new Error('secret');
    };
    return ask(`${await alone({ state })}/api/state`);
  },
};

async function alone(overrides?: Parameters<typeof appNeeds>[0]): Promise<string> {
  return (await world.app(createApp(appNeeds(overrides)))).url;
}

async function callbackUrl(env: Record<string, string> = {}): Promise<string> {
  const server = await world.server();
  await world.service(env);
  return toldUrl(server);
}

test('every code of the catalogue can be met', () => {
  const ofRooms = /^(room|store)_/;
  const others = Object.keys(errors).filter((code) => !ofRooms.test(code));
  expect(Object.keys(meetings).sort()).toEqual(others.sort());
});

test.each(Object.keys(meetings) as ErrorCode[])(
  '%s has its status and the body of all errors',
  async (code) => {
    const answer = (await meetings[code]?.()) as Awaited<ReturnType<typeof ask>>;
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

test('the request id of a refusal is found in the log', async () => {
  const logged: string[] = [];
  const { url } = await world.app(createApp(appNeeds({ onLog: (line) => logged.push(line) })));
  const { text } = await ask(`${url}/api/events?token=t0ken`, { method: 'POST' });
  const { requestId } = JSON.parse(text).error;
  expect(logged.map((line) => JSON.parse(line))).toMatchObject([
    { requestId, code: 'token_unknown', method: 'POST', path: '/api/events' },
  ]);
  expect(logged.join()).not.toContain('t0ken');
});
