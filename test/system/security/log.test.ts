/** The log has no secrets of clients, whatever they send and however it fails. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { createListener } from '../../../server/http/app.js';
import { appNeeds } from '../../support/appNeeds.js';
import { eventually } from '../../support/eventually.js';
import { useHarness } from '../../support/harness.js';
import { owns } from '../../support/stage.js';
import { expectOneLineEach, linesOfLog, startLogged } from './logged.js';

const harness = useHarness();
const secret = 'a-token-that-nobody-may-read';
const bearer = `Authorization: Bearer ${secret}`;
const cookie = `Cookie: pubsub-dashboard-0=${secret}`;

/** The secret as text and in the encodings of a packet, at any offset. */
const spellings = (['utf8', 'hex', 'base64', 'base64url'] as const).flatMap((encoding) =>
  [0, 1, 2].map((shift) =>
    Buffer.from(' '.repeat(shift) + secret)
      .toString(encoding)
      .slice(4, -4),
  ),
);
const numbers = [...Buffer.from(secret)].join(',');

/** Expects short lines below the level of errors, without the secret. */
function expectHarmless(lines: readonly string[]): void {
  expectOneLineEach(lines);
  for (const line of lines) {
    for (const spelling of [...spellings, numbers]) expect(line).not.toContain(spelling);
    expect(line).not.toMatch(/rawPacket|"stack"/);
    expect([line, JSON.parse(line).level]).toEqual([line, expect.any(Number)]);
    expect([line, JSON.parse(line).level < 50]).toEqual([line, true]);
    expect(line.length).toBeLessThan(1000);
  }
}

const chunked = 'Transfer-Encoding: chunked';

/** Requests with a valid head and an invalid body, which fail while they are handled. */
const broken: [name: string, headers: string[], body: string][] = [
  ['a size of a chunk that is none', [chunked], '0x0\r\n\r\n'],
  ['a size of a chunk beyond all numbers', [chunked], `${'f'.repeat(20)}\r\n`],
  ['a chunk longer than it says', [chunked], '1\r\nab\r\n0\r\n\r\n'],
  ['a chunk that ends with a bare line feed', [chunked], '1\r\na\n0\r\n\r\n'],
  ['a long extension of a chunk', [chunked], `1;${'x'.repeat(60_000)}\r\na\r\n0\r\n\r\n`],
  ['60 kB of no chunk', [chunked], 'z'.repeat(60_000)],
  ['a second request that is none', ['Content-Length: 2'], `{}GET\r\n${bearer}\r\n\r\n`],
  ['a length and chunks', ['Content-Length: 5', chunked], '0\r\n\r\n'],
];

describe.each(['POST /api/session', 'GET /api/events', 'GET /api/state', 'POST /api/events'])(
  'a broken request, %s',
  (request) => {
    test.each(broken)(
      'with %s puts no secret and no failure into the log',
      async (_, headers, body) => {
        const { service, lines } = await startLogged({ DASHBOARD_TOKEN: secret });
        const json = 'Content-Type: application/json';
        const client = harness.socket(service);
        const head = [`${request} HTTP/1.1`, 'Host: localhost', bearer, cookie, json, ...headers];
        client.send(`${head.join('\r\n')}\r\n\r\n`, body);
        await client.closed;
        await service.stop();
        expectHarmless(lines);
      },
    );
  },
);

test('a request that is too slow is not logged as a failure', async () => {
  const lines: string[] = [];
  const needs = appNeeds({
    onLog: (line) => lines.push(line),
    bodyLimits: { bodyTimeoutMs: 60_000 },
  });
  const times = { requestTimeout: 100, headersTimeout: 100, connectionsCheckingInterval: 20 };
  const server = owns(createServer(times, createListener(needs)), (it) => it.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = harness.socket({ url: `http://127.0.0.1:${port}` });
  client.send(
    `POST /api/session HTTP/1.1\r\nHost: localhost\r\n${bearer}\r\nContent-Type: application/json\r\n`,
    'Content-Length: 50\r\n\r\n{',
  );
  await client.closed;
  await eventually(() => expect(lines.join('')).toContain('ERR_HTTP_REQUEST_TIMEOUT'));
  expectHarmless(lines);
});

test('a line of the log escapes line ends and control characters, and keeps its meaning', () => {
  const { log, lines } = linesOfLog();
  const said = String.fromCharCode(...Array(0xa1).keys(), 0x2027, 0x2028, 0x2029, 0x202a);
  log.error({ [said]: said, err: new Error(said) }, said);
  expectOneLineEach(lines);
  const { err, msg, ...rest } = JSON.parse(lines[0] ?? '');
  expect([err.message, msg, rest[said]]).toEqual([said, said, said]);
});

describe('an error in the log', () => {
  test('of an actor names the actor and the reason', async () => {
    const { service, lines } = await startLogged({ PUBSUB_SERVERS: '127.0.0.1:1' });
    const actorId = 'server:127.0.0.1:1';
    const error = new TypeError('a defect');
    service.activation.send({ type: `xstate.error.actor.${actorId}`, actorId, error });
    const [line = '{}', ...others] = lines.filter((each) => each.includes('"level":50'));
    const stack = expect.stringContaining('log.test.ts');
    const err = { type: 'TypeError', message: 'a defect', stack };
    expect(JSON.parse(line)).toMatchObject({ actorId, err });
    expect(others).toEqual([]);
  });

  test('has its type, message, code, stack and causes, and no other property', () => {
    const { log, lines } = linesOfLog();
    const cause = Object.assign(new Error('the cause'), { response: secret });
    const parts = [Object.assign(new TypeError('a part'), { request: { secret } })];
    const error = new AggregateError(parts, 'failed', { cause });
    Object.assign(error, { code: 'HPE_X', rawPacket: Buffer.from(secret), config: { secret } });
    log.error({ err: error }, 'it failed');
    log.error(error);
    for (const line of lines) {
      const { err } = JSON.parse(line);
      expect(Object.keys(err).sort()).toEqual(['code', 'errors', 'message', 'stack', 'type']);
      expect(err).toMatchObject({
        type: 'AggregateError',
        message: 'failed: the cause',
        code: 'HPE_X',
        stack: expect.stringContaining('caused by: Error: the cause'),
        errors: [{ type: 'TypeError', message: 'a part' }],
      });
      expect(line).not.toContain(secret);
    }
    expect(lines).toHaveLength(2);
  });

  test.each([
    ['undefined', undefined, 'undefined'],
    ['a text', 'broken', 'broken'],
    ['an object', { rawPacket: secret }, 'not an error'],
    ['null', null, 'not an error'],
  ])('may be %s', (_, thrown, message) => {
    const { log, lines } = linesOfLog();
    log.error({ err: thrown }, 'it failed');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '').err ?? { message: 'undefined' }).toMatchObject({ message });
  });
});
