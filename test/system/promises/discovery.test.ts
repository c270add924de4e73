import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import type { RoomSummary } from '../../../server/rooms/lookup/roomList.js';
import type { ServiceOverrides } from '../../../server/service.js';
import { openStore, type StoreConfig } from '../../../server/store/openStore.js';
import type { Store } from '../../../server/store/store.js';
import type { SourceReport } from '../../../server/wire/sourceReport.js';
import { eventually } from '../../support/eventually.js';
import { startTestService } from '../../support/service.js';
import {
  getJson,
  owns,
  serversOf,
  startDouble,
  untilShown,
  untilState,
  watch,
  wishesOf,
} from '../../support/stage.js';
import { memoryStore } from '../../unit/discovery/memoryStore.js';
import { fargateTask, startEcs } from '../discovery/ecsDouble.js';
import { type NameServer, startNameServer } from '../discovery/nameServer.js';
import { filledStore } from '../security/filledStore.js';

type Url = { url: string };

/** Short intervals. Requests do not time out: on a busy machine a server that is well may take seconds. */
const quick = {
  LINGER_MS: '50',
  REQUEST_TIMEOUT_MS: '60000',
  PROBE_INTERVAL_MS: '100',
  RESYNC_INTERVAL_MS: '60000',
  FRAME_INTERVAL_MS: '5',
};
/** A server that does not answer is unreachable soon. */
const hasty = { REQUEST_TIMEOUT_MS: '2000' };
const name = 'pubsub.test';

/** A service that knows servers by discovery alone, with rounds 100 ms apart. */
async function startService(env: Record<string, string>, overrides: ServiceOverrides = {}) {
  const quickly = { discoveryIntervalMs: 100, openStore: async () => memoryStore(), ...overrides };
  const service = await startTestService({ ...quick, ...env }, quickly);
  return owns(service, () => service.stop());
}

const startNames = async () => owns(await startNameServer(), (it) => it.stop());
const byDns = (names: NameServer, port: number) => ({
  PUBSUB_DNS: `${name}:${port}`,
  PUBSUB_DNS_SERVER: names.address,
});

/** Keeps a port until a test needs it. */
async function holdPort() {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, free: () => new Promise((resolve) => server.close(resolve)) };
}

/** Opens the configured store and adds it to `stores`. */
const openedInto = (stores: Store[]) => async (config: StoreConfig) => {
  const store = await openStore(config);
  stores.push(store);
  return store;
};

const sourcesOf = async ({ url }: Url) =>
  (await getJson<{ discovery: SourceReport[] }>(`${url}/api/state`)).discovery;
const failedSources = async ({ url }: Url) =>
  (await fetch(`${url}/api/servers`)).headers.get('x-discovery-failed');

const isOfRoom = ({ event }: { event?: string | undefined }) => event === 'room';

/** Sets environment variables for the AWS SDK until the test ends. */
function setVariables(variables: Record<string, string>): void {
  const before = Object.keys(variables).map((key) => [key, process.env[key]] as const);
  Object.assign(process.env, variables);
  const restore = () => {
    for (const [key, value] of before) {
      if (value === undefined) delete process.env[key];
      else process.env[key] = value;
    }
  };
  owns(undefined, restore);
}

describe('a server that is started after the activation', () => {
  test('is found and counted, by the store alone and by DNS alone', async () => {
    const stores: Store[] = [];
    const names = await startNames();
    const { port, free } = await holdPort();
    // With the interval of production.
    const storing = await startTestService(quick, { openStore: openedInto(stores) });
    owns(storing, () => storing.stop());
    const naming = await startTestService({ ...quick, ...byDns(names, port) });
    owns(naming, () => naming.stop());
    const viewers = [await watch(storing), await watch(naming)] as const;
    await Promise.all([untilState(storing, 'watched'), untilState(naming, 'watched')]);
    const [store] = await eventually(() => {
      expect(stores).toHaveLength(1);
      return stores;
    });

    const registered = await startDouble();
    await free();
    const named = await startDouble({ port });
    registered.rooms.set('by the store', 2);
    named.rooms.set('by DNS', 3);
    const expiresAt = Date.now() + 60_000;
    await store?.servers.put({ server: registered.id, origin: 'registered', expiresAt });
    names.names.set(name, { A: ['127.0.0.1'] });
    await Promise.all([
      untilShown(viewers[0], { 'by the store': 2 }),
      untilShown(viewers[1], { 'by DNS': 3 }),
    ]);
    // On a busy machine one may be late meanwhile.
    await eventually(async () => {
      expect(await serversOf(storing)).toMatchObject([{ id: registered.id, state: 'live' }]);
      expect(await serversOf(naming)).toMatchObject([{ id: named.id, state: 'live' }]);
    });
  });

  test('is found by its ECS service', async () => {
    const double = await startDouble();
    double.rooms.set('r', 1);
    const ecs = owns(await startEcs(100), (it) => it.stop());
    setVariables({
      AWS_ENDPOINT_URL_ECS: ecs.url,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    });
    const env = { ECS_CLUSTER: 'blue', ECS_SERVICE: 'pubsub', PUBSUB_PORT: String(double.port) };
    const service = await startService(env);
    const viewer = await watch(service);
    await untilState(service, 'watched');
    ecs.tasks.set('arn:1', fargateTask('127.0.0.1'));
    await untilShown(viewer, { r: 1 });
  });

  test('is found by its rooms if DISCOVER_FROM_ROOMS is set', async () => {
    const double = await startDouble();
    double.rooms.set('r', 1);
    const store = memoryStore();
    const env = { DISCOVER_FROM_ROOMS: 'true', PUBSUB_PORT: String(double.port) };
    const service = await startService(env, { openStore: async () => store });
    const unasked = await startService({}, { openStore: async () => memoryStore() });
    const viewer = await watch(service);
    await untilState(service, 'watched');
    store.roomAddresses.push('127.0.0.1');
    await untilShown(viewer, { r: 1 });
    expect((await sourcesOf(unasked)).map((source) => source.name)).toEqual(['registered']);
  });
});

describe('a server that no source names any longer', () => {
  test('is removed with its counts if it does not answer', async () => {
    const store = memoryStore();
    const gone = await startDouble();
    const stays = await startDouble();
    gone.rooms.set('r', 2);
    stays.rooms.set('r', 1);
    for (const { id } of [gone, stays]) store.register(id);
    const service = await startService(hasty, { openStore: async () => store });
    const viewer = await watch(service);
    await untilShown(viewer, { r: 3 });
    await gone.stop();
    // While a source names it, it is shown without its counts.
    await eventually(async () => {
      expect(await serversOf(service)).toMatchObject([
        { id: gone.id, state: 'unreachable', connections: null },
        { id: stays.id, state: 'live' },
      ]);
    });
    await untilShown(viewer, { r: 1 });
    store.items.delete(gone.id);
    await eventually(async () => expect(await serversOf(service)).toHaveLength(1));
    await eventually(() => {
      expect(viewer.seen()).toMatchObject({
        complete: true,
        servers: { [stays.id]: { state: 'live' } },
      });
    });
    await untilShown(viewer, { r: 1 });
    expect(store.asked).toContain(`remove ${gone.id}`);
  });

  test('stays if it answers', async () => {
    const store = memoryStore();
    const double = await startDouble();
    double.rooms.set('r', 1);
    store.register(double.id);
    const service = await startService({}, { openStore: async () => store });
    const viewer = await watch(service);
    await untilShown(viewer, { r: 1 });
    store.items.delete(double.id);
    const rounds = store.asked.length;
    await eventually(() => expect(store.asked.length).toBeGreaterThan(rounds + 5));
    await eventually(async () => {
      expect(await serversOf(service)).toMatchObject([{ id: double.id, state: 'live' }]);
    });
    await untilShown(viewer, { r: 1 });
  });

  test('stays if it is configured', async () => {
    const store = memoryStore();
    const double = await startDouble();
    store.register(double.id);
    const env = { PUBSUB_SERVERS: double.id, ...hasty };
    const service = await startService(env, { openStore: async () => store });
    await watch(service);
    await untilState(service, 'watched');
    store.items.delete(double.id);
    await double.stop();
    await eventually(async () => {
      expect(await serversOf(service)).toMatchObject([{ state: 'unreachable' }]);
    });
    const rounds = store.asked.length;
    await eventually(() => expect(store.asked.length).toBeGreaterThan(rounds + 3));
    expect(await serversOf(service)).toHaveLength(1);
  });
});

describe('a source that has not answered yet', () => {
  test('may know more servers: totals are complete only after its answer', async () => {
    const [known, named] = [await startDouble(), await startDouble()];
    known.rooms.set('r', 1);
    named.rooms.set('r', 2);
    const names = await startNames();
    names.names.set(name, { A: ['127.0.0.1'] });
    names.fault('A', 'silence');
    const service = await startService({
      ...byDns(names, named.port),
      PUBSUB_SERVERS: known.id,
    });
    const changes = await watch(service, '/api/events?stream=changes');
    const said = () =>
      changes.messages.map(
        ({ data }) => JSON.parse(data) as { complete?: boolean; reason?: string },
      );
    await eventually(() => {
      expect(said()).toContainEqual(expect.objectContaining({ reason: 'source_unanswered' }));
    });
    // The known servers are counted, and the totals are incomplete.
    await eventually(async () => {
      const state = await getJson<object>(`${service.url}/api/state`);
      expect(state).toMatchObject({ live: 1, complete: false, reason: 'source_unanswered' });
    });
    expect(said().some(({ complete }) => complete)).toBe(false);
    const unheard = () => getJson<object[]>(`${service.url}/api/counts?room=unheard`);
    // A server that is not known yet may have the room.
    expect(await unheard()).toMatchObject([{ connections: null, complete: false }]);
    names.fault('A', undefined);
    await eventually(() => expect(said().some(({ complete }) => complete)).toBe(true));
    // On a busy machine one may be late meanwhile.
    await eventually(async () => {
      const state = await getJson<object>(`${service.url}/api/state`);
      expect(state).toMatchObject({ connections: 3, reason: null });
    });
    await eventually(async () =>
      expect(await unheard()).toMatchObject([{ connections: 0, complete: true }]),
    );
  });
});

describe('a source that fails', () => {
  test('removes no server, and is reported until it works again', async () => {
    const store = memoryStore();
    const names = await startNames();
    const [registered, named] = [await startDouble(), await startDouble()];
    registered.rooms.set('a', 1);
    named.rooms.set('b', 1);
    store.register(registered.id);
    names.names.set(name, { A: ['127.0.0.1'] });
    const env = { ...byDns(names, named.port), ...hasty };
    const service = await startService(env, { openStore: async () => store });
    const viewer = await watch(service);
    await untilShown(viewer, { a: 1, b: 1 });
    await eventually(async () => expect(await failedSources(service)).toBeNull());

    store.fail(true);
    names.fault('A', 'SERVFAIL');
    names.fault('AAAA', 'SERVFAIL');
    const source = `dns:${name}:${named.port}`;
    await eventually(async () => {
      expect(await failedSources(service)).toBe(`registered, ${source}`);
    });
    expect(await sourcesOf(service)).toEqual([
      {
        name: 'registered',
        servers: 1,
        leftOut: 0,
        gone: 0,
        goneServers: [],
        lastSuccessAt: expect.any(String),
        error: 'unreachable',
      },
      expect.objectContaining({
        name: source,
        servers: 1,
        error: expect.stringMatching('SERVFAIL'),
      }),
    ]);
    // Not even a server that does not answer is removed: no source says that it is gone.
    await named.stop();
    await eventually(async () => {
      expect(await serversOf(service)).toMatchObject([
        { id: registered.id, state: 'live' },
        { id: named.id, state: 'unreachable' },
      ]);
    });
    await untilShown(viewer, { a: 1 });

    store.fail(false);
    names.fault('A', undefined);
    names.names.set(name, {});
    await eventually(async () => expect(await failedSources(service)).toBeNull());
    await eventually(async () => expect(await serversOf(service)).toHaveLength(1));
  });

  test('does not keep the service from starting, nor configured servers from being counted', async () => {
    setVariables({
      AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    });
    const double = await startDouble();
    double.rooms.set('r', 1);
    const known = { ...quick, PUBSUB_SERVERS: double.id };
    const tables = { DYNAMODB_TABLE: 'rooms', DYNAMODB_SERVERS_TABLE: 'servers' };
    const unreachable = await startTestService({ ...known, ...tables });
    owns(unreachable, () => unreachable.stop());
    await untilShown(await watch(unreachable), { r: 1 });
    await eventually(async () => expect(await failedSources(unreachable)).toBe('registered'));
  });

  test('to open delays neither the counts nor the shutdown', async () => {
    const double = await startDouble();
    double.rooms.set('r', 1);
    const known = { ...quick, PUBSUB_SERVERS: double.id };
    const service = await startTestService(known, { openStore: () => new Promise(() => {}) });
    const viewer = await watch(service);
    await untilShown(viewer, { r: 1 });
    await viewer.close();
    await service.stop();
  });
});

describe('an address that a crash left in the rooms table', () => {
  test('is removed after a while: totals are complete, its rooms inactive; and it may return', async () => {
    const [live, { port, free }] = [await startDouble(), await holdPort()];
    live.rooms.set('r', 1).set('held', 0);
    const leftOver = `127.0.0.1:${port}`;
    const store = filledStore([
      { id: 'held', addresses: [leftOver] },
      { id: 'left', addresses: [leftOver] },
      { id: 'r', addresses: [live.id, leftOver] },
    ]);
    const env = { DYNAMODB_TABLE: 'given', DISCOVER_FROM_ROOMS: 'true' };
    const service = await startService(env, { openStore: async () => store });
    const viewer = await watch(service);
    await untilShown(viewer, { r: 1 });
    const completeness = async () =>
      (await getJson<{ complete: boolean }>(`${service.url}/api/state`)).complete;
    await eventually(async () => {
      expect(await serversOf(service)).toMatchObject([{ id: live.id, state: 'live' }]);
      expect(await completeness()).toBe(true);
    });
    await eventually(async () =>
      expect(await sourcesOf(service)).toContainEqual(
        expect.objectContaining({ name: 'rooms', servers: 2, gone: 1, goneServers: [leftOver] }),
      ),
    );
    await eventually(async () => {
      const rooms = await getJson<RoomSummary[]>(`${service.url}/api/rooms`);
      expect(rooms.map(({ id, active, servers }) => [id, active, servers])).toEqual([
        ['held', false, 0],
        ['left', false, 0],
        ['r', true, 1],
      ]);
    });
    const { servers } = await getJson<{ servers: object[] }>(
      `${service.url}/api/rooms/left/servers`,
    );
    expect(servers).toMatchObject([{ server: leftOver, finding: 'dead_address' }]);

    // The dead address does not keep a room alive that its last server has dropped.
    const room = await watch(service, '/api/rooms/held/events');
    const standing = () => JSON.parse(room.messages.findLast(isOfRoom)?.data ?? '{}');
    await eventually(() => expect(standing()).toMatchObject({ servers: [live.id] }));
    live.rooms.delete('held');
    await eventually(() => expect(standing()).toMatchObject({ state: 'gone' }));

    await free();
    const back = await startDouble({ port });
    back.rooms.set('left', 2);
    await back.askAtStartup(service.url, { port });
    await untilShown(viewer, { r: 1, left: 2 });
    await eventually(async () =>
      expect(await sourcesOf(service)).toContainEqual(
        expect.objectContaining({ name: 'rooms', gone: 0, goneServers: [] }),
      ),
    );
  });
});

describe('what a source may name', () => {
  test('is neither this service nor an address outside the networks', async () => {
    const names = await startNames();
    const { port, free } = await holdPort();
    names.names.set(name, { A: ['127.0.0.1', '169.254.169.254', '8.8.8.8'] });
    const store = memoryStore();
    store.register('203.0.113.1:8001' as ServerId);
    const env = { ...byDns(names, port), PORT: String(port) };
    await free();
    const service = await startService(env, { openStore: async () => store });
    await watch(service);
    await eventually(async () => {
      expect(await sourcesOf(service)).toMatchObject([
        { name: 'registered', servers: 0, leftOut: 1, error: null },
        { name: `dns:${name}:${port}`, servers: 0, leftOut: 3, error: null },
      ]);
    });
    expect(await serversOf(service)).toEqual([]);
  });
});

describe('a server that sent a start-up query', () => {
  test('is remembered after a restart of the service', async () => {
    const folder = owns(await mkdtemp(join(tmpdir(), 'discovery-')), (it) =>
      rm(it, { recursive: true }),
    );
    const env = { ...quick, DATA_DIR: folder };
    const double = await startDouble();
    double.rooms.set('r', 1);
    const stores: Store[] = [];
    const before = await startTestService(env, { openStore: openedInto(stores) });
    const viewer = await watch(before);
    await untilState(before, 'watched');
    await double.askAtStartup(before.url, { port: double.port });
    await untilShown(viewer, { r: 1 });
    await eventually(async () => {
      expect(await stores[0]?.servers.list()).toMatchObject([{ server: double.id }]);
    });
    await viewer.close();
    await before.stop();
    expect(wishesOf(double).at(-1)?.active).toBe(false);

    // A crash would leave it active.
    double.active = true;
    const after = await startTestService(env, { discoveryIntervalMs: 200 });
    owns(after, () => after.stop());
    await eventually(() => expect(double.active).toBe(false));
    await untilShown(await watch(after), { r: 1 });
    await eventually(async () =>
      expect(await serversOf(after)).toMatchObject([{ id: double.id, state: 'live' }]),
    );
  });
});
