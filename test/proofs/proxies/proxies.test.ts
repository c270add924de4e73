import { once } from 'node:events';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { maxWrongTokens } from '../../../server/http/auth/attempts.js';
import type { Service } from '../../../server/service.js';
import type { EventStream } from '../../support/eventStream.js';
import { openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { ask } from '../../support/http.js';
import type { ScriptedServer } from '../../support/scriptedServer.js';
import { startDouble, startStaged, visits } from '../../support/stage.js';
import { statusOf } from '../../system/rooms/support/rooms.js';
import {
  type StartProxy,
  startApache,
  startCaddy,
  startHaproxy,
  startNginx,
} from './support/proxies.js';

const token = 'a-token-that-nobody-guesses';
const bearer = { Authorization: `Bearer ${token}` };
const asJson = { Accept: 'application/json', ...bearer };
const proxies: [string, StartProxy][] = [
  ['nginx', startNginx],
  ['Apache', startApache],
  ['HAProxy', startHaproxy],
  ['Caddy', startCaddy],
];

/** Rooms that a proxy may take for another one: the number of connections tells which was answered. */
const rooms = [
  ...['roadmap/2025', 'roadmap', '2025', '/lead', 'lead', 'a//b', 'a/b', 'a%2Fb', 'a%252Fb', 'a'],
  ...['..', '.', '', 'a/../b', 'b', '😀 retro', '%F0%9F%98%80%20retro', '100%', '100%25', 'a\\b'],
  ...['a+b', 'a b', 'a%20b', 'a%2Bb', 'a&b=c', 'a&b', 'a;b', 'a#b', 'a?b', 'x/events', 'x'],
];

interface Staged {
  service: Service;
  double: ScriptedServer;
  /** The service as viewers reach it, without a slash at the end. */
  url: string;
}

async function stageBehind(start: StartProxy, env: Record<string, string> = {}): Promise<Staged> {
  const double = await startDouble();
  rooms.forEach((room, i) => void double.rooms.set(room, i + 1));
  const options = { DASHBOARD_TOKEN: token, TRUSTED_PROXIES: '127.0.0.1', ...env };
  const service = await startStaged([double], options, { isHurried: true });
  const { url } = await start({ port: Number(new URL(service.url).port) });
  return { service, double, url: `${url}/dashboard` };
}

const watchBehind = async (url: string, path: string): Promise<EventStream> =>
  visits(await openEventStream(url, { path, headers: bearer }), (stream) => stream.close());

const named = (room: string) => `room=${encodeURIComponent(room)}`;

/** Everything that is asked of a room is answered for that very room. */
async function expectRoom(
  { double, url }: Pick<Staged, 'double' | 'url'>,
  room: string,
  connections: number,
): Promise<void> {
  const asked = async (path: string) => {
    const { status, text } = await ask(`${url}${path}?${named(room)}`, { headers: asJson });
    expect([path, room, status]).toEqual([path, room, 200]);
    return JSON.parse(text);
  };
  const servers = [{ server: double.id, connections }];
  // On a busy machine the server may be stale for a moment, and its counts unknown.
  await eventually(async () => {
    expect(await asked('/api/room')).toMatchObject({ id: room, connections });
    expect(await asked('/api/room/servers')).toMatchObject({ id: room, servers });
    expect(await asked('/api/counts')).toMatchObject([{ room, connections }]);
  });
  expect(await asked('/api/room/log')).toMatchObject({ id: room });
  const stream = await watchBehind(url, `/api/room/events?${named(room)}`);
  await eventually(() => expect(statusOf(stream).room).toBe(room));
  await stream.close();
}

/** Signs in over plain http as the page of an origin does whose name is not this machine's. */
const signIn = (url: string, origin = 'http://dash.example') =>
  ask(`${url}/api/session`, {
    method: 'POST',
    body: JSON.stringify({ token }),
    headers: { 'Content-Type': 'application/json', Host: 'dash.example', Origin: origin },
  });

/** The status of a question that comes from this address of loopback. */
async function statusFrom(localAddress: string, url: string, authorization: string) {
  const headers = { Authorization: authorization };
  const outgoing = request(url, { localAddress, headers, agent: false }).end();
  const [incoming] = await once(outgoing, 'response');
  await json(incoming);
  return incoming.statusCode;
}

describe.each(proxies)('behind %s, as docs/proxies.md configures it,', (_, start) => {
  test('a room in the query is that room, and its streams flow', async () => {
    const { double, url } = await stageBehind(start);
    const stream = await watchBehind(url, '/api/events?stream=changes');
    await eventually(() => expect(stream.rooms()).toMatchObject({ 'roadmap/2025': 1 }));
    await Promise.all(rooms.map((room, i) => expectRoom({ double, url }, room, i + 1)));
    // What no server holds is no other room.
    const none = await ask(`${url}/api/room?${named('roadmap//2025')}`, { headers: asJson });
    expect(none.code).toBe('room_not_found');
    // No frame waits for more to come, nor for the end.
    for (let count = 2; count < 6; count += 1) {
      await double.open('roadmap/2025');
      await eventually(() => expect(stream.rooms()).toMatchObject({ 'roadmap/2025': count }));
    }
    expect(stream.isEnded()).toBe(false);
  });

  test('the page and the description are found, with and without a trailing slash', async () => {
    const { url } = await stageBehind(start);
    const page = await fetch(url);
    expect([page.redirected, page.url, page.status]).toEqual([true, `${url}/`, 200]);
    const description = await fetch(`${url}/openapi.json`);
    const { servers } = (await description.json()) as { servers: { url: string }[] };
    const base = new URL(servers[0]?.url ?? '', description.url).href.replace(/\/$/, '');
    expect(base).toBe(url);
  });

  test('signing in over plain http works from its own page alone', async () => {
    const { url } = await stageBehind(start);
    const answer = await signIn(url);
    expect([answer.status, answer.text]).toEqual([204, '']);
    const [cookie = ''] = answer.headers['set-cookie']?.[0]?.split(';') ?? [];
    const state = await ask(`${url}/api/state`, { headers: { Cookie: cookie } });
    expect(state.status).toBe(200);
    for (const other of ['http://evil.example', 'http://dash.example:8080', 'null'])
      expect((await signIn(url, other)).code).toBe('foreign_page');
  });

  test('wrong tokens lock out their own address, and no other', async () => {
    const { url } = await stageBehind(start);
    for (let i = 0; i < maxWrongTokens.perAddress; i += 1)
      expect(await statusFrom('127.0.0.2', `${url}/api/state`, 'Bearer wrong')).toBe(401);
    expect(await statusFrom('127.0.0.2', `${url}/api/state`, `Bearer ${token}`)).toBe(429);
    expect(await statusFrom('127.0.0.3', `${url}/api/state`, `Bearer ${token}`)).toBe(200);
  });
});

describe('behind a proxy that is configured otherwise', () => {
  const plainNginx = 'location /dashboard/ { proxy_pass http://127.0.0.1:8000/; }';
  const plainApache = 'ProxyPass /dashboard/ http://127.0.0.1:8000/';
  const as =
    (start: StartProxy, example: string): StartProxy =>
    (service) =>
      start(service, example);

  test.each([
    ['nginx', as(startNginx, plainNginx)],
    ['Apache', as(startApache, plainApache)],
  ])('streams flow through %s as it comes', async (_, start) => {
    const { double, url } = await stageBehind(start);
    const stream = await watchBehind(url, '/api/events?stream=changes');
    for (let count = 2; count < 6; count += 1) {
      await double.open('roadmap/2025');
      await eventually(() => expect(stream.rooms()).toMatchObject({ 'roadmap/2025': count }));
    }
    expect(stream.isEnded()).toBe(false);
  });

  test('Apache that changes Host says the name itself: signing in works once it is trusted', async () => {
    const { url } = await stageBehind(as(startApache, plainApache));
    expect((await signIn(url)).status).toBe(204);
    expect((await signIn(url, 'http://evil.example')).code).toBe('foreign_page');
    const trustless = await stageBehind(as(startApache, plainApache), { TRUSTED_PROXIES: '' });
    expect((await signIn(trustless.url)).code).toBe('foreign_page');
  });

  test('nginx that changes Host hides the name: the answer says so, and what to set', async () => {
    const start = as(startNginx, plainNginx);
    const { url, service } = await stageBehind(start);
    const refused = await signIn(url);
    expect(refused.code).toBe('foreign_page');
    const { host } = new URL(service.url);
    for (const part of ['http://dash.example', host, 'ALLOWED_HOSTS', 'pass Host on'])
      expect(refused.text).toContain(part);
    const named = await stageBehind(start, { ALLOWED_HOSTS: 'dash.example' });
    expect((await signIn(named.url)).status).toBe(204);
  });

  test('a proxy that adds the port to the address is understood', async () => {
    const example = plainNginx.replace(
      '{',
      '{ proxy_set_header X-Forwarded-For "$remote_addr:$remote_port";',
    );
    const { url } = await stageBehind(as(startNginx, example));
    for (let i = 0; i < maxWrongTokens.perAddress; i += 1)
      await statusFrom('127.0.0.2', `${url}/api/state`, 'Bearer wrong');
    expect(await statusFrom('127.0.0.2', `${url}/api/state`, `Bearer ${token}`)).toBe(429);
    expect(await statusFrom('127.0.0.3', `${url}/api/state`, `Bearer ${token}`)).toBe(200);
  });

  test('a page whose name was made to resolve to Apache that changes Host reads nothing', async () => {
    const env = { DASHBOARD_TOKEN: '', ALLOWED_HOSTS: 'dash.example' };
    const { url } = await stageBehind(as(startApache, plainApache), env);
    const status = async (headers: Record<string, string>) =>
      (await ask(`${url}/api/state`, { headers })).status;
    expect(await status({ Host: 'dash.example' })).toBe(200);
    expect(await status({ Host: 'evil.example' })).toBe(421);
    expect(await status({ Host: 'evil.example', 'X-Forwarded-Host': 'dash.example' })).toBe(421);
  });
});
