/** DNS rebinding: host names whose addresses change between requests. */

import type { LookupAddress, lookup } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import type { RoomName } from '../../../machines/ports.js';
import { freePort } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import {
  getJson,
  owns,
  quick,
  type ServerRow,
  startDouble,
  untilShown,
  watch,
} from '../../support/stage.js';
import { type NameServer, startNameServer } from '../discovery/nameServer.js';
import { connectionAttempts } from './connections.js';
import { filledStore } from './filledStore.js';
import { startLogged } from './logged.js';

/** Successive answers for a name, separately for A and AAAA records. */
const answersA = [
  ['127.0.0.1'],
  ['169.254.169.254'],
  ['127.0.0.1', '169.254.169.254'],
  ['127.0.0.2'],
  ['169.254.169.254', '127.0.0.1'],
  ['0.0.0.0', '127.0.0.2'],
  [],
];
const answersAaaa = [
  [],
  ['::ffff:169.254.169.254'],
  ['::ffff:127.0.0.2', '::'],
  ['64:ff9b::a9fe:a9fe', '64:ff9b:1::a9fe:a9fe'],
  ['2002:a9fe:a9fe::1'],
  ['::ffff:127.0.0.1'],
  ['fe80::1', '::ffff:0:a9fe:a9fe'],
  ['::a9fe:a9fe', '::7f00:2'],
];

/** One IPv4 loopback address, and every IPv6 range that embeds IPv4 addresses. */
const networks = '127.0.0.1,64:ff9b::/96,64:ff9b:1::/48,2002::/16,::2/112,::/97,::ffff:0:0:0/96';

/** Records that change with every query, until `isTurning` is false. */
function turning() {
  const state = { a: 0, aaaa: 0, isTurning: true };
  const take = (answers: string[][], place: number) => answers[place % answers.length] ?? [];
  return {
    state,
    records: {
      get A() {
        if (!state.isTurning) return ['127.0.0.1'];
        state.a += 1;
        return take(answersA, state.a - 1);
      },
      get AAAA() {
        if (!state.isTurning) return [];
        state.aaaa += 1;
        return take(answersAaaa, state.aaaa - 1);
      },
    },
  };
}

/** A `lookup` that asks this name server. */
function lookupBy(names: NameServer) {
  const resolver = new Resolver();
  resolver.setServers([names.address]);
  const find = async (name: string): Promise<LookupAddress[]> => {
    const of = async (family: 4 | 6) =>
      (await resolver[`resolve${family}`](name).catch(() => [] as string[])).map((address) => ({
        address,
        family,
      }));
    return (await Promise.all([of(4), of(6)])).flat();
  };
  return ((name: string, _options: object, done: (...found: unknown[]) => void) => {
    void find(name).then((found) => {
      if (found.length > 0) done(null, found);
      else done(Object.assign(new Error(`ENODATA ${name}`), { code: 'ENODATA' }));
    });
  }) as typeof lookup;
}

/** A program at an address that must not be contacted. It counts connections. */
async function startForbidden(port: number, host: string) {
  const seen = { connections: 0 };
  const server = createServer((socket) => {
    seen.connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  owns(server, () => server.close());
  return seen;
}

/** Spellings of addresses that must not be contacted, as a room's item may have them. */
const spellings = [
  '169.254.169.254',
  '[::ffff:169.254.169.254]',
  '[::ffff:a9fe:a9fe]',
  '[64:ff9b::169.254.169.254]',
  '[2002:a9fe:a9fe::1]',
  '[::a9fe:a9fe]',
  '[::ffff:0:a9fe:a9fe]',
  '[fe80::1%lo]',
  '[::ffff:127.0.0.2%lo]',
  '[::]',
  '0.0.0.0',
  '127.2',
  '127.0.0.2.',
  '0177.0.0.2',
  '0x7f.0.0.2',
  '0x7f000002',
  '2130706434',
  '127.0.2',
  '127.0.0.02',
  '[::ffff:0177.0.0.2]',
  '[::ffff:0x7f.0.0.2]',
  '１２７.0.0.2',
  '127。0。0。2',
  'localhost.',
  'user@127.0.0.2',
  '127.0.0.2#',
];

test('servers of the store with disguised addresses are sent nothing', async () => {
  const port = await freePort();
  const forbidden = await startForbidden(port, '127.0.0.2');
  const addresses = spellings.flatMap((text) => [`${text}:${port}`, text]);
  const store = filledStore([{ id: 'r' as RoomName, addresses }]);
  const attempts = connectionAttempts();
  const { service } = await startLogged(
    {
      ...quick,
      STATE_DIR: 'none',
      PUBSUB_NETWORKS: networks,
      PUBSUB_PORT: String(port),
      DYNAMODB_TABLE: 'given',
      DISCOVER_FROM_ROOMS: 'true',
    },
    { openStore: async () => store, discoveryIntervalMs: 20 },
  );
  await watch(service);
  await watch(service, '/api/rooms/r/events');
  const { servers } = await getJson<{ servers: { answer: string; failure: string }[] }>(
    `${service.url}/api/room/servers?room=r`,
  );
  for (const { answer, failure } of servers)
    expect([answer, failure]).toEqual(['failed', 'address not allowed']);
  await eventually(async () => {
    const { discovery } = await getJson<{ discovery: object[] }>(`${service.url}/api/state`);
    expect(discovery).toContainEqual(expect.objectContaining({ name: 'rooms', servers: 0 }));
  });
  expect([...attempts]).toEqual(['127.0.0.1']);
  expect(forbidden).toEqual({ connections: 0 });
});

test('names whose addresses change are contacted only at allowed addresses, in any spelling', async () => {
  const names = owns(await startNameServer(), ({ stop }) => stop());
  const [configured, discovered] = [await startDouble(), await startDouble()];
  const [byLookup, bySource] = [turning(), turning()];
  names.names.set('rebound.example', byLookup.records);
  names.names.set('flux.example', bySource.records);
  names.names.set('self.example', { A: ['127.0.0.1'], AAAA: ['::ffff:127.0.0.1', '::', '::1'] });
  const forbidden = await Promise.all(
    [configured, discovered].map(({ port }) => startForbidden(port, '127.0.0.2')),
  );
  const port = await freePort();
  const attempts = connectionAttempts();
  const { service } = await startLogged(
    {
      ...quick,
      PORT: String(port),
      STATE_DIR: 'none',
      PUBSUB_NETWORKS: networks,
      PUBSUB_SERVERS: `rebound.example:${configured.port},self.example:${port}`,
      PUBSUB_DNS: `flux.example:${discovered.port}`,
      PUBSUB_DNS_SERVER: names.address,
      PROBE_INTERVAL_MS: '20',
      RESYNC_INTERVAL_MS: '100',
    },
    { lookup: lookupBy(names), discoveryIntervalMs: 20 },
  );
  const viewer = await watch(service);
  await eventually(() => {
    for (const { state } of [byLookup, bySource])
      expect([state.a >= answersA.length, state.aaaa >= answersAaaa.length]).toEqual([true, true]);
  });
  const rows = async () =>
    getJson<(ServerRow & { lastFailure: string })[]>(`${service.url}/api/servers`);
  await eventually(async () =>
    expect(await rows()).toContainEqual(
      expect.objectContaining({ id: `self.example:${port}`, state: 'unreachable' }),
    ),
  );
  for (const { state } of [byLookup, bySource]) state.isTurning = false;
  await eventually(() => expect([...attempts].sort()).toEqual(['127.0.0.1', '::ffff:127.0.0.1']));
  expect(forbidden).toEqual([{ connections: 0 }, { connections: 0 }]);
  // Servers that are back at an allowed address are counted.
  const isLive = async () => {
    const live = (await rows()).filter(({ state }) => state === 'live').map(({ id }) => id);
    expect(live.sort()).toEqual(
      [`127.0.0.1:${discovered.port}`, `rebound.example:${configured.port}`].sort(),
    );
  };
  await eventually(isLive);
  await configured.open('r');
  await discovered.open('r');
  await untilShown(viewer, { r: 2 });
});
