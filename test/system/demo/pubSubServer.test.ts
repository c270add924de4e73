import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { docs } from '@y/websocket-server/utils';
import { applyUpdate, Doc } from 'yjs';
import { joinRoom } from '../../../server/demo/editors.js';
import { openConnection } from '../../../server/demo/openConnection.js';
import { type PubSubServer, startPubSubServer } from '../../../server/demo/pubSubServer.js';
import { eventually } from '../../support/eventually.js';
import {
  activate,
  type FakeDashboard,
  openMuteConnection,
  owns,
  send,
  startFakeDashboard,
} from './support.js';

let dashboard: FakeDashboard;
let server: PubSubServer;

async function start(options = {}): Promise<PubSubServer> {
  const defaults = { dashboardUrl: dashboard.url, forgetAfterMs: 50 };
  return owns(await startPubSubServer({ ...defaults, ...options }), (it) => it.close());
}

const activated = () =>
  activate(server.port, { active: true, eventsUrl: `${dashboard.url}/api/events?token=a` });
const deltas = (expected: unknown[]) =>
  eventually(() => expect(dashboard.deltas()).toEqual(expected));

beforeEach(async () => {
  dashboard = await startFakeDashboard();
});

describe('a pub-sub server', () => {
  beforeEach(async () => {
    server = await start();
  });

  test('queries the dashboard once, after listening, with its port', async () => {
    await eventually(() => expect(dashboard.received).toHaveLength(1));
    expect(dashboard.received[0]?.url).toMatch(`/api/events/clients?port=${server.port}&`);
    expect(server.id).toBe(`127.0.0.1:${server.port}`);
  });

  test('syncs real editors with each other', async () => {
    const first = owns(joinRoom({ serverUrl: server.url, room: 'r' }), (it) => it.leave());
    const second = owns(joinRoom({ serverUrl: server.url, room: 'r' }), (it) => it.leave());
    await Promise.all([first.synced, second.synced]);
    first.type('hello');
    await eventually(() => expect(second.text.toString()).toBe('hello'));
    await eventually(() => expect(second.provider.awareness.getStates().size).toBe(2));
  });

  test('posts exactly one delta for each open and each close, in order', async () => {
    await activated();
    const expected: unknown[] = [];
    for (let round = 0; round < 5; round += 1) {
      const connection = await openConnection(server.url, 'r');
      expected.push({ room: 'r', add: 1 });
      await deltas(expected);
      await (round % 2 ? connection.close() : connection.terminate());
      expected.push({ room: 'r', add: -1 });
      await deltas(expected);
    }
    await server.close();
    expect(dashboard.deltas()).toEqual(expected);
  });

  test.each([
    '100%',
    'a"b',
    '<b>',
    '__proto__',
    'constructor',
    '',
    'a/b',
    '/lead',
    'a%20b',
    'a=b',
    'x'.repeat(2_000),
  ])('keys a room by its raw path (case %#)', async (room) => {
    await activated();
    const connection = owns(await openConnection(server.url, room), (it) => it.close());
    await deltas([{ room, add: 1 }]);
    expect([...server.connections()]).toEqual([[room, 1]]);
    await connection.close();
    await deltas([
      { room, add: 1 },
      { room, add: -1 },
    ]);
  });

  test.each([
    ['a b', 'a%20b'],
    ['😀', '%F0%9F%98%80'],
  ])('an editor in %s is in the room %s', async (name, room) => {
    const editor = owns(joinRoom({ serverUrl: server.url, room: name }), (it) => it.leave());
    await editor.synced;
    expect([...server.connections()]).toEqual([[room, 1]]);
    const state = await send(server.port, 'GET', `/api/room?id=${room}`);
    expect(state.status).toBe(200);
  });

  test('removes the query from a room name', async () => {
    owns(await openConnection(server.url, 'r?token=1'), (it) => it.close());
    expect([...server.connections()]).toEqual([['r', 1]]);
  });

  test('returns the state of a room as one Yjs update', async () => {
    const editor = owns(joinRoom({ serverUrl: server.url, room: 'r' }), (it) => it.leave());
    await editor.synced;
    editor.type('words');
    await eventually(async () => {
      const doc = owns(new Doc(), (it) => it.destroy());
      applyUpdate(doc, (await send(server.port, 'GET', '/api/room?id=r')).bytes);
      expect(doc.getText('text').toString()).toBe('words');
    });
    expect(server.connections().get('r')).toBe(1);
  });

  test('counts a room without connections as idle, and forgets it after a while', async () => {
    const held = async () => {
      const { text, headers } = await activated();
      return [text, JSON.parse(String(headers['dashboard-agent'])).documents];
    };
    // On a busy machine it may be forgotten before it is looked at.
    await eventually(async () => {
      await (await openConnection(server.url, 'r')).close();
      expect(await held()).toEqual(['[]', { inMemory: 1, idle: 1 }]);
    });
    await eventually(async () => expect(await held()).toEqual(['[]', { inMemory: 0, idle: 0 }]));
    expect(docs.size).toBe(0);
  });

  test('keeps a room if its only user returns in time', async () => {
    await (await openConnection(server.url, 'r')).close();
    owns(await openConnection(server.url, 'r'), (it) => it.close());
    await (await openConnection(server.url, 'marker')).close();
    await eventually(() => expect([...docs.keys()]).toEqual(['r']));
    expect((await activated()).text).toBe('[{"r":1}]');
  });

  test('counts a connection as closed as soon as a send to it fails', async () => {
    await openMuteConnection(server.port, 'r');
    await eventually(() => expect(server.connections().get('r')).toBe(1));
    const [mute] = docs.get('r')?.conns.keys() ?? [];
    const editor = owns(joinRoom({ serverUrl: server.url, room: 'r' }), (it) => it.leave());
    await editor.synced;
    await activated();
    let closed = false;
    mute.once('close', () => {
      closed = true;
    });
    mute.close();
    expect(server.connections().get('r')).toBe(2);
    editor.type('a message that cannot be sent to a closing connection');
    await deltas([{ room: 'r', add: -1 }]);
    expect([closed, server.connections().get('r')]).toEqual([false, 1]);
    mute.terminate();
    await eventually(() => expect(closed).toBe(true));
    await editor.leave();
    await deltas([
      { room: 'r', add: -1 },
      { room: 'r', add: -1 },
    ]);
  });

  test('survives clients that send garbage', async () => {
    const noise = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    owns(noise, () => noise.mockRestore());
    await activated();
    const socket = await openMuteConnection(server.port, 'r');
    socket.on('error', () => undefined);
    socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    await deltas([
      { room: 'r', add: 1 },
      { room: 'r', add: -1 },
    ]);
    const connection = owns(await openConnection(server.url, 'r'), (it) => it.close());
    connection.socket.send(Buffer.from([0, 9, 9, 9]));
    await eventually(() => expect(noise).toHaveBeenCalled());
    expect((await send(server.port, 'GET', '/health')).text).toBe('okay');
  });

  test('answers every other request, and stays alive', async () => {
    expect((await send(server.port, 'GET', '/other')).status).toBe(404);
    expect((await send(server.port, 'PUT', '/api/dashboard', 'null')).status).toBe(400);
    expect((await send(server.port, 'GET', '/')).text).toBe('okay');
  });

  test('posts the last deltas on close, and leaves nothing in memory', async () => {
    await activated();
    owns(await openConnection(server.url, 'a'), (it) => it.close());
    owns(await openConnection(server.url, 'b'), (it) => it.close());
    await server.close();
    expect(dashboard.deltas()).toHaveLength(4);
    expect(dashboard.deltas()).toContainEqual({ room: 'b', add: -1 });
    expect(docs.size).toBe(0);
    await expect(send(server.port, 'GET', '/')).rejects.toThrow('ECONNREFUSED');
  });

  test('is the only one in its process until it is closed', async () => {
    await expect(startPubSubServer()).rejects.toThrow('only one pub-sub server');
    await server.close();
    const next = await start();
    expect((await send(next.port, 'GET', '/')).text).toBe('okay');
  });
});

describe('an unanswered ping', () => {
  // Fakes only intervals: the library pings every 30 s.
  beforeEach(() => {
    jest.useFakeTimers({
      doNotFake: [
        'Date',
        'hrtime',
        'nextTick',
        'performance',
        'queueMicrotask',
        'setImmediate',
        'clearImmediate',
        'setTimeout',
        'clearTimeout',
      ],
    });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('makes the connection count as closed although its socket is open', async () => {
    server = await start({ dashboardUrl: undefined });
    await activated();
    const socket = await openMuteConnection(server.port, 'r');
    await deltas([{ room: 'r', add: 1 }]);
    jest.advanceTimersByTime(30_000);
    expect(server.connections().get('r')).toBe(1);
    jest.advanceTimersByTime(30_000);
    expect(server.connections().get('r')).toBeUndefined();
    await deltas([
      { room: 'r', add: 1 },
      { room: 'r', add: -1 },
    ]);
    expect(socket.destroyed).toBe(false);
    await server.close();
    expect(dashboard.deltas()).toHaveLength(2);
  });
});
