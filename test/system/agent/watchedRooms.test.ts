import { beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { activate, type FakeDashboard, send, startFakeDashboard } from '../demo/support.js';
import { type StartedAgent, startAgent } from './support.js';

let dashboard: FakeDashboard;
let started: StartedAgent;

const put = (body: unknown) =>
  send(started.port, 'PUT', '/api/dashboard/rooms', JSON.stringify(body));
const eventsUrl = () => `${dashboard.url}/api/events?token=rooms`;
const watch = (...rooms: string[]) => put({ rooms, eventsUrl: eventsUrl() });
const base64 = (text: string) => Buffer.from(text).toString('base64');
const posted = async (path = '/api/events?token=rooms') => {
  await started.agent.settled();
  return dashboard.received
    .filter(({ url }) => url === path)
    .flatMap(({ body }) => JSON.parse(body));
};

beforeEach(async () => {
  dashboard = await startFakeDashboard();
  started = await startAgent();
});

describe('PUT /api/dashboard/rooms', () => {
  test('has updates and awareness of these rooms posted, in order and together', async () => {
    const { agent } = started;
    expect((await watch('a', 'b c')).text).toBe('okay');
    agent.updated('a', Buffer.from('1'));
    agent.updated('other', Buffer.from('2'));
    agent.awarenessUpdated('other', Buffer.from('3'));
    agent.awarenessUpdated('b c', Buffer.from('4'));
    agent.updated('a', Buffer.from('_5_').subarray(1, 2));
    expect(await posted()).toEqual([
      { room: 'a', update: base64('1') },
      { room: 'b c', awareness: base64('4') },
      { room: 'a', update: base64('5') },
    ]);
    expect(dashboard.received).toHaveLength(1);
    expect(['a', 'b c', 'other'].map(agent.isWatched)).toEqual([true, true, false]);
  });

  test('has the whole awareness of new rooms posted at once, where somebody is', async () => {
    started.connections.set('a', 1).set('b', 0).set('c', 1);
    await watch('a', 'b');
    expect(await posted()).toEqual([{ room: 'a', awareness: base64('awareness of a') }]);
    await watch('a', 'c');
    expect((await posted()).slice(1)).toEqual([{ room: 'c', awareness: base64('awareness of c') }]);
    await put({ rooms: ['a'], eventsUrl: `${eventsUrl()}2` });
    expect(await posted('/api/events?token=rooms2')).toHaveLength(1);
  });

  test('does not change the activation', async () => {
    await watch('a');
    started.agent.opened('a');
    expect(await posted()).toEqual([]);
    expect(started.agent.activation().active).toBe(false);
  });

  test('uses the URL of the activation if it has none', async () => {
    expect((await put({ rooms: ['a'] })).status).toBe(409);
    await activate(started.port, { active: true, eventsUrl: eventsUrl() });
    expect((await put({ rooms: ['a'] })).status).toBe(200);
    started.agent.updated('a', Buffer.from('1'));
    expect(await posted()).toHaveLength(1);
  });

  test('has a room posted once, although updates of all rooms are wanted', async () => {
    const all = `${dashboard.url}/api/events?token=all`;
    await send(
      started.port,
      'PUT',
      '/api/dashboard',
      JSON.stringify({ active: true, eventsUrl: all, updates: true }),
    );
    await watch('a');
    started.agent.updated('a', Buffer.from('1'));
    started.agent.updated('b', Buffer.from('2'));
    expect(await posted()).toEqual([{ room: 'a', update: base64('1') }]);
    expect(await posted('/api/events?token=all')).toEqual([{ room: 'b', update: base64('2') }]);
  });

  test.each([
    '',
    'null',
    '{}',
    '{"rooms":"a"}',
    '{"rooms":[1]}',
    '{"rooms":["a"],"eventsUrl":"file:///"}',
    JSON.stringify({ rooms: Array(1_001).fill('a'), eventsUrl: 'http://127.0.0.1/' }),
    JSON.stringify({ rooms: ['x'.repeat(1024 * 1024)], eventsUrl: 'http://127.0.0.1/' }),
  ])('answers 400 to a bad body, and keeps the list (case %#)', async (body) => {
    await watch('a');
    expect((await send(started.port, 'PUT', '/api/dashboard/rooms', body)).status).toBe(400);
    expect(started.agent.isWatched('a')).toBe(true);
  });

  test('takes 1,000 rooms, and posts the awareness of all', async () => {
    const rooms = Array.from({ length: 1_000 }, (_, index) => `room-${index}`);
    for (const room of rooms) started.connections.set(room, 1);
    await watch(...rooms);
    await eventually(async () => {
      expect((await posted()).map(({ room }) => room)).toEqual(rooms);
    });
  });
});

describe('content that cannot be posted', () => {
  test('is told as lost if it is too large', async () => {
    await watch('a', 'b');
    started.agent.updated('a', Buffer.alloc(512 * 1024 + 1));
    started.agent.updated('b', Buffer.from('1'));
    expect(await posted()).toEqual([
      { room: 'a', lost: true },
      { room: 'b', update: base64('1') },
    ]);
  });

  test('is told as lost if too much waits', async () => {
    await watch('a', 'b');
    dashboard.answer = undefined;
    let answerNow = () => {};
    dashboard.hold = (answer) => {
      answerNow = () => answer({ status: 204, body: '' });
    };
    started.agent.updated('b', Buffer.from('1'));
    await eventually(() => expect(dashboard.received).toHaveLength(1));
    for (let count = 0; count < 20; count += 1) started.agent.updated('a', Buffer.alloc(400_000));
    dashboard.answer = () => ({ status: 204, body: '' });
    answerNow();
    await eventually(async () => expect(await posted()).toContainEqual({ room: 'a', lost: true }));
    const bytes = dashboard.received.reduce((sum, { body }) => sum + body.length, 0);
    expect(bytes).toBeLessThan(5 * 1024 * 1024);
    for (const { body } of dashboard.received) expect(body.length).toBeLessThan(1024 * 1024);
  });

  test('is told as lost once the dashboard takes posts again', async () => {
    await watch('a');
    dashboard.answer = () => ({ status: 503, body: '' });
    started.agent.updated('a', Buffer.from('1'));
    await eventually(() => expect(dashboard.received.length).toBeGreaterThan(1));
    dashboard.answer = () => ({ status: 204, body: '' });
    await eventually(async () => {
      expect((await posted()).at(-1)).toEqual({ room: 'a', lost: true });
    });
  });
});

describe('a list of rooms ends', () => {
  const untilEnded = () => eventually(() => expect(started.agent.isWatched('a')).toBe(false));

  test('with an empty list', async () => {
    await watch('a');
    expect((await put({ rooms: [] })).status).toBe(200);
    expect(started.agent.isWatched('a')).toBe(false);
  });

  test('if it is not repeated', async () => {
    started = await startAgent({}, { watchedMs: 50 });
    await watch('a');
    await untilEnded();
  });

  test('if a post is answered with 404', async () => {
    await watch('a');
    dashboard.answer = () => ({ status: 404, body: '' });
    started.agent.updated('a', Buffer.from('1'));
    await untilEnded();
    started.agent.updated('a', Buffer.from('2'));
    expect(await posted()).toHaveLength(1);
  });

  test('but not by a 404 of an older URL', async () => {
    await watch('a');
    dashboard.answer = ({ url }) => ({ status: url.endsWith('2') ? 204 : 404, body: '' });
    started.agent.updated('a', Buffer.from('1'));
    const settled = started.agent.settled();
    await put({ rooms: ['a'], eventsUrl: `${eventsUrl()}2` });
    await settled;
    started.agent.updated('a', Buffer.from('2'));
    expect(await posted('/api/events?token=rooms2')).toHaveLength(1);
  });
});
