/** Request smuggling: bytes that two parsers may read differently, or that every parser should refuse. */

import { connect, type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import type { ScriptedServer } from '../../support/scriptedServer.js';
import { activationsOf, calm, owns, stateOf } from '../../support/stage.js';
import { expectUnaffected, startWatched } from '../../support/watchedService.js';

/** Sends bytes on a new connection. Resolves with what it received when it is closed or has enough answers. */
async function sendRaw(url: string, bytes: string, expected = 1): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = owns(connect(Number(port), hostname), (it: Socket) => it.destroy());
  let text = '';
  let isClosed = false;
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.once('close', () => {
    isClosed = true;
  });
  socket.write(bytes, 'latin1');
  await eventually(() => expect(isClosed || statusesOf(text).length >= expected).toBe(true));
  return text;
}

/** Resolves with everything received until the connection is closed. */
const sendToTheEnd = (url: string, bytes: string) => sendRaw(url, bytes, Infinity);

const statusesOf = (text: string) =>
  [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));

const fake = '{"room":"fake","add":1}';

/** A second request, to hide in the body or head of the first one. */
function hiddenIn(double: ScriptedServer): { target: string; hidden: string } {
  const { pathname, search } = new URL(double.eventsUrl ?? '');
  const target = pathname + search;
  const hidden = `POST ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${fake.length}\r\n\r\n${fake}`;
  return { target, hidden };
}

const chunked = 'Transfer-Encoding: chunked';

/** Ambiguous headers and the beginning of a body. The hidden request follows. */
const ambiguous: [name: string, headers: string, body: string][] = [
  ['a length and chunks', `Content-Length: 5\r\n${chunked}`, '0\r\n\r\n'],
  ['chunks and a length', `${chunked}\r\nContent-Length: 5`, '0\r\n\r\n'],
  ['two lengths', 'Content-Length: 0\r\nContent-Length: 9', ''],
  ['a list of lengths', 'Content-Length: 0, 9', ''],
  ['a signed length', 'Content-Length: +0', ''],
  ['a negative length', 'Content-Length: -1', ''],
  ['a length in hexadecimal', 'Content-Length: 0x0', ''],
  ['a length beyond all numbers', `Content-Length: ${'9'.repeat(30)}`, ''],
  ['an unknown coding', 'Transfer-Encoding: xchunked', '0\r\n\r\n'],
  ['chunks that are not the last coding', 'Transfer-Encoding: chunked, identity', '0\r\n\r\n'],
  ['a blank before the colon', 'Transfer-Encoding : chunked', '0\r\n\r\n'],
  ['a folded header', 'X-Folded: a\r\n b\r\nContent-Length: 0', ''],
  ['a header that ends with a bare line feed', 'X-Bare: a\nContent-Length: 0', ''],
  ['a header with a bare carriage return', 'X-Bare: a\rContent-Length: 0', ''],
  ['a header with a NUL', 'X-Nul: a\0b\r\nContent-Length: 0', ''],
  ['a header without a colon', 'X-Header\r\nContent-Length: 0', ''],
  ['a size of a chunk that is none', chunked, '0x0\r\n\r\n'],
  ['a size of a chunk beyond all numbers', chunked, `${'f'.repeat(20)}\r\n`],
  ['a chunk longer than it says', chunked, '1\r\nab\r\n0\r\n\r\n'],
  ['a chunk that ends with a bare line feed', chunked, '1\r\na\n0\r\n\r\n'],
];

describe('an ambiguous request is refused, and its connection closed:', () => {
  test.each(ambiguous)('%s', async (_, headers, body) => {
    const { double, service, viewer } = await startWatched();
    const { target, hidden } = hiddenIn(double);
    const head = `POST ${target} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n`;
    const text = await sendRaw(service.url, head + body + hidden, 2);
    expect(statusesOf(text).filter((status) => status < 300)).toEqual([]);
    expect(statusesOf(text).at(-1)).toBe(400);
    await expectUnaffected(service, viewer, double);
  });

  test('the same bytes without ambiguity are two requests', async () => {
    const { double, service, viewer } = await startWatched();
    const { target } = hiddenIn(double);
    const one = (body: string) =>
      `POST ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const text = await sendRaw(service.url, one('[]') + one('[]'), 2);
    expect(statusesOf(text)).toEqual([204, 204]);
    await expectUnaffected(service, viewer, double);
  });
});

/** Headers that Node's parser takes and this service refuses. */
const takenByNode: [name: string, headers: string, status: number][] = [
  ['compressed and in chunks', 'Transfer-Encoding: gzip, chunked', 415],
  ['deflated and in chunks', 'Transfer-Encoding: deflate,chunked', 415],
  ['identity and in chunks', 'Transfer-Encoding: identity, chunked', 415],
  ['nothing and in chunks', 'Transfer-Encoding: , chunked', 415],
  ['compressed, by a line of its own', `Transfer-Encoding: gzip\r\n${chunked}`, 415],
  ['two hosts', `Host: evil.example\r\n${chunked}`, 400],
  ['the same host twice', `HOST: localhost\r\n${chunked}`, 400],
];

describe('a request that Node and other parsers may read differently', () => {
  const head = (request: string, headers: string) =>
    `${request} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n`;
  const empty = '2\r\n[]\r\n0\r\n\r\n';

  test.each(takenByNode)(
    'is refused on every route, and nothing after it is read: %s',
    async (_, headers, status) => {
      const { double, service, viewer } = await startWatched();
      const { target, hidden } = hiddenIn(double);
      const spelt = target.replace('/api/events?', '/API/events/?x=1&');
      for (const request of [
        `POST ${target}`,
        `POST ${spelt}`,
        'POST /api/events',
        'POST /api/session',
        'GET /api/state',
        'GET /health',
        'GET /nothing',
      ]) {
        const text = await sendToTheEnd(service.url, head(request, headers) + empty + hidden);
        expect([request, statusesOf(text)]).toEqual([request, [status]]);
        expect(text).toContain('"requestId"');
      }
      await expectUnaffected(service, viewer, double);
    },
  );

  test.each(takenByNode)('has its server asked for a snapshot: %s', async (_, headers) => {
    const { double, service, viewer } = await startWatched();
    const { target } = hiddenIn(double);
    const before = activationsOf(double);
    await sendToTheEnd(service.url, head(`POST ${target}`, headers) + empty);
    await eventually(() => expect(activationsOf(double)).toBeGreaterThan(before));
    await expectUnaffected(service, viewer, double);
  });

  test.each(takenByNode)(
    'is answered with 200 and JSON if it is a start-up query: %s',
    async (_, headers) => {
      const { double, service, viewer } = await startWatched();
      const { hidden } = hiddenIn(double);
      const query = `GET /api/events/clients?port=${double.id.split(':')[1]}`;
      const text = await sendToTheEnd(service.url, head(query, headers) + empty + hidden);
      expect(statusesOf(text)).toEqual([200]);
      expect(JSON.parse(text.split('\r\n\r\n')[1] ?? '')).toMatchObject({ active: true });
      await expectUnaffected(service, viewer, double);
    },
  );

  test('is one of HTTP/1.0 in chunks', async () => {
    const { double, service, viewer } = await startWatched();
    const { target, hidden } = hiddenIn(double);
    const bytes = `POST ${target} HTTP/1.0\r\n${chunked}\r\nConnection: keep-alive\r\n\r\n`;
    const text = await sendToTheEnd(service.url, bytes + empty + hidden);
    expect(statusesOf(text)).toEqual([415]);
    await expectUnaffected(service, viewer, double);
  });

  test('is not one with `CHUNKED` in capital letters', async () => {
    const { double, service, viewer } = await startWatched();
    const { target } = hiddenIn(double);
    const one = head(`POST ${target}`, 'transfer-encoding: CHUNKED') + empty;
    expect(statusesOf(await sendRaw(service.url, one + one, 2))).toEqual([204, 204]);
    await expectUnaffected(service, viewer, double);
  });
});

describe('bytes that are no request of HTTP/1.1 are refused:', () => {
  const line = 'GET /api/state HTTP/1.1\r\nHost: localhost\r\n';
  test.each([
    ['no host', 'GET /api/state HTTP/1.1\r\n\r\n', 400],
    ['another version', 'GET /api/state HTTP/9.9\r\nHost: localhost\r\n\r\n', 400],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['a method in small letters', 'get /api/state HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
    ['a blank in the path', 'GET /api /state HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
    ['lines that end with bare line feeds', 'GET /api/state HTTP/1.1\nHost: localhost\n\n', 400],
    ['a header of 20 kB', `${line}X-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['a path of 20 kB', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431],
    ['a thousand headers of 20 B', `${line}${`X-Some-Header: 12345\r\n`.repeat(1000)}\r\n`, 431],
  ])('%s', async (_, bytes, status) => {
    const { double, service, viewer } = await startWatched();
    expect(statusesOf(await sendRaw(service.url, bytes))).toEqual([status]);
    await expectUnaffected(service, viewer, double);
  });
});

describe('ambiguous targets', () => {
  test.each([
    '//api/state',
    '/api/../api/state',
    '/api/%2e%2e/api/state',
    '/api%2fstate',
    '/api/state%00',
    '/api/state;x',
    '/api\\state',
    '/%',
    '*',
    'http://[/',
    '/assets/../../../package.json',
    '/assets/%2e%2e%2f%2e%2e%2fpackage.json',
    '/assets/..%5c..%5cpackage.json',
  ])('%s is not found', async (target) => {
    const { double, service, viewer } = await startWatched();
    const bytes = `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    const text = await sendRaw(service.url, bytes);
    expect(statusesOf(text)[0]).toBeGreaterThanOrEqual(400);
    expect(statusesOf(text)[0]).toBeLessThan(500);
    await expectUnaffected(service, viewer, double);
  });
});

test('requests that never end delay nobody', async () => {
  const { double, service, viewer } = await startWatched(calm);
  const { hostname, port } = new URL(service.url);
  const { target } = hiddenIn(double);
  const beginnings = [
    '',
    'G',
    'GET /api/events HTTP/1.1\r\nHost: localhost\r\nX-Slow:',
    `POST ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n[`,
    `POST ${target} HTTP/1.1\r\nHost: localhost\r\n${chunked}\r\n\r\n1\r\n[\r\n`,
  ];
  for (let i = 0; i < 200; i += 1) {
    const socket = owns(connect(Number(port), hostname), (it) => it.destroy());
    socket.on('error', () => {});
    socket.write(beginnings[i % beginnings.length] ?? '');
  }
  expect(await stateOf(service)).toMatchObject({ viewers: 1, connections: 2 });
  await expectUnaffected(service, viewer, double);
});
