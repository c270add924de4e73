import type { lookup } from 'node:dns';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createActor } from 'xstate';
import type { Epoch, RoomName, ServerId } from '../../../machines/ports.js';
import { parseNetworks } from '../../../server/addresses.js';
import {
  createServerRequests,
  PubSubServers,
  type PubSubServersNeeds,
} from '../../../server/pubsub/pubSubServers.js';
import type { RequestPacer } from '../../../server/pubsub/requestPacer.js';
import { canAsk, RoomStates, type RoomStatesNeeds } from '../../../server/pubsub/roomStates.js';
import { eventually } from '../../support/eventually.js';
import {
  type Fault,
  type ScriptedServer,
  startScriptedServer,
} from '../../support/scriptedServer.js';

const maxSnapshotBytes = 10_000;
const epoch = 7 as Epoch;
const never = new AbortController().signal;
const loopback = parseNetworks('127.0.0.0/8,::1');

let server: ScriptedServer;
let heard: ServerId[];
let resolved: string[][];
let agents: (string | undefined)[];
const listeners: { stop: () => unknown }[] = [];

beforeEach(async () => {
  server = await startScriptedServer();
  server.rooms.set('a', 1).set('b', 2);
  heard = [];
  resolved = [];
  agents = [];
});
afterEach(async () => {
  server.release();
  await server.stop();
  for (const { stop } of listeners.splice(0)) await stop();
});

const serversWith = (needs: Partial<PubSubServersNeeds> = {}) =>
  new PubSubServers({
    requestTimeoutMs: 5000,
    maxSnapshotBytes,
    eventsUrl: (id, wish) => `http://127.0.0.1:1/api/events?token=${id}~${wish.epoch}`,
    contentUrl: (id) => `http://127.0.0.1:1/api/events?token=content~${id}`,
    mayContact: (address) => loopback.includes(address),
    onResolved: (_server, addresses) => resolved.push(addresses),
    onHeard: (id) => heard.push(id),
    onSnapshot: () => undefined,
    noteAgent: (_id, header) => agents.push(header),
    snapshotLimits: { maxRooms: 1000, maxNamesLength: maxSnapshotBytes },
    isProven: () => true,
    ...needs,
  });

const statesWith = (needs: Partial<RoomStatesNeeds> = {}) =>
  new RoomStates({
    requestTimeoutMs: 5000,
    mayContact: (address) => loopback.includes(address),
    onResolved: (_server, addresses) => resolved.push(addresses),
    onHeard: (id) => heard.push(id),
    ...needs,
  });

/** An HTTP server of one test's own, at a port that is free or given. */
async function startListener(listener: RequestListener, host = '127.0.0.1', port = 0) {
  const started = createServer(listener);
  await new Promise<void>((resolve) => started.listen(port, host, resolve));
  const id = `${host}:${(started.address() as AddressInfo).port}` as ServerId;
  const stop = () =>
    new Promise((resolve) => {
      started.close(resolve);
      started.closeAllConnections();
    });
  listeners.push({ stop });
  return { id };
}

test('an activation has a Content-Length, and a URL for the connection that it is sent on', async () => {
  let headers: IncomingHttpHeaders = {};
  const { id } = await startListener((req, res) => {
    headers = req.headers;
    req.resume().on('end', () => res.setHeader('Content-Type', 'application/json').end('[]'));
  });
  const ends: unknown[] = [];
  const eventsUrl: PubSubServersNeeds['eventsUrl'] = (
    _,
    { active },
    { localAddress, remoteAddress },
  ) => {
    ends.push([active, localAddress, remoteAddress]);
    return 'http://here';
  };
  await serversWith({ eventsUrl }).activate(id, epoch, never);
  expect(ends).toEqual([[true, '127.0.0.1', '127.0.0.1']]);
  expect(headers).toMatchObject({ 'content-type': 'application/json', 'content-length': '41' });
  expect(headers).not.toHaveProperty('transfer-encoding');
});

test('an activation without a callback address fails with the reason and is not sent', async () => {
  const eventsUrl = () => {
    throw new Error('no callback address');
  };
  const failing = serversWith({ eventsUrl }).activate(server.id, epoch, never);
  await expect(failing).rejects.toThrow('no callback address');
  expect(server.requests).toEqual([]);
});

const byName = () => `localhost:${server.port}` as ServerId;

test('an activation is one PUT with exactly two keys, and its answer is the snapshot of its epoch', async () => {
  expect(await serversWith().activate(server.id, epoch, never)).toEqual({
    type: 'snapshot.received',
    epoch,
    snapshot: new Map([
      ['a', 1],
      ['b', 2],
    ]),
  });
  const eventsUrl = `http://127.0.0.1:1/api/events?token=${server.id}~7`;
  expect(server.requests).toEqual([
    {
      method: 'PUT',
      path: '/api/dashboard',
      body: JSON.stringify({ active: true, eventsUrl }),
      headers: expect.any(Object),
      at: expect.any(Number),
    },
  ]);
  expect(server).toMatchObject({ active: true, eventsUrl, fatal: [] });
  expect(heard).toEqual([server.id]);
});

test('what a server tells of itself is taken from the answers to instructions', async () => {
  const servers = serversWith();
  server.agent = { capabilities: ['names'] };
  await servers.activate(server.id, epoch, never);
  await servers.silence(server.id, epoch, never);
  server.agent = undefined;
  await servers.silence(server.id, epoch, never);
  server.agent = { capabilities: ['rooms'] };
  server.respond({ kind: 'status', times: 1 });
  await expect(servers.silence(server.id, epoch, never)).rejects.toThrow('answered 500');
  const names = '{"capabilities":["names"]}';
  expect(agents).toEqual([names, names, undefined]);
});

const bounds = { maxBytes: 1000, signal: never, takesNames: false };

test.each(['a', 'a=b', 'a?b', '', 'b c', 'd/é', 'a%20b', '😀', '__proto__'])(
  'a server that announces names is asked for the room %j by its encoded name',
  async (room) => {
    server.agent = { capabilities: ['names'] };
    server.rooms.set(room, 1).set('a', 1);
    expect(canAsk(true, room)).toBe(true);
    const asking = { ...bounds, takesNames: true };
    expect(await statesWith().roomState(server.id, room, asking)).toHaveLength(2);
    const [asked] = server.requests;
    expect(asked?.path).toBe(`/api/room?name=${encodeURIComponent(room)}`);
  },
);

test('a name that UTF-8 cannot encode is asked of no server', () => {
  for (const takesNames of [true, false]) expect(canAsk(takesNames, 'a\ud800')).toBe(false);
});

test('other servers are asked by the raw name, and only for names that they do not cut', async () => {
  const names = ['a', 'a%20b', 'é', 'a=b', 'a?b', '', 'b c', '😀'];
  const isAsked = [true, true, true, false, false, false, false, false];
  expect(names.map((room) => canAsk(false, room))).toEqual(isAsked);
  await statesWith().roomState(server.id, 'a', bounds);
  expect(server.requests.map(({ path }) => path)).toEqual(['/api/room?id=a']);
});

test.each([
  [401, false],
  [404, false],
  [401, true],
  [404, true],
])(
  'a server that answers %d to the question for a room does not hold it',
  async (status, takesNames) => {
    const { id } = await startListener((_, response) => response.writeHead(status).end());
    const asking = { ...bounds, takesNames };
    expect(await statesWith().roomState(id, 'a', asking)).toBeUndefined();
  },
);

test('a server that refuses a signature says why, and is not taken for one without the room', async () => {
  const error = { code: 'signature_invalid', message: 'The clock of the sender differs by 400 s.' };
  const { id } = await startListener((request, response) => {
    request.resume();
    response.writeHead(401, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ error }));
  });
  const why = 'answered 401: The clock of the sender differs by 400 s.';
  await expect(statesWith().roomState(id, 'a', bounds)).rejects.toThrow(why);
  await expect(serversWith().silence(id, epoch, never)).rejects.toThrow(why);
});

test('every request is signed with its method, host, target and body', async () => {
  const signed: object[] = [];
  const seen: unknown[] = [];
  const { id } = await startListener(async (request, response) => {
    const body = await text(request);
    seen.push([request.headers['dashboard-signature'], request.headers.host, request.url, body]);
    response.setHeader('Content-Type', 'application/octet-stream').end('x');
  });
  const sign = (request: object) => `number ${signed.push(request)}`;
  const servers = serversWith({ sign });
  await servers.silence(id, epoch, never);
  await servers.probe(id, never);
  await statesWith({ sign }).roomState(id, 'r', bounds);
  const body = JSON.stringify({
    active: false,
    eventsUrl: `http://127.0.0.1:1/api/events?token=${id}~7`,
  });
  expect(seen).toEqual([
    ['number 1', id, '/api/dashboard', body],
    ['number 2', id, '/health', ''],
    ['number 3', id, '/api/room?id=r', ''],
  ]);
  expect(signed).toEqual([
    { method: 'PUT', host: id, target: '/api/dashboard', body },
    { method: 'GET', host: id, target: '/health', body: '' },
    { method: 'GET', host: id, target: '/api/room?id=r', body: '' },
  ]);
});

test('silence and probes only need a successful status', async () => {
  const servers = serversWith();
  expect(await servers.silence(server.id, epoch, never)).toEqual({ type: 'silence.confirmed' });
  server.respond({ kind: 'html' });
  expect(await servers.silence(server.id, epoch, never)).toEqual({ type: 'silence.confirmed' });
  server.respond({ kind: 'empty', to: 'health' });
  expect(await servers.probe(server.id, never)).toEqual({ type: 'probe.answered' });
  expect(server.requests.map(({ path }) => path)).toEqual([
    '/api/dashboard',
    '/api/dashboard',
    '/health',
  ]);
});

const faults: [string, Fault, RegExp | string][] = [
  ['500', { kind: 'status' }, 'answered 500'],
  ['404', { kind: 'status', status: 404 }, 'answered 404'],
  ['304', { kind: 'status', status: 304 }, 'answered 304'],
  ['a page', { kind: 'html' }, 'answered "text/html" instead of JSON'],
  ['nothing', { kind: 'empty', effect: 'onArrival' }, /^answered no snapshot: /],
  [
    'text',
    { kind: 'body', body: 'okay', contentType: 'text/plain' },
    'answered "text/plain" instead of JSON',
  ],
  ['an object', { kind: 'body', body: '{"a":1}' }, /^answered no snapshot: not a JSON array/],
  ['half of it', { kind: 'truncated' }, /^answered no snapshot: /],
  ['half of it and a reset', { kind: 'truncated', cut: true }, /ECONNRESET|aborted/],
  ['too much', { kind: 'oversized', bytes: maxSnapshotBytes }, 'answered more than 10000 bytes'],
  ['a reset', { kind: 'reset' }, /ECONNRESET|socket hang up/],
];

test.each(faults)(
  'an activation answered with %s fails and is not retried',
  async (_, fault, why) => {
    server.respond(fault);
    await expect(serversWith().activate(server.id, epoch, never)).rejects.toThrow(why);
    expect(server.requests).toHaveLength(1);
  },
);

test('an error does not contain the request, which has a token', async () => {
  server.respond({ kind: 'reset' });
  const failure = await serversWith()
    .activate(server.id, epoch, never)
    .catch((error: Error) => error);
  expect(inspect(failure, { depth: Infinity, showHidden: true })).not.toContain('token');
});

test('a redirect is a failure and is not followed', async () => {
  const other = await startScriptedServer();
  server.respond({ kind: 'redirect', location: `http://${other.id}/api/dashboard` });
  await expect(serversWith().activate(server.id, epoch, never)).rejects.toThrow('answered 302');
  expect([server.requests.length, other.requests.length]).toEqual([1, 0]);
  await other.stop();
});

describe('an answer to a request that changes nothing', () => {
  const room = 'r' as RoomName;
  const ask = {
    probe: (id: ServerId) => serversWith().probe(id, never),
    'question for a room': (id: ServerId) => statesWith().roomState(id, room, bounds),
  };

  test.each(
    Object.entries(ask).flatMap(([name, send]) =>
      [301, 302, 303, 307, 308].map((status) => [name, status, send] as const),
    ),
  )(
    'of a %s that is a redirect with %d is a failure and is not followed',
    async (_, code, send) => {
      const asked: string[] = [];
      const redirecting = await startListener((request, response) => {
        asked.push(request.url ?? '');
        response.writeHead(code, { Location: `http://${server.id}${request.url}` }).end();
      });
      await expect(send(redirecting.id)).rejects.toThrow(`answered ${code}`);
      expect([asked.length, server.requests]).toEqual([1, []]);
    },
  );
});

test('a request to a server that hangs fails at the deadline', async () => {
  server.respond({ kind: 'hang' });
  const began = performance.now();
  const servers = serversWith({ requestTimeoutMs: 100 });
  // On a busy machine the deadline may pass before a request has arrived.
  await eventually(async () => {
    await expect(servers.activate(server.id, epoch, never)).rejects.toThrow(/100ms/);
    expect(server.requests.length).toBeGreaterThan(0);
  });
  expect(performance.now() - began).toBeGreaterThan(90);
  expect(heard).toEqual([]);
});

test('a request whose answer trickles in fails at the deadline too', async () => {
  const trickling = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 10);
    response.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => trickling.listen(0, '127.0.0.1', resolve));
  const id = `127.0.0.1:${(trickling.address() as AddressInfo).port}` as ServerId;
  const servers = serversWith({ requestTimeoutMs: 100 });
  await expect(servers.activate(id, epoch, never)).rejects.toThrow(/100ms/);
  await new Promise((resolve) => trickling.close(resolve));
});

test('a request to an unused address fails', async () => {
  await server.stop();
  await expect(serversWith().probe(server.id, never)).rejects.toThrow(/ECONNREFUSED/);
});

test('an aborted request fails, and its connection closes', async () => {
  const sockets = new Set<object>();
  const hanging = createServer(() => {});
  hanging.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
  const id = `127.0.0.1:${(hanging.address() as AddressInfo).port}` as ServerId;
  const stop = new AbortController();
  const activation = serversWith().activate(id, epoch, stop.signal);
  const failure = activation.catch((error: Error) => error.message);
  await eventually(() => expect(sockets.size).toBe(1));
  stop.abort();
  expect(await failure).toMatch('stopped');
  await eventually(() => expect(sockets.size).toBe(0));
  await new Promise((resolve) => hanging.close(resolve));
});

test('nothing is sent to an address that is not allowed', async () => {
  const servers = serversWith({ mayContact: () => false });
  for (const ask of [
    () => servers.activate(server.id, epoch, never),
    () => servers.silence(server.id, epoch, never),
    () => servers.probe(server.id, never),
  ])
    await expect(ask()).rejects.toThrow('address not allowed');
  expect(server.requests).toEqual([]);
});

test('a host name is contacted at its allowed addresses, and they are noted', async () => {
  const asked: [string, number][] = [];
  const mayContact = (address: string, port: number) => {
    asked.push([address, port]);
    return address === '127.0.0.1';
  };
  const servers = serversWith({ mayContact });
  expect(await servers.probe(byName(), never)).toEqual({ type: 'probe.answered' });
  expect(asked).toContainEqual(['127.0.0.1', server.port]);
  expect(resolved).toEqual([['127.0.0.1']]);
  expect(heard).toEqual([byName()]);
});

test('nothing is sent to a host name without an allowed address', async () => {
  const servers = serversWith({ mayContact: () => false });
  await expect(servers.probe(byName(), never)).rejects.toThrow(
    'no address of localhost is allowed',
  );
  expect(server.requests).toEqual([]);
  expect(resolved).toEqual([[]]);
});

test('a host name that resolves to another address is not contacted there, and is again when it is back', async () => {
  const elsewhere: string[] = [];
  await startListener(
    (request, response) => {
      elsewhere.push(request.url ?? '');
      response.end('okay');
    },
    '127.0.0.2',
    server.port,
  );
  let addresses = ['127.0.0.1'];
  const resolve = (_name: string, _options: object, done: (...found: unknown[]) => void) =>
    done(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );
  const id = `pubsub.example:${server.port}` as ServerId;
  const onlyFirst = {
    lookup: resolve as typeof lookup,
    mayContact: (address: string) => address === '127.0.0.1',
  };
  const servers = serversWith(onlyFirst);
  const states = statesWith(onlyFirst);
  const asked = () => server.requests.length;
  await servers.activate(id, epoch, never);
  expect(asked()).toBe(1);
  addresses = ['127.0.0.2'];
  for (const ask of [
    () => servers.activate(id, epoch, never),
    () => servers.silence(id, epoch, never),
    () => servers.probe(id, never),
    () => states.roomState(id, 'a', bounds),
  ])
    await expect(ask()).rejects.toThrow('no address of pubsub.example is allowed');
  expect([asked(), elsewhere]).toEqual([1, []]);
  // Of several, the allowed one alone.
  addresses = ['127.0.0.2', '127.0.0.1'];
  expect(await servers.probe(id, never)).toEqual({ type: 'probe.answered' });
  expect([asked(), elsewhere]).toEqual([2, []]);
  expect(resolved).toEqual([['127.0.0.1'], [], [], [], [], ['127.0.0.1']]);
});

test('a request to an unknown host name fails', async () => {
  const id = 'nobody.invalid:8001' as ServerId;
  await expect(serversWith().probe(id, never)).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
});

test('an IPv6 address can be contacted', async () => {
  const six = await startScriptedServer({ host: '::1' });
  const mayContact = (address: string) => address === '::1';
  expect(await serversWith({ mayContact }).probe(six.id, never)).toEqual({
    type: 'probe.answered',
  });
  await six.stop();
});

test('a request is paced by its host and by the result of the last one', async () => {
  const paced: unknown[] = [];
  let ended: Promise<unknown> = Promise.resolve();
  const run: RequestPacer['run'] = (task, { host, lastResult }) => {
    paced.push([host, lastResult]);
    ended = task();
  };
  const requests = createServerRequests(serversWith(), { run } as RequestPacer);
  const actor = createActor(requests, { input: { server: server.id } }).start();
  server.respond({ kind: 'status', to: 'health', times: 1 });
  for (let i = 0; i < 3; i += 1) {
    actor.send({ type: 'probe.requested' });
    await ended;
  }
  actor.stop();
  expect(paced).toEqual([
    ['127.0.0.1', 'none'],
    ['127.0.0.1', 'failed'],
    ['127.0.0.1', 'answered'],
  ]);
});
