import { expect, test } from '@jest/globals';
import { createTables, defaultNames } from '../../../server/store/dynamodb/tables.js';
import type { EventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import type { ScriptedServer } from '../../support/scriptedServer.js';
import {
  activationsOf,
  getJson,
  putsOf,
  recover,
  startDouble,
  stateOf,
  truthOf,
  untilShown,
  untilState,
  watch,
} from '../../support/stage.js';
import { tablesOf } from '../contracts/store/support.js';
import { clientTo, startDynamo, tableNames } from './support/dynamoRun.js';
import { runService, type ServiceRun } from './support/serviceRun.js';

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
/** Each of them a jump from the one before, forwards and backwards. */
const clocks = [hourMs, dayMs, -hourMs, -dayMs, 0];
/** A time that one of them gave is so far from what another says. */
const spreadMs = Math.max(...clocks) - Math.min(...clocks);
const rememberedMs = 30 * dayMs;
const lingerMs = 1000;

/** Tables that the service uses, and the service. */
async function start(servers: readonly ScriptedServer[]) {
  const dynamo = await startDynamo();
  const client = clientTo(dynamo);
  await createTables(client, defaultNames);
  const service = await runService(servers, {
    env: { ...dynamo.env, ...tableNames, LINGER_MS: `${lingerMs}` },
    imports: ['./preloadedClock.ts'],
  });
  return { service, tables: tablesOf(client, defaultNames) };
}

const untilServer = (viewer: EventStream, { id }: ScriptedServer, states: readonly string[]) =>
  eventually(() => expect(states).toContain(viewer.seen().servers[id]?.state));

const comeAndGo = async (service: ServiceRun, viewer: EventStream): Promise<EventStream> => {
  await viewer.close();
  await eventually(async () => expect((await stateOf(service)).viewers).toBe(0));
  return watch(service);
};

/**
 * The next thing that a server is told after a viewer has left and come back just after a resync, and
 * how long after that resync: the next one is due 900 ms after it at the earliest.
 */
async function nextTold(server: ScriptedServer, comeBack: () => Promise<unknown>) {
  for (;;) {
    const before = putsOf(server).length;
    await eventually(() => expect(putsOf(server).length).toBeGreaterThan(before));
    const resync = putsOf(server).at(-1);
    const told = putsOf(server).length;
    const since = performance.now();
    await comeBack();
    const isQuick = performance.now() - since < 400;
    await eventually(() => expect(putsOf(server).length).toBeGreaterThan(told));
    const next = putsOf(server)[told];
    const afterMs = (next?.at ?? 0) - (resync?.at ?? 0);
    if (isQuick) return { isActive: next?.body.includes('"active":true'), afterMs };
  }
}

test('after each jump of the clock a viewer leaves and comes back: lingering, silencing, activation, resync and probes are as ever', async () => {
  const [server, hung, asking] = [await startDouble(), await startDouble(), await startDouble()];
  const all = [server, hung, asking];
  const { service, tables } = await start([server, hung]);
  // It is in no list: its start-up query alone makes it known, and it is remembered for that.
  let viewer = await watch(service);
  await asking.askAtStartup(service.url, { port: asking.port });
  await untilServer(viewer, asking, ['live']);
  for (const double of all) await double.open('r');

  for (const [i, aheadMs] of clocks.entries()) {
    const nowMs = await service.ask<number>({ setClockMs: aheadMs });
    // Who is back within the linger time has nobody told anything.
    const next = await nextTold(server, async () => {
      viewer = await comeAndGo(service, viewer);
    });
    expect(next.isActive).toBe(true);
    expect(next.afterMs).toBeGreaterThan(600);
    const activations = activationsOf(server);

    const leftAt = performance.now();
    await viewer.close();
    await untilState(service, 'inactive');
    expect(performance.now() - leftAt).toBeGreaterThan(lingerMs / 2);
    expect(all.map(({ active }) => active)).toEqual([false, false, false]);

    viewer = await watch(service);
    await untilShown(viewer, truthOf(...all));
    expect(activationsOf(server)).toBeGreaterThan(activations);
    // A resync alone brings what was lost.
    await server.open(`lost-${i}`, { lose: true });
    await untilShown(viewer, truthOf(...all));
    // Whoever lost a post is asked for snapshots in place of probes, until one arrives.
    await server.open(`heard-${i}`);
    await untilShown(viewer, truthOf(...all));
    // Of who hangs that is said, and its counts go; probes find out that it is back.
    hung.respond({ kind: 'hang' });
    hung.respond({ kind: 'hang', to: 'health' });
    await untilServer(viewer, hung, ['stale']);
    await untilServer(viewer, hung, ['unreachable']);
    await untilShown(viewer, truthOf(server, asking));
    recover(hung);
    await untilServer(viewer, hung, ['live']);
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
}, 120_000);

const noteConnection = (
  { connections }: Pick<ReturnType<typeof tablesOf>, 'connections'>,
  roomName: string,
  atMs: number,
) => connections.put({ id: roomName, roomName, timestamp: new Date(atMs).toISOString() });
