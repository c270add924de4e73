import { expect, test } from '@jest/globals';
import { createTables, defaultNames } from '../../../server/store/dynamodb/tables.js';
import type { EventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import type { ScriptedServer } from '../../support/scriptedServer.js';
import {
  activationsOf,
  getJson,
  noResync,
  patient,
  recover,
  startDouble,
  stateOf,
  truthOf,
  untilServer,
  untilShown,
  untilState,
  watch,
} from '../../support/stage.js';
import { tablesOf } from '../contracts/store/support.js';
import { clientTo, startDynamo, tableNames } from './support/dynamoRun.js';
import { runService, type ServiceRun } from './support/serviceRun.js';

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
/** Offsets of the clock. Each is a jump from the one before, forwards or backwards. */
const clocks = [hourMs, dayMs, -hourMs, -dayMs, 0];
/** The largest difference between two of these clocks. */
const spreadMs = Math.max(...clocks) - Math.min(...clocks);
const rememberedMs = 30 * dayMs;
const lingerMs = 2000;

/** Starts a store with tables, and a service that uses them. */
async function start(servers: readonly ScriptedServer[], env: Record<string, string> = {}) {
  const dynamo = await startDynamo();
  const client = clientTo(dynamo);
  await createTables(client, defaultNames);
  const service = await runService(servers, {
    env: { ...dynamo.env, ...tableNames, LINGER_MS: `${lingerMs}`, ...env },
    imports: ['./preloadedClock.ts'],
  });
  return { service, tables: tablesOf(client, defaultNames) };
}

const returnToService = async (service: ServiceRun, viewer: EventStream): Promise<EventStream> => {
  await viewer.close();
  await eventually(async () => expect((await stateOf(service)).viewers).toBe(0));
  return watch(service);
};

test('after each jump of the clock a viewer who returns within the linger time has no server told', async () => {
  const server = await startDouble();
  // Without resyncs and probes only a broadcast sends requests. The linger time is long for a busy machine.
  const calm = { ...noResync, ...patient, PROBE_INTERVAL_MS: '60000', LINGER_MS: '60000' };
  const { service } = await start([server], calm);
  let viewer = await watch(service);
  await untilServer(viewer, server.id, 'live');
  for (const [i, aheadMs] of clocks.entries()) {
    await service.ask<number>({ setClockMs: aheadMs });
    const { length } = server.requests;
    viewer = await returnToService(service, viewer);
    await untilState(service, 'watched');
    await server.open('r');
    await untilShown(viewer, { r: i + 1 });
    expect(server.requests).toHaveLength(length);
  }
});

test('after each jump of the clock a viewer leaves and returns: lingering, silencing, activation, resync and probes work', async () => {
  const [server, hung, asking] = [await startDouble(), await startDouble(), await startDouble()];
  const all = [server, hung, asking];
  const { service, tables } = await start([server, hung]);
  // No list names the third one. It is known, and remembered, by its start-up query.
  let viewer = await watch(service);
  await asking.askAtStartup(service.url, { port: asking.port });
  await untilServer(viewer, asking.id, 'live');
  for (const double of all) await double.open('r');

  for (const [i, aheadMs] of clocks.entries()) {
    const nowMs = await service.ask<number>({ setClockMs: aheadMs });
    const activations = activationsOf(server);

    const leftAt = performance.now();
    await viewer.close();
    await untilState(service, 'inactive');
    expect(performance.now() - leftAt).toBeGreaterThan(lingerMs / 2);
    expect(all.map(({ active }) => active)).toEqual([false, false, false]);

    viewer = await watch(service);
    await untilShown(viewer, truthOf(...all));
    expect(activationsOf(server)).toBeGreaterThan(activations);
    // A resync corrects a lost delta.
    await server.open(`lost-${i}`, { lose: true });
    await untilShown(viewer, truthOf(...all));
    // A server that lost a post is asked for snapshots in place of probes, until a post arrives.
    await server.open(`heard-${i}`);
    await untilShown(viewer, truthOf(...all));
    // A server that hangs is shown as such and loses its counts. Probes find it when it is back.
    hung.respond({ kind: 'hang' });
    hung.respond({ kind: 'hang', to: 'health' });
    await untilServer(viewer, hung.id, 'stale');
    await untilServer(viewer, hung.id, 'unreachable');
    await untilShown(viewer, truthOf(server, asking));
    recover(hung);
    await untilServer(viewer, hung.id, 'live');
    await untilShown(viewer, truthOf(...all));

    await eventually(async () => {
      const items = await tables.servers.list();
      const remembered = items.find(({ server: id }) => id === asking.id);
      const leftMs = (remembered?.expiresAt ?? 0) - nowMs;
      expect(leftMs).toBeGreaterThan(rememberedMs - dayMs);
      expect(leftMs).toBeLessThan(rememberedMs + spreadMs + hourMs);
    });
    await noteConnection(tables, `new-${i}`, nowMs);
    await noteConnection(tables, `old-${i}`, nowMs - 49 * hourMs);
    const past = await getJson<{ roomName: string }[]>(
      `${service.url}/api/connections/since_yesterday/0`,
    );
    const rooms = past.map(({ roomName }) => roomName);
    expect(rooms).toContain(`new-${i}`);
    expect(rooms).not.toContain(`old-${i}`);
  }
});

const noteConnection = (
  { connections }: Pick<ReturnType<typeof tablesOf>, 'connections'>,
  roomName: string,
  atMs: number,
) => connections.put({ id: roomName, roomName, timestamp: new Date(atMs).toISOString() });
