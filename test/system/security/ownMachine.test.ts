/** Programs on this machine that the store and the DNS may name. */

import { describe, expect, test } from '@jest/globals';
import type { RoomName, ServerId } from '../../../machines/ports.js';
import { readConfig } from '../../../server/config/config.js';
import type { Store } from '../../../server/store/store.js';
import type { RoomServer } from '../../../server/wire/roomServers.js';
import { eventually } from '../../support/eventually.js';
import { ask } from '../../support/http.js';
import { getJson, owns, quick, type ServerRow, watch } from '../../support/stage.js';
import { startNameServer } from '../discovery/nameServer.js';
import { filledStore } from './filledStore.js';
import { startLogged } from './logged.js';
import { startRawServer } from './rawServer.js';

const room = 'r' as RoomName;

describe('loopback is among the networks', () => {
  const isAmong = (env: Record<string, string>) => {
    const { pubSubNetworks } = readConfig({ AUTH: 'none', ...env });
    expect(pubSubNetworks.includes('169.254.169.254')).toBe(false);
    return ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'].map((address) =>
      pubSubNetworks.includes(address),
    );
  };
  const [all, none] = [Array(4).fill(true), Array(4).fill(false)];

  test.each<[string, Record<string, string>]>([
    ['listens on loopback', {}],
    ['listens on loopback of IPv6', { HOST: '::1' }],
    ['listens on localhost', { HOST: 'localhost', PUBSUB_NETWORKS: ' ' }],
    ['is told of a server there', { HOST: '0.0.0.0', PUBSUB_SERVERS: '10.0.0.1:1,127.0.0.1:8001' }],
    ['is told of one by the name', { HOST: '::', PUBSUB_SERVERS: 'localhost:8001' }],
    ['is told so', { HOST: '0.0.0.0', PUBSUB_NETWORKS: '127.0.0.0/8,::1,10.0.0.0/8' }],
  ])('of a service that %s', (_, env) => expect(isAmong(env)).toEqual(all));

  test.each<[string, Record<string, string>]>([
    ['listens for others', { HOST: '0.0.0.0' }],
    ['listens for others by IPv6', { HOST: '::' }],
    ['listens on one of its addresses', { HOST: '10.0.0.1', PUBSUB_SERVERS: '10.0.0.2:8001' }],
    ['is told otherwise', { PUBSUB_NETWORKS: '10.0.0.0/8' }],
  ])('not of one that %s', (_, env) => {
    expect(isAmong(env)).toEqual(none);
    expect(readConfig({ AUTH: 'none', ...env }).pubSubNetworks.includes('10.0.0.9')).toBe(true);
  });
});

describe('a program on loopback that the store and the DNS name', () => {
  /** Starts a service that listens on all interfaces. Every source names the program. */
  async function lead(env: Record<string, string>) {
    const program = await startRawServer();
    const names = owns(await startNameServer(), ({ stop }) => stop());
    names.names.set('pubsub.example', { A: ['127.0.0.1'] });
    const stored = filledStore([{ id: room, addresses: [program.id] }]);
    const server = `localhost:${program.port}` as ServerId;
    const registered = { server, origin: 'registered' as const, expiresAt: Date.now() + 60_000 };
    const store: Store = {
      ...stored,
      servers: { ...stored.servers, list: async () => [registered] },
    };
    const known = {
      PUBSUB_DNS: `pubsub.example:${program.port}`,
      PUBSUB_DNS_SERVER: names.address,
      DISCOVER_FROM_ROOMS: 'true',
      DYNAMODB_TABLE: 'given',
    };
    const listening = { ...quick, HOST: '0.0.0.0', AUTH: 'none', ...known, ...env };
    const { service } = await startLogged(listening, { openStore: async () => store });
    const url = `http://127.0.0.1:${new URL(service.url).port}`;
    await watch({ url });
    const shown = async () => {
      const rows = await getJson<(ServerRow & { lastFailure: string | null })[]>(
        `${url}/api/servers`,
      );
      return rows.find(({ id }) => id === server);
    };
    const roomServers = async () => {
      const path = `${url}/api/rooms/${room}/servers`;
      return (await getJson<{ servers: RoomServer[] }>(path)).servers;
    };
    const leftOut = async () => {
      const { discovery } = await getJson<{ discovery: { name: string; leftOut: number }[] }>(
        `${url}/api/state`,
      );
      return discovery.map(({ name, leftOut: count }) => [name.split(':')[0], count]);
    };
    return { program, shown, roomServers, leftOut };
  }

  test('is sent nothing by a service that listens on all interfaces', async () => {
    const { program, shown, roomServers, leftOut } = await lead({});
    const lastFailure = 'no address of localhost is allowed';
    await eventually(async () =>
      expect(await shown()).toMatchObject({ state: 'unreachable', lastFailure }),
    );
    await eventually(async () =>
      expect(await leftOut()).toEqual([
        ['registered', 0],
        ['dns', 1],
        ['rooms', 1],
      ]),
    );
    expect(await roomServers()).toMatchObject([
      { server: program.id, answer: 'failed', failure: 'address not allowed' },
    ]);
    expect(program.received).toEqual([]);
  });

  test('is asked if PUBSUB_NETWORKS has loopback', async () => {
    const { program, shown, roomServers, leftOut } = await lead({
      PUBSUB_NETWORKS: '127.0.0.0/8,::1',
    });
    await eventually(async () => expect(await shown()).toMatchObject({ state: 'live' }));
    await eventually(async () =>
      expect(await leftOut()).toEqual([
        ['registered', 0],
        ['dns', 0],
        ['rooms', 0],
      ]),
    );
    expect(await roomServers()).toContainEqual(expect.objectContaining({ answer: 'holds' }));
    expect(program.received.map((text) => text.split(' ', 1)[0])).toContain('PUT');
  });
});

test('this service itself is never asked, even if a room’s item names it as its server', async () => {
  const addresses: string[] = [];
  const store = filledStore([{ id: room, addresses }]);
  const env = { ...quick, DYNAMODB_TABLE: 'given', DISCOVER_FROM_ROOMS: 'true' };
  const { service, lines } = await startLogged(env, { openStore: async () => store });
  const { port } = new URL(service.url);
  // With this port every address of this machine is this service.
  addresses.push(
    `127.0.0.1:${port}`,
    `127.0.0.2:${port}`,
    `[::1]:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
  );
  await watch(service, `/api/rooms/${room}/events`);
  await watch(service);
  expect((await ask(`${service.url}/api/rooms/${room}`)).code).toBe('room_not_found');
  const { servers } = await getJson<{ servers: RoomServer[] }>(
    `${service.url}/api/rooms/${room}/servers`,
  );
  expect(new Set(servers.map(({ server }) => server))).toEqual(
    new Set([`127.0.0.1:${port}`, `127.0.0.2:${port}`, `[::1]:${port}`]),
  );
  for (const { answer, failure } of servers)
    expect([answer, failure]).toEqual(['failed', 'address not allowed']);
  await eventually(async () => {
    const { discovery } = await getJson<{ discovery: object[] }>(`${service.url}/api/state`);
    expect(discovery).toContainEqual(
      expect.objectContaining({ name: 'rooms', servers: 0, leftOut: 3 }),
    );
  });
  await service.stop();
  // A refused request that no viewer sent would be its own.
  const refused = lines.map((line) => JSON.parse(line)).filter(({ code }) => code !== undefined);
  expect(refused.map(({ method, path }) => [method, path])).toEqual([
    ['GET', `/api/rooms/${room}`],
  ]);
});
