import { describe, expect, test } from '@jest/globals';
import { freePort } from '../../../server/demo/serviceChild.js';
import type { EventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { connectTo, nth, sharedFleet, startReal, untilTrue } from '../../support/fleet.js';
import {
  noResync,
  recover,
  serversOf,
  startDouble,
  startStaged,
  stateOf,
  untilServer,
  untilShown,
  watch,
  watchMaps,
} from '../../support/stage.js';
import { HeapClock } from '../../unit/machines/heapClock.js';

/** The states of a server that a viewer received, without repetitions. */
function toldStates(viewer: EventStream, id: string): string[] {
  const states: string[] = [];
  for (const { data, event } of viewer.messages) {
    const { servers = [] } = JSON.parse(data) as { servers?: { id: string; state: string }[] };
    if (event === undefined) continue;
    for (const server of servers)
      if (server.id === id && server.state !== states.at(-1)) states.push(server.state);
  }
  return states;
}

describe('promise 5, honest: real servers', () => {
  const fleet = sharedFleet(2);

  test('a killed server is stale, then unreachable without counts; it is live after a restart', async () => {
    const victim = await startReal({ port: await freePort() });
    const service = await startStaged([...fleet, victim], noResync);
    const [viewer, maps] = [await watch(service), await watchMaps(service)];
    await connectTo(nth(fleet, 0), 'shared');
    await connectTo(victim, 'shared');
    await connectTo(victim, 'own');
    for (const each of [viewer, maps]) await untilShown(each, { shared: 2, own: 1 });
    await eventually(() => expect(viewer.seen().complete).toBe(true));
    await victim.kill();
    await untilServer(viewer, victim.id, 'unreachable');
    await eventually(() => expect(viewer.seen().complete).toBe(false));
    for (const each of [viewer, maps]) await untilShown(each, { shared: 1 });
    await eventually(async () =>
      expect(await stateOf(service)).toMatchObject({ complete: false, rooms: 1, connections: 1 }),
    );
    const again = await startReal({ port: victim.port, dashboardUrl: service.url });
    await untilServer(viewer, again.id, 'live');
    await connectTo(again, 'own');
    await untilShown(maps, { shared: 1, own: 1 });
    await eventually(() => expect(viewer.seen().complete).toBe(true));
    expect(toldStates(viewer, victim.id).join()).toContain('live,stale,unreachable,live');
  });

  test('a server that hangs loses its counts, and returns with those of now', async () => {
    const [hung, well] = [nth(fleet, 0), nth(fleet, 1)];
    const service = await startStaged(fleet, noResync);
    const viewer = await watch(service);
    const leaver = await connectTo(hung, 'hung');
    await connectTo(hung, 'hung');
    await connectTo(well, 'well');
    await untilShown(viewer, { hung: 2, well: 1 });
    hung.suspend();
    try {
      await untilServer(viewer, hung.id, 'unreachable');
      // It was stale before, with its counts, as it might only be slow.
      expect(toldStates(viewer, hung.id).join()).toContain('live,stale,unreachable');
      await untilShown(viewer, { well: 1 });
      leaver.socket.terminate();
      hung.resume();
      await untilServer(viewer, hung.id, 'live');
      await untilTrue(viewer, fleet);
      await untilShown(viewer, { hung: 1, well: 1 });
    } finally {
      hung.resume();
    }
  });
});

/** More than the longest probe interval of `quick`, with jitter. */
const probeMs = 400;

describe('promise 5, honest', () => {
  test('a server is stale after the first missed answer, and its counts stay', async () => {
    const [double, other] = [await startDouble(), await startDouble()];
    // It becomes unreachable by time, and the clock stands still once it is stale.
    const clock = new HeapClock();
    const service = await startStaged([double, other], noResync, { clock });
    double.rooms.set('r', 2);
    const viewer = await watch(service);
    await untilShown(viewer, { r: 2 });
    double.respond({ kind: 'reset' });
    double.respond({ kind: 'reset', to: 'health' });
    clock.advance(probeMs);
    await untilServer(viewer, double.id, 'stale');
    const row = (await serversOf(service)).find(({ id }) => id === double.id);
    expect(row).toMatchObject({ state: 'stale', rooms: 1, connections: 2 });
    expect((await stateOf(service)).complete).toBe(false);
    expect(viewer.rooms()).toEqual({ r: 2 });
    recover(double);
    clock.advance(probeMs);
    await untilServer(viewer, double.id, 'live');
    await eventually(async () => expect((await stateOf(service)).complete).toBe(true));
    expect(toldStates(viewer, double.id)).not.toContain('unreachable');
  });

  test('a server that posts but does not answer is unreachable', async () => {
    const double = await startDouble();
    const service = await startStaged([double], noResync);
    const viewer = await watch(service);
    await double.open('r');
    await untilShown(viewer, { r: 1 });
    double.respond({ kind: 'status' });
    double.respond({ kind: 'status', to: 'health' });
    await untilServer(viewer, double.id, 'unreachable');
    await untilShown(viewer, {});
    await double.open('r');
    recover(double);
    await untilServer(viewer, double.id, 'live');
    await untilShown(viewer, { r: 2 });
  });

  test('totals are incomplete until the last server answers, and while one never does', async () => {
    const [silent, well] = [await startDouble(), await startDouble()];
    const service = await startStaged([silent, well]);
    silent.respond({ kind: 'status' });
    silent.respond({ kind: 'status', to: 'health' });
    const viewer = await watch(service);
    await untilServer(viewer, well.id, 'live');
    await untilServer(viewer, silent.id, 'unreachable');
    expect(viewer.seen().complete).toBe(false);
    expect(await stateOf(service)).toMatchObject({ state: 'active', servers: 2, complete: false });
    expect(viewer.messages.some(({ data }) => JSON.parse(data).complete === true)).toBe(false);
  });

  test('each server is shown with the time it was last heard from', async () => {
    const double = await startDouble();
    const service = await startStaged([double], noResync);
    const heard = async () => (await serversOf(service))[0]?.lastHeardAt ?? '';
    await watch(service);
    await eventually(async () => expect(await heard()).not.toBe(''));
    const before = await heard();
    await eventually(async () => expect((await heard()) > before).toBe(true));
  });
});
