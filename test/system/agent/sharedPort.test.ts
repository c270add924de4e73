import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { eventually } from '../../support/eventually.js';
import { activate, type FakeDashboard, owns, send, startFakeDashboard } from '../demo/support.js';
import { queriesIn, startAgent } from './support.js';

let dashboard: FakeDashboard;
let server: Server;

const listen = (it: Server) => new Promise<void>((resolve) => it.listen(0, '127.0.0.1', resolve));
const portOf = (it: Server) => (it.address() as AddressInfo).port;
const users = (_request: IncomingMessage, response: ServerResponse) => response.end('the user’s');
const eventsUrl = () => `${dashboard.url}/api/events`;

beforeEach(async () => {
  dashboard = await startFakeDashboard();
  server = http.createServer();
  owns(server, () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
});

describe('an agent that shares a port', () => {
  test('registers with that port, once it listens', async () => {
    const starting = startAgent({ url: dashboard.url, server });
    await listen(server);
    expect((await starting).port).toBe(portOf(server));
    await eventually(() =>
      expect(queriesIn(dashboard.received)[0]?.port).toBe(`${portOf(server)}`),
    );
  });

  test.each(['before', 'after'])(
    'answers its own paths, with a listener added %s it',
    async (when) => {
      if (when === 'before') server.on('request', users);
      await listen(server);
      const { port, agent, connections } = await startAgent({ server });
      if (when === 'after') server.on('request', users);
      connections.set('r', 1);
      expect((await activate(port, { active: true, eventsUrl: eventsUrl() })).text).toBe(
        '[{"r":1}]',
      );
      expect((await send(port, 'GET', '/api/room?name=r')).text).toBe('state of r');
      agent.opened('r');
      await agent.settled();
      expect(dashboard.deltas()).toEqual([{ room: 'r', add: 1 }]);
    },
  );

  test.each([
    ['GET', '/'],
    ['GET', '/health'],
    ['GET', '/api/dashboard'],
    ['PUT', '/api/dashboard/'],
    ['PUT', '/api/dashboard?x'],
    ['PUT', '/api/dashboards'],
    ['POST', '/api/dashboard/rooms'],
    ['GET', '/api/room'],
    ['GET', '/api/room?x=1'],
    ['PUT', '/api/room?id=r'],
  ])('leaves %s %s to the user', async (method, path) => {
    server.on('request', users);
    await listen(server);
    const { port } = await startAgent({ server });
    expect((await send(port, method, path)).text).toBe('the user’s');
  });

  test('answers /health only where nobody else would', async () => {
    await listen(server);
    const { port } = await startAgent({ server });
    expect((await send(port, 'GET', '/health')).text).toBe('okay');
    server.on('request', users);
    expect((await send(port, 'GET', '/health')).text).toBe('the user’s');
  });

  test('leaves WebSockets alone', async () => {
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => socket.send('hello'));
    await listen(server);
    const { port } = await startAgent({ server });
    const client = owns(new WebSocket(`ws://127.0.0.1:${port}/api/dashboard`), (it) =>
      it.terminate(),
    );
    const said = await new Promise((resolve) => client.once('message', resolve));
    expect(String(said)).toBe('hello');
  });

  test('gives the port back when it is closed, in any order with others that do the same', async () => {
    server.on('request', users);
    await listen(server);
    const first = await startAgent({ server });
    const second = await startAgent({ server });
    await first.agent.close();
    expect((await activate(portOf(server), { active: false, eventsUrl: eventsUrl() })).text).toBe(
      'okay',
    );
    await second.agent.close();
    const answer = await activate(portOf(server), { active: false, eventsUrl: eventsUrl() });
    expect(answer.text).toBe('the user’s');
  });

  test('leaves nothing behind', async () => {
    await listen(server);
    const { emit } = server;
    const { agent } = await startAgent({ server });
    expect(server.emit).not.toBe(emit);
    await agent.close();
    expect(server.emit).toBe(emit);
  });

  test('warns if it has no secret and the dashboard is on another machine', async () => {
    await listen(server);
    const warned = async (options: object) => {
      const { logged, agent } = await startAgent({ server, ...options });
      await agent.close();
      return logged.some((line) => line.includes('without a secret'));
    };
    expect(await warned({ url: 'http://dashboard.invalid' })).toBe(true);
    expect(await warned({ url: 'http://dashboard.invalid', secret: 's' })).toBe(false);
    expect(await warned({ url: dashboard.url })).toBe(false);
  });
});

describe('a stranger on the shared public port', () => {
  const requests: [method: string, path: string, body?: string][] = [
    ['PUT', '/api/dashboard', '{"active":true,"eventsUrl":"http://127.0.0.1:1/"}'],
    ['PUT', '/api/dashboard/rooms', '{"rooms":["r"],"eventsUrl":"http://127.0.0.1:1/"}'],
    ['GET', '/api/room?id=r'],
    ['GET', '/api/room?name=r'],
  ];

  test.each([
    ['with a secret', 401, { secret: 's' }],
    ['from outside the networks', 403, { networks: ['10.0.0.0/8'] }],
  ])('learns and changes nothing: %s', async (_case, status, options) => {
    server.on('request', users);
    await listen(server);
    const { port, agent, connections } = await startAgent({ server, ...options });
    connections.set('r', 1);
    for (const [method, path, body] of requests) {
      const answer = await send(port, method, path, body);
      expect(answer.status).toBe(status);
      expect(answer.text).not.toContain('state of');
      expect(answer.headers).not.toHaveProperty('dashboard-agent');
    }
    expect(agent.activation().active).toBe(false);
    expect(agent.isWatched('r')).toBe(false);
  });
});
