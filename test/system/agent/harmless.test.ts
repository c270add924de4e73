/** The agent never hurts its host, whatever the host's own code, the dashboard and strangers do. */

import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AgentDocuments, createAgent } from '../../../server/agent/createAgent.js';
import { eventually } from '../../support/eventually.js';
import { activate, type FakeDashboard, owns, send, startFakeDashboard } from '../demo/support.js';
import { answerOf, startAgent } from './support.js';

let dashboard: FakeDashboard;
const rejections: unknown[] = [];
const note = (cause: unknown) => rejections.push(cause);

beforeEach(async () => {
  dashboard = await startFakeDashboard();
  rejections.length = 0;
  process.on('unhandledRejection', note);
});

afterEach(async () => {
  await nextTurn();
  process.off('unhandledRejection', note);
  expect(rejections).toEqual([]);
});

const eventsUrl = () => `${dashboard.url}/api/events`;
const fail = (): never => {
  throw new Error('the host has failed');
};
const throwing: AgentDocuments = {
  connections: fail,
  encodedState: fail,
  encodedAwareness: fail,
  stores: fail,
};

describe('code of the host that throws', () => {
  test('fails the request, and changes nothing', async () => {
    const { agent, port, logged } = await startAgent({ documents: throwing });
    for (let round = 0; round < 2; round += 1) {
      expect((await activate(port, { active: true, eventsUrl: eventsUrl() })).status).toBe(500);
      expect((await send(port, 'GET', '/api/room?id=r')).status).toBe(500);
      expect((await send(port, 'GET', '/api/room?name=r')).status).toBe(500);
    }
    expect(agent.activation().active).toBe(false);
    expect(logged).toEqual([expect.stringContaining('the host has failed')]);
    expect((await activate(port, { active: false, eventsUrl: eventsUrl() })).text).toBe('okay');
  });

  test('in the middle of a snapshot changes nothing', async () => {
    let isBroken = true;
    const connections = function* () {
      yield ['a', 1] as const;
      if (isBroken) fail();
    };
    const { port, agent } = await startAgent({ documents: { ...throwing, connections } });
    expect((await activate(port, { active: true, eventsUrl: eventsUrl() })).status).toBe(500);
    expect(agent.activation().active).toBe(false);
    isBroken = false;
    const answer = await activate(port, { active: true, eventsUrl: eventsUrl() });
    expect(answer.text).toBe('[{"a":1}]');
    expect(JSON.parse(`${answer.headers['dashboard-agent']}`)).not.toHaveProperty('stores');
  });

  test('does not stop the list of watched rooms', async () => {
    const { port, agent } = await startAgent({ documents: throwing });
    const body = JSON.stringify({ rooms: ['a', 'b'], eventsUrl: eventsUrl() });
    expect((await send(port, 'PUT', '/api/dashboard/rooms', body)).status).toBe(200);
    agent.updated('b', Buffer.from('1'));
    await agent.settled();
    expect(dashboard.deltas()).toEqual([{ room: 'b', update: 'MQ==' }]);
  });

  test('in the log is ignored', async () => {
    const log = { info: fail, warn: fail };
    const { port, agent } = await startAgent({ documents: throwing, log, url: dashboard.url });
    expect((await send(port, 'GET', '/api/room?id=r')).status).toBe(500);
    dashboard.answer = answerOf(true, eventsUrl());
    await eventually(() => expect(agent.activation().active).toBe(false));
  });

  test('gives no room that is none', async () => {
    const wrong = [
      ['a', 1],
      ['b', -1],
      ['c', 0.5],
      ['d', Number.NaN],
      ['e', '2'],
      [7, 1],
      ['f', 0],
    ];
    const connections = () => wrong as unknown as Iterable<readonly [string, number]>;
    const { port } = await startAgent({ documents: { ...throwing, connections } });
    const answer = await activate(port, { active: true, eventsUrl: eventsUrl() });
    expect(answer.text).toBe('[{"a":1}]');
  });

  test('may call the agent with anything, at any time', async () => {
    const documents = { ...throwing, connections: () => [] };
    const { agent, port } = await startAgent({ documents });
    const log = { info: () => undefined, warn: () => undefined };
    const early = owns(createAgent({ url: [], documents, log }), (it) => it.close());
    await activate(port, { active: true, eventsUrl: eventsUrl() });
    for (const value of [undefined, null, 7, {}, Symbol('s'), 'x'.repeat(100_000), '\ud800']) {
      for (const each of [agent, early]) {
        each.opened(value as string);
        each.closed(value as string);
        each.updated(value as string, value as unknown as Uint8Array);
        each.awarenessUpdated('a', value as unknown as Uint8Array);
        each.isWatched(value as string);
      }
    }
    agent.opened('a');
    await agent.settled();
    expect(dashboard.deltas()).toContainEqual({ room: 'a', add: 1 });
    await agent.close();
    agent.opened('a');
    await Promise.all([agent.close(), agent.settled(), agent.start()]);
  });
});

test('a large snapshot is taken in one step, and sent in many turns of the event loop', async () => {
  const rooms = new Map<string, number>();
  for (let index = 0; index < 100_000; index += 1) rooms.set(`room-${index}`, 1);
  let turns = 0;
  let isSent = false;
  const count = () => {
    turns += 1;
    for (let index = 0; turns === 1 && index < 100_000; index += 1) rooms.set(`room-${index}`, 2);
    if (!isSent) setImmediate(count);
  };
  const connections = () => {
    setImmediate(count);
    return rooms;
  };
  const { port } = await startAgent({ documents: { ...throwing, connections } });
  const answer = await activate(port, { active: true, eventsUrl: eventsUrl() });
  isSent = true;
  expect(JSON.parse(answer.text)).toHaveLength(100_000);
  expect(answer.text).not.toContain(':2}');
  expect(turns).toBeGreaterThan(90);
});

/** A dashboard that does something to each connection once there is a request. */
async function startRawDashboard(act: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('data', () => act(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  owns(server, () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a dashboard that', () => {
  const endless = (socket: Socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write('x'.repeat(100_000)));
    };
    socket.on('drain', more);
    more();
  };
  const faults: Record<string, (socket: Socket) => void> = {
    hangs: () => undefined,
    resets: (socket) => socket.resetAndDestroy(),
    'answers garbage': (socket) => socket.end('no HTTP at all\r\n\r\n'),
    'answers half': (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"ac'),
    'answers without an end': (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      endless(socket);
    },
    'sends headers without an end': (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX: ');
      endless(socket);
    },
    redirects: (socket) =>
      socket.end(`HTTP/1.1 307 Temporary Redirect\r\nLocation: ${dashboard.url}/\r\n\r\n`),
    'switches protocols': (socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
  };

  test.each(Object.keys(faults))('%s makes the agent silent, until it is well', async (fault) => {
    let isWell = false;
    let posts = 0;
    const well = `{"active":true,"eventsUrl":"${eventsUrl()}"}`;
    const url = await startRawDashboard((socket) => {
      posts += 1;
      if (!isWell) faults[fault]?.(socket);
      else socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${well.length}\r\n\r\n${well}`);
    });
    const { agent, port } = await startAgent({ url }, { deadlineMs: 200 });
    await activate(port, { active: true, eventsUrl: `${url}/` });
    for (let round = 0; round < 4; round += 1) {
      agent.opened('r');
      agent.updated('r', Buffer.from('1'));
      await agent.settled();
    }
    // On a busy machine the deadline of a post may pass before it has arrived. The agent keeps asking.
    await eventually(() => expect(posts).toBeGreaterThanOrEqual(3));
    expect(dashboard.received).toEqual([]);
    isWell = true;
    await eventually(() => expect(agent.activation().eventsUrl).toBe(eventsUrl()));
    await eventually(async () => {
      agent.opened('again');
      await agent.settled();
      expect(dashboard.deltas()).toContainEqual({ room: 'again', add: 1 });
    });
    for (const delta of dashboard.deltas()) expect(delta).toEqual({ room: 'again', add: 1 });
  });
});

describe('5,000 opens and closes a second', () => {
  test('are counted exactly, in few posts', async () => {
    const { agent, port } = await startAgent();
    await activate(port, { active: true, eventsUrl: eventsUrl() });
    const truth: Record<string, number> = {};
    const beganMs = performance.now();
    for (let done = 0; done < 10_000; ) {
      const due = Math.min(10_000, (performance.now() - beganMs) * 5);
      for (; done < due; done += 1) {
        const room = `room-${done % 50}`;
        const add = done % 3 === 0 ? -1 : 1;
        truth[room] = (truth[room] ?? 0) + add;
        if (add === 1) agent.opened(room);
        else agent.closed(room);
      }
      await nextTurn();
    }
    const tookMs = performance.now() - beganMs;
    await agent.settled();
    const counted: Record<string, number> = {};
    for (const { room, add } of dashboard.deltas() as { room: string; add: number }[]) {
      counted[room] = (counted[room] ?? 0) + add;
    }
    expect(counted).toEqual(truth);
    expect(dashboard.received.length).toBeLessThanOrEqual(tookMs / 20 + 2);
  });
});

describe('close', () => {
  test('ends while requests and posts are open', async () => {
    const { agent, port, connections } = await startAgent({ url: dashboard.url }, { flushMs: 50 });
    dashboard.answer = undefined;
    for (let room = 0; room < 50_000; room += 1) connections.set(`${'x'.repeat(200)}${room}`, 1);
    await activate(port, { active: true, eventsUrl: eventsUrl() });
    const body = JSON.stringify({ active: true, eventsUrl: eventsUrl() });
    const head = `PUT /api/dashboard HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
    for (const sent of [head, `${head}${body}`, '']) {
      const socket = owns(net.connect(port, '127.0.0.1'), (it) => it.destroy());
      socket.on('error', () => undefined).write(sent);
      await once(socket, 'connect');
    }
    agent.opened('r');
    agent.updated('r', Buffer.from('1'));
    const settled = agent.settled();
    await agent.close();
    await settled;
    expect(agent.activation().active).toBe(false);
    await expect(send(port, 'GET', '/health')).rejects.toThrow();
  });

  test('ends an agent that is still starting', async () => {
    const agent = createAgent({ url: dashboard.url, documents: throwing });
    const started = agent.start();
    await agent.close();
    const { port } = await started;
    await expect(send(port, 'GET', '/health')).rejects.toThrow();
  });
});

test('a port that is taken is tried again, and start does not reject', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  owns(taken, (it) => it.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const started = await startAgent({ port, url: dashboard.url });
  expect(started.port).toBe(0);
  expect(started.logged).toEqual([expect.stringContaining('EADDRINUSE')]);
  expect(dashboard.received).toEqual([]);
  taken.close();
  await eventually(async () => expect((await send(port, 'GET', '/health')).status).toBe(200));
  await eventually(() => expect(dashboard.received[0]?.url).toContain(`port=${port}&`));
});
