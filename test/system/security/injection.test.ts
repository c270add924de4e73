import { type IncomingHttpHeaders, request } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import type { RoomName } from '../../../machines/ports.js';
import { PolledSource } from '../../../server/discovery/polledSource.js';
import { StoreError } from '../../../server/store/store.js';
import { eventually } from '../../support/eventually.js';
import { puts, toldUrl, useHarness } from '../../support/harness.js';
import { ask, post } from '../../support/http.js';
import { quick, startDouble, untilState, watch } from '../../support/stage.js';
import { filledStore } from './filledStore.js';
import { expectOneLineEach, linesOfLog, startLogged } from './logged.js';
import { startRawServer } from './rawServer.js';

const harness = useHarness();

/** Room names that mean something as SSE, JSON, HTML or a path. */
const names = [
  'a\nevent: snapshot\ndata: {"fake":1}\n\n',
  'a\r\ndata: {"fake":1}\r\n\r\n',
  'a\rid: 9\r\r',
  ': comment',
  '"},"fake":{"x":"',
  '\u2028\u2029\u0000\ufeff',
  '\ud800',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '</script><script>alert(1)</script>',
  '..%2f..%2fetc%2fpasswd',
  '$(reboot)',
];

/** Names that would inject headers or requests if they were not encoded. */
const hostile = [
  'x\r\nX-Injected: 1\r\n\r\n<>; rel="evil", <http://evil.example',
  'x HTTP/1.1\r\nHost: evil.example\r\n\r\nGET /evil HTTP/1.1\r\nHost: evil.example\r\n\r\n',
  'x\r\nContent-Length: 5\r\n\r\nhello',
  'x\nX-Injected: 1',
  'x\rX-Injected: 1',
  'a b',
  ' ',
  'x\u0000',
  // Cut to eight bits these are CR and LF.
  'x\u010d\u010aX-Injected:1',
  'x\u2028',
  'a=b',
  'a?x',
];

/** Names that a request line can hold unencoded. */
const harmless = [
  'harmless',
  'a%0d%0aX-Injected:%201',
  'a#b',
  '../api/dashboard',
  '"><',
  'é\u0080ÿ',
];

const headersOfList = ({ link }: IncomingHttpHeaders) =>
  [
    'age',
    'connection',
    'content-length',
    'content-type',
    'cross-origin-resource-policy',
    'date',
    'x-complete',
    'x-content-type-options',
    ...(link === undefined ? [] : ['link']),
  ].sort();

describe('a room’s name', () => {
  test('adds no field and no event to a stream, and no other room', async () => {
    const server = await harness.server();
    const service = await harness.service();
    const streams = [
      await harness.watch(service),
      await harness.watch(service, { path: '/api/events?stream=changes' }),
    ];
    const deltas = names.map((room) => ({ room, add: 1 }));
    expect((await post(toldUrl(server), deltas)).status).toBe(204);
    const shown = names.toSorted();
    for (const stream of streams) {
      await eventually(() => {
        const rooms = stream.rooms();
        expect(Object.getOwnPropertyNames(rooms).sort()).toEqual(shown);
        expect(new Set(Object.values(rooms))).toEqual(new Set([1]));
      });
      const events = new Set(stream.messages.map(({ event }) => event ?? 'unnamed'));
      for (const event of events)
        expect(['unnamed', 'snapshot', 'changes', 'servers']).toContain(event);
      expect(stream.messages.filter(({ data }) => data === '{"fake":1}')).toEqual([]);
    }
    const late = await harness.stream(service, { path: '/api/events?stream=changes' });
    await eventually(() => expect(Object.keys(late.rooms()).sort()).toEqual(shown));
  });

  test('adds no header: the link to the next page has it percent-encoded', async () => {
    const stored = [...hostile, ...hostile.map((room) => `${room}2`)];
    const rooms = stored.map((id) => ({ id: id as RoomName, addresses: [] }));
    const { service } = await startLogged({}, { openStore: async () => filledStore(rooms) });
    const prefix = 'x\r\nX-Injected: 1\r\n\r\n<>; rel="evil", <http://evil.example';
    expect(stored.filter((room) => room.startsWith(prefix))).toHaveLength(2);
    const query = `prefix=${encodeURIComponent(prefix)}&limit=1&%0d%0aX-Injected:1%0d%0a=%0d%0a`;
    const first = await ask(`${service.url}/api/rooms?${query}`);
    expect(JSON.parse(first.text)).toEqual([expect.objectContaining({ id: hostile[0] })]);
    const echoed =
      'prefix=x%0D%0AX-Injected%3A+1%0D%0A%0D%0A%3C%3E%3B+rel%3D%22evil%22%2C+%3Chttp%3A%2F%2Fevil.example&limit=1&%0D%0AX-Injected%3A1%0D%0A=%0D%0A';
    const cursor = `stored.${Buffer.from(hostile[0] ?? '', 'utf16le').toString('base64url')}`;
    expect(first.headers.link).toBe(`<?${echoed}&cursor=${cursor}>; rel="next"`);

    // Every room of the store is the last one of a page.
    const seen: string[] = [];
    let path = '/api/rooms?limit=1';
    for (let i = 0; i < stored.length; i += 1) {
      const { text, headers, status } = await ask(service.url + path);
      expect([status, Object.keys(headers).sort()]).toEqual([200, headersOfList(headers)]);
      seen.push(JSON.parse(text)[0].id);
      const [, next] =
        /^<(\?limit=1&cursor=stored\.[\w-]+)>; rel="next"$/.exec(headers.link as string) ?? [];
      expect([i, next !== undefined]).toEqual([i, i < stored.length - 1]);
      path = `/api/rooms${next}`;
    }
    expect(seen).toEqual(stored);
  });

  test('adds nothing to requests to servers, which are asked only for harmless names', async () => {
    const raw = await startRawServer();
    const { service } = await startLogged({ PUBSUB_SERVERS: raw.id, REQUEST_TIMEOUT_MS: '5000' });
    const viewer = await watch(service);
    await eventually(() => expect(raw.eventsUrl).toContain('token='));
    await untilState(service, 'watched');
    const all = [...harmless, ...hostile];
    const deltas = all.map((room) => ({ room, add: 1 }));
    expect((await post(raw.eventsUrl ?? '', deltas)).status).toBe(204);
    await eventually(() => expect(Object.keys(viewer.rooms()).sort()).toEqual(all.toSorted()));
    raw.received.length = 0;

    const json = { Accept: 'application/json' };
    for (const room of all) {
      // Encoded once, as a decoded name may be the name of another room.
      const url = `${service.url}/api/rooms/${encodeURIComponent(room)}`;
      const isHarmless = harmless.includes(room);
      const about = await ask(url, { headers: json });
      expect([about.status, JSON.parse(about.text)]).toEqual([
        200,
        expect.objectContaining({ id: room, connections: 1, askable: isHarmless }),
      ]);
      const { text } = await ask(`${url}/servers`);
      const answer = isHarmless ? 'holds' : 'unasked';
      expect(JSON.parse(text).servers).toMatchObject([{ server: raw.id, answer }]);
      expect((await ask(url)).status).toBe(isHarmless ? 200 : 404);
      const stream = await watch(service, `/api/rooms/${encodeURIComponent(room)}/events`);
      await eventually(() => expect(stream.messages.length).toBeGreaterThan(0));
      await stream.close();
    }
    const line = (room: string) =>
      `GET /api/room?id=${Buffer.from(room, 'latin1').toString('latin1')} HTTP/1.1`;
    // A connection is empty if its viewer left before the request was sent.
    for (const text of raw.received.filter((it) => it !== '')) {
      const [head = '', ...rest] = text.split('\r\n\r\n');
      const [requestLine, ...headers] = head.split('\r\n');
      expect([...harmless.map(line), 'GET /health HTTP/1.1']).toContain(requestLine);
      expect(headers.map((header) => header.toLowerCase()).sort()).toEqual([
        'connection: close',
        `host: ${raw.id}`,
        expect.stringMatching(/^user-agent: got /),
      ]);
      expect(rest).toEqual(['']);
    }
    for (const room of harmless)
      expect(raw.received.filter((text) => text.startsWith(line(room))).length).toBeGreaterThan(2);
  });
});

describe('JSON that is posted', () => {
  const polluting = [
    '{"__proto__":{"add":1,"room":"fake"}}',
    '{"room":"r","add":1,"__proto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}},"room":"r","add":1}',
    '[{"__proto__":[{"room":"fake","add":1}]}]',
  ];

  test('changes no prototype', async () => {
    const server = await harness.server();
    const service = await harness.service();
    await harness.watch(service);
    for (const body of polluting) await post(toldUrl(server), body);
    const headers = { 'Content-Type': 'application/json' };
    for (const body of polluting)
      await ask(`${service.url}/api/session`, { method: 'POST', body, headers });
    for (const query of [
      '__proto__[polluted]=1',
      '__proto__=1',
      'constructor.prototype.polluted=1',
    ])
      for (const path of ['/api/events/clients', '/api/rooms', '/api/state'])
        await ask(`${service.url}${path}?${query}`);
    server.rooms.set('r', 1);
    server.respond({ kind: 'body', body: '[{"__proto__":{"polluted":1}},{"r":1}]', times: 1 });
    await post(`${service.url}/api/events`, {});
    await eventually(() => expect(puts(server).filter(Boolean).length).toBeGreaterThan(1));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test.each([
    ['nested 500,000 deep', '['.repeat(500_000), 400],
    ['nested 200,000 deep and closed', '['.repeat(200_000) + ']'.repeat(200_000), 400],
    ['objects nested 100,000 deep', `${'{"room":'.repeat(100_000)}1${'}'.repeat(100_000)}`, 400],
    ['of 500,000 deltas that are none', `[${'1,'.repeat(500_000)}1]`, 400],
    ['a number of 900,000 digits', `{"room":"fake","add":${'9'.repeat(900_000)}}`, 400],
    ['a key of 900,000 characters', `{"${'k'.repeat(900_000)}":1}`, 400],
  ])('%s is refused, with little work', async (_, body, status) => {
    const server = await harness.server();
    const service = await harness.service();
    await harness.watch(service);
    const before = process.cpuUsage();
    expect((await post(toldUrl(server), body)).status).toBe(status);
    const { user } = process.cpuUsage(before);
    expect(user / 1000).toBeLessThan(2000);
    expect((await ask(`${service.url}/health`)).status).toBe(200);
  });
});

test('no answer can be loaded as a script, style or picture by a page of another origin', async () => {
  const service = await harness.service();
  for (const path of ['/api/state', '/api/rooms', '/api/rooms/none', '/openapi.json', '/nothing']) {
    const { headers } = await ask(service.url + path);
    expect([path, headers]).toEqual([
      path,
      expect.objectContaining({
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
      }),
    ]);
  }
});

const forged = '{"level":60,"msg":"forged"}';

describe('the log', () => {
  test('has requests of strangers on one line of JSON each', async () => {
    const { service, lines } = await startLogged();
    await ask(`${service.url}/%0a${encodeURIComponent(forged)}`);
    await ask(`${service.url}/x`, {
      method: 'POST',
      body: forged,
      headers: { 'X-Forged': forged },
    });
    await rawTarget(service.url, `/api/"${forged.replaceAll(' ', '')}\\n`);
    await rawTarget(service.url, `/${'x'.repeat(10_000)}`);
    await service.stop();
    expect(lines.filter((line) => line.includes('request refused')).length).toBe(4);
    expectOneLineEach(lines);
    for (const line of lines) expect(line.length).toBeLessThan(1000);
  });

  /** A message of a store, a name server or a pub-sub server. */
  const said = `\u001b[2J\r\n${forged}\n\u001b]0;forged\u0007\u0000\u007f\u009b2J\u0085\u2028\u2029`;

  test('has an error of the store on one line, and so has the answer', async () => {
    const fail = async () => {
      throw new StoreError(said);
    };
    const { rooms, servers, ...rest } = filledStore([]);
    const failing = {
      ...rest,
      rooms: { ...rooms, get: fail, page: fail },
      servers: { ...servers, list: fail },
      close: () => Promise.reject(new Error(said)),
    };
    const { service, lines } = await startLogged({}, { openStore: async () => failing });
    const list = await ask(`${service.url}/api/rooms`);
    expect([list.status, list.code]).toEqual([503, 'store_unavailable']);
    expect(list.text).not.toMatch(/[\r\n]/);
    await eventually(() => expect(lines.join('')).toContain('a discovery source fails'));
    const broken = await startLogged({}, { openStore: () => Promise.reject(new Error(said)) });
    await ask(`${broken.service.url}/api/rooms`);
    await Promise.all([service.stop(), broken.service.stop()]);
    for (const words of ['a discovery source fails', 'the metadata store did not close'])
      expectSaid(lines, words);
    expectSaid(broken.lines, 'the metadata store could not be opened');
  });

  test('has an error of a name server on one line', async () => {
    const { log, lines } = linesOfLog();
    const source = { name: 'dns:evil', discover: () => Promise.reject(new Error(said)) };
    const needs = { mayContact: () => true, log, deadlineMs: 1000, maxServers: 1 };
    await new PolledSource(source, needs, () => {}).poll();
    expectSaid(lines, 'a discovery source fails');
  });

  test('has an answer of a pub-sub server on one line', async () => {
    const [server, other] = [await startDouble(), await startDouble()];
    server.respond({ kind: 'body', body: said });
    other.respond({ kind: 'body', body: '[]', contentType: `text/"\\n${forged}` });
    const known = { ...quick, PUBSUB_SERVERS: `${server.id},${other.id}` };
    const { service, lines } = await startLogged(known);
    await watch(service);
    for (const failure of ['answered no snapshot', 'instead of JSON'])
      await eventually(() => expect(lines.join('')).toContain(failure));
    await service.stop();
    expectOneLineEach(lines);
    const otherTypes = lines.filter((each) => each.includes('instead of JSON'));
    expect(otherTypes.join('')).toContain('forged');
    // For an invalid snapshot only the position of the error is logged.
    const noSnapshots = lines.filter((each) => each.includes('answered no snapshot'));
    expect(noSnapshots.join('')).not.toContain('forged');
  });

  /** Expects a line with these words and the message, and every entry on one line. */
  function expectSaid(lines: readonly string[], words: string): void {
    expectOneLineEach(lines);
    const [line = ''] = lines.filter((each) => each.includes(words));
    expect([words, line]).toEqual([words, expect.stringContaining('\\u001b')]);
  }
});

/** Sends a request with a target that is not valid in a URL. */
function rawTarget(url: string, path: string): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, agent: false }, (answer) => {
      answer.resume().once('end', resolve);
    })
      .once('error', reject)
      .end();
  });
}
