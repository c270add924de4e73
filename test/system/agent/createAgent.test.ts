import net from 'node:net';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Agent, createAgent } from '../../../server/agent/createAgent.js';
import { eventually } from '../../support/eventually.js';
import { activate, type FakeDashboard, owns, send, startFakeDashboard } from '../demo/support.js';

let dashboard: FakeDashboard;
let rooms: [string, number][];
let agent: Agent;
let port: number;

const documents = {
  connections: () => rooms,
  encodedState: (room: string) =>
    rooms.some(([name]) => name === room) ? Buffer.from(`state of ${room}`) : undefined,
};
const log = { info: () => undefined, warn: () => undefined };

beforeEach(async () => {
  dashboard = await startFakeDashboard();
  rooms = [];
  agent = await started();
});

async function started(timings = {}): Promise<Agent> {
  const options = { url: [], documents, log, host: '127.0.0.1' };
  const created = owns(createAgent(options, timings), (it) => it.close());
  ({ port } = await created.start());
  return created;
}

const eventsUrl = () => `${dashboard.url}/api/events`;

describe('PUT /api/dashboard', () => {
  test('answers an activation with one object for each room with connections, chunked', async () => {
    rooms = [
      ['room-a', 1],
      ['b', 2],
      ['a%20b', 0],
    ];
    const answer = await activate(port, { active: true, eventsUrl: eventsUrl() });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.headers['transfer-encoding']).toBe('chunked');
    expect(answer.text).toBe('[{"room-a":1},{"b":2}]');
  });

  test('answers an activation of an empty server with an empty array', async () => {
    expect((await activate(port, { active: true, eventsUrl: eventsUrl() })).text).toBe('[]');
  });

  test('reports the room __proto__ like any other', async () => {
    rooms = [
      ['__proto__', 1],
      ['constructor', 3],
      ['', 1],
    ];
    const answer = await activate(port, { active: true, eventsUrl: eventsUrl() });
    expect(answer.text).toBe('[{"__proto__":1},{"constructor":3},{"":1}]');
  });

  test('answers a deactivation with okay', async () => {
    const answer = await activate(port, { active: false, eventsUrl: eventsUrl() });
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([
      200,
      'text/plain',
      'okay',
    ]);
    expect(agent.activation()).toEqual({ active: false, eventsUrl: eventsUrl() });
  });

  test('answers every repeated activation with a full snapshot', async () => {
    rooms = [['r', 1]];
    await activate(port, { active: true, eventsUrl: eventsUrl() });
    rooms = [['r', 2]];
    const again = await activate(port, { active: true, eventsUrl: eventsUrl() });
    expect(again.text).toBe('[{"r":2}]');
  });

  test.each(['/api/dashboard/', '/api/dashboard?x=1'])(
    'answers 404 on %s and changes nothing',
    async (path) => {
      const body = JSON.stringify({ active: true, eventsUrl: eventsUrl() });
      expect((await send(port, 'PUT', path, body)).status).toBe(404);
      expect(agent.activation().active).toBe(false);
    },
  );

  test.each([
    '',
    'null',
    '[]',
    '{}',
    'true',
    '{"active":true',
    '{"active":true}',
    '{"active":1,"eventsUrl":"http://127.0.0.1/"}',
    '{"active":true,"eventsUrl":"file:///etc"}',
    '{"active":true,"eventsUrl":"http://"}',
    `{"active":true,"eventsUrl":"http://127.0.0.1/${'x'.repeat(70_000)}"}`,
  ])('answers 400 to a bad body, lives and stays as it was (case %#)', async (body) => {
    await activate(port, { active: true, eventsUrl: eventsUrl() });
    const answer = await send(port, 'PUT', '/api/dashboard', body);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 'invalid_body' } });
    expect(agent.activation()).toEqual({ active: true, eventsUrl: eventsUrl() });
  });

  test('survives a client that disconnects in the middle of its body', async () => {
    const socket = net.connect(port, '127.0.0.1');
    socket.write('PUT /api/dashboard HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"active"');
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    socket.resetAndDestroy();
    expect((await send(port, 'GET', '/health')).text).toBe('okay');
  });
});

describe('other endpoints', () => {
  test('GET /health answers okay', async () => {
    const answer = await send(port, 'GET', '/health');
    expect([answer.status, answer.text]).toEqual([200, 'okay']);
  });

  test('GET /api/room answers the encoded state by the raw name', async () => {
    rooms = [
      ['a%20b', 0],
      ["it's", 1],
    ];
    const answer = await send(port, 'GET', '/api/room?id=a%20b');
    expect([answer.status, answer.headers['content-type']]).toEqual([
      200,
      'application/octet-stream',
    ]);
    expect(answer.text).toBe('state of a%20b');
    expect((await send(port, 'GET', "/api/room?id=it's")).status).toBe(200);
    expect((await send(port, 'GET', '/api/room?id=it%27s')).status).toBe(401);
  });

  test.each(['a=b', 'a?b', 'a&b', 'a'])('GET /api/room?id= takes %s as it is', async (name) => {
    rooms = [[name, 1]];
    expect((await send(port, 'GET', `/api/room?id=${name}`)).text).toBe(`state of ${name}`);
  });

  test.each(['b c', 'd/é', 'a=b&c?#', '100%', ''])(
    'GET /api/room?name= takes %j percent-encoded',
    async (name) => {
      rooms = [[name, 1]];
      const answer = await send(port, 'GET', `/api/room?name=${encodeURIComponent(name)}`);
      expect(answer.text).toBe(`state of ${name}`);
    },
  );

  test.each(['unknown', '%E9', '%'])('GET /api/room?name=%s answers 404', async (name) => {
    expect((await send(port, 'GET', `/api/room?name=${name}`)).status).toBe(404);
  });

  test('GET /api/room answers 401 with text for a room that is not in memory', async () => {
    const answer = await send(port, 'GET', '/api/room?id=unknown');
    expect([answer.status, answer.headers['content-type']]).toEqual([401, 'text/plain']);
    expect(answer.text).not.toBe('');
  });

  test.each([
    ['GET', '/'],
    ['GET', '/other'],
    ['POST', '/api/dashboard'],
    ['GET', '/health?x'],
    ['DELETE', '/'],
  ])('answers 404 to %s %s', async (method, path) => {
    expect((await send(port, method, path)).status).toBe(404);
  });
});

describe('deltas', () => {
  test('are posted only while active, gathered into one array', async () => {
    agent.opened('before');
    await activate(port, { active: true, eventsUrl: eventsUrl() });
    agent.opened('a%20b');
    agent.closed('__proto__');
    await eventually(() => expect(dashboard.deltas()).toHaveLength(2));
    await activate(port, { active: false, eventsUrl: eventsUrl() });
    agent.opened('after');
    await agent.settled();
    expect(dashboard.received.map(({ body }) => body)).toEqual([
      '[{"room":"a%20b","add":1},{"room":"__proto__","add":-1}]',
    ]);
    expect(dashboard.received[0]?.headers).toMatchObject({ 'content-type': 'application/json' });
  });

  test('go to the exact URL, without its fragment', async () => {
    const path = '/api/events/x/127.0.0.1%3A8001/+a==?t=a+b%3Ac==&u=%2F';
    await activate(port, { active: true, eventsUrl: `${dashboard.url}${path}#f` });
    agent.opened('r');
    await eventually(() => expect(dashboard.received.map(({ url }) => url)).toEqual([path]));
  });

  test('belong either to the snapshot or to its URL, never to both or neither', async () => {
    // Connections keep opening while activations are answered.
    rooms = [['r', 0]];
    const room = rooms[0] as [string, number];
    const churn = setInterval(() => {
      room[1] += 1;
      agent.opened('r');
    }, 0);
    owns(churn, clearInterval);
    const snapshots = new Map<string, number>();
    for (let epoch = 1; epoch <= 30; epoch += 1) {
      const answer = await activate(port, {
        active: true,
        eventsUrl: `${eventsUrl()}?epoch=${epoch}`,
      });
      snapshots.set(`/api/events?epoch=${epoch}`, JSON.parse(answer.text)[0]?.r ?? 0);
      const opened = room[1];
      await eventually(() => expect(room[1]).toBeGreaterThan(opened));
    }
    clearInterval(churn);
    await agent.settled();
    const addedTo = (url: string) =>
      dashboard.received
        .filter((post) => post.url === url)
        .reduce((sum, { body }) => sum + JSON.parse(body).add, 0);
    let atTheEnd = room[1];
    for (const [url, snapshot] of [...snapshots].reverse()) {
      atTheEnd -= addedTo(url);
      expect([url, snapshot]).toEqual([url, atTheEnd]);
    }
  });

  test('are lost when the dashboard fails, and the agent stays active', async () => {
    await activate(port, { active: true, eventsUrl: eventsUrl() });
    dashboard.answer = () => ({ status: 500, body: 'no' });
    agent.opened('r');
    await eventually(() => expect(dashboard.received).toHaveLength(1));
    await activate(port, { active: true, eventsUrl: 'http://127.0.0.1:1/' });
    agent.opened('r');
    await agent.settled();
    expect(agent.activation().active).toBe(true);
    expect(dashboard.received).toHaveLength(1);
  });

  test('fail at their deadline when the dashboard hangs', async () => {
    agent = await started({ deadlineMs: 300 });
    await activate(port, { active: true, eventsUrl: eventsUrl() });
    dashboard.answer = undefined;
    // On a busy machine the deadline may pass before a post has arrived.
    await eventually(async () => {
      const startedAt = performance.now();
      agent.opened('r');
      await agent.settled();
      expect(dashboard.received.length).toBeGreaterThan(0);
      expect(performance.now() - startedAt).toBeGreaterThan(250);
    });
  });

  test('follow no redirect', async () => {
    await activate(port, { active: true, eventsUrl: eventsUrl() });
    dashboard.answer = () => ({ status: 307, body: '' });
    agent.opened('r');
    await agent.settled();
    expect(dashboard.received).toHaveLength(1);
  });
});

describe('the start-up query', () => {
  test('is sent with the port, and an active answer is applied', async () => {
    dashboard.answer = () => ({
      status: 200,
      body: JSON.stringify({ active: true, eventsUrl: `${eventsUrl()}?t=1` }),
    });
    const asking = owns(createAgent({ url: `${dashboard.url}/`, documents, log }), (it) =>
      it.close(),
    );
    const started = await asking.start();
    await eventually(() => expect(asking.activation().active).toBe(true));
    const { method, url } = dashboard.received[0] ?? {};
    expect(`${method} ${url}`).toMatch(`GET /api/events/clients?port=${started.port}&`);
    asking.opened('r');
    await eventually(() => expect(dashboard.received[1]?.url).toBe('/api/events?t=1'));
  });
});
