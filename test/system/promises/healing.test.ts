import { describe, expect, test } from '@jest/globals';
import { freePort, startService } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import { connectTo, editIn, nth, sharedFleet, startReal, untilTrue } from '../../support/fleet.js';
import {
  noResync,
  owns,
  recover,
  serversOf,
  startDouble,
  startStaged,
  stateOf,
  untilServer,
  untilShown,
  untilState,
  watch,
  wishesOf,
} from '../../support/stage.js';

const hurried = { isHurried: true };

/** Resolves when the service shows a server as silent. */
async function untilSilent(service: { url: string }, id: string): Promise<void> {
  await eventually(async () => {
    const row = (await serversOf(service)).find((server) => server.id === id);
    expect(row?.state).toBe('silent');
  });
}

describe('promise 6, self-healing: real servers', () => {
  const fleet = sharedFleet(2);

  test('a configured server that starts late is found without a start-up query', async () => {
    const port = await freePort();
    const service = await startStaged([...fleet, { id: `127.0.0.1:${port}` }], noResync, hurried);
    const viewer = await watch(service);
    await connectTo(nth(fleet, 0), 'r');
    await untilShown(viewer, { r: 1 });
    const late = await startReal({ port });
    await editIn(late, 'late');
    await untilShown(viewer, { r: 1, late: 1 });
    await eventually(() => expect(viewer.seen().complete).toBe(true));
  });

  test('an unknown server is found by its start-up query and shown', async () => {
    const service = await startStaged(fleet, noResync);
    const viewer = await watch(service);
    await untilState(service, 'watched');
    const found = await startReal({ dashboardUrl: service.url });
    await editIn(found, 'found');
    await untilShown(viewer, { found: 1 });
    expect((await stateOf(service)).servers).toBe(3);
    await untilServer(viewer, found.id, 'live');
  });

  test('a restart between two probes is noticed by the start-up query', async () => {
    const victim = await startReal({ port: await freePort() });
    const env = { ...noResync, PROBE_INTERVAL_MS: '60000' };
    const service = await startStaged([victim], env);
    const viewer = await watch(service);
    await connectTo(victim, 'before');
    await untilShown(viewer, { before: 1 });
    await victim.kill();
    const again = await startReal({ port: victim.port, dashboardUrl: service.url });
    await connectTo(again, 'after');
    await untilShown(viewer, { after: 1 });
  });

  test('a service is killed while servers are active: the next one is exact for a viewer who comes back', async () => {
    const port = await freePort();
    const pubSubServers = fleet.map(({ id }) => id);
    const killed = await startService({ port, pubSubServers });
    owns(killed, ({ stop }) => stop());
    const first = await watch(killed);
    await connectTo(nth(fleet, 0), 'over');
    await untilShown(first, { over: 1 });
    process.kill(killed.pid, 'SIGKILL');
    await killed.exited;
    const left = await connectTo(nth(fleet, 1), 'between');
    await connectTo(nth(fleet, 1), 'between');
    const service = await startStaged(fleet, { ...noResync, PORT: String(port) }, hurried);
    const second = await watch(service);
    await left.close();
    await untilShown(second, { over: 1, between: 1 });
    await untilTrue(second, fleet);
  });

  test('a service is killed while servers are active: without a viewer, the next one silences them', async () => {
    const port = await freePort();
    const killed = await startService({ port, pubSubServers: fleet.map(({ id }) => id) });
    owns(killed, ({ stop }) => stop());
    const viewer = await watch(killed);
    await eventually(() => expect(viewer.seen().complete).toBe(true));
    process.kill(killed.pid, 'SIGKILL');
    await killed.exited;
    const service = await startStaged(fleet, { ...noResync, PORT: String(port) });
    for (const { id } of fleet) await untilSilent(service, id);
    const heard = async () => (await serversOf(service)).map(({ lastHeardAt }) => lastHeardAt);
    const before = await heard();
    await connectTo(nth(fleet, 0), 'unseen');
    await connectTo(nth(fleet, 1), 'unseen');
    // A server would post its delta before it answers this.
    await Promise.all(fleet.map((server) => server.connections()));
    expect(await heard()).toEqual(before);
    expect(await stateOf(service)).toMatchObject({ state: 'inactive', connections: null });
  });
});

describe('promise 6, self-healing: left active by an earlier run', () => {
  const earlier = (url: string) => `${url}/api/events?token=of.an-earlier-run`;

  test('a known server is silenced when the service starts', async () => {
    const double = await startDouble();
    double.active = true;
    double.eventsUrl = 'http://127.0.0.1:1/api/events?token=x';
    await startStaged([double]);
    expect(double.active).toBe(false);
  });

  test('an unknown one is silenced at its first delta, which is not counted', async () => {
    const double = await startDouble();
    const service = await startStaged([], { PUBSUB_PORT: String(double.port) });
    double.active = true;
    double.eventsUrl = earlier(service.url);
    expect(await double.open('r')).toEqual({ status: 404 });
    await eventually(() => expect(double.active).toBe(false));
    expect(wishesOf(double)).toMatchObject([{ active: false }]);
    const viewer = await watch(service);
    await untilShown(viewer, { r: 1 });
    await double.open('r');
    await untilShown(viewer, { r: 2 });
  });

  test('a known one that posts to its old URL is activated again while there is a viewer', async () => {
    const double = await startDouble();
    const service = await startStaged([double], noResync);
    const viewer = await watch(service);
    await untilState(service, 'watched');
    double.eventsUrl = earlier(service.url);
    expect(await double.open('r')).toEqual({ status: 404 });
    await untilShown(viewer, { r: 1 });
    expect(await double.open('r')).toEqual({ status: 204 });
    await untilShown(viewer, { r: 2 });
  });

  test('one that missed five requests to be silent is silenced when it posts, and exact for the next viewer', async () => {
    const double = await startDouble();
    double.active = true;
    double.respond({ kind: 'reset' });
    const service = await startStaged([double], noResync);
    expect(wishesOf(double)).toHaveLength(5);
    recover(double);
    double.eventsUrl = earlier(service.url);
    await double.open('r');
    await eventually(() => expect(double.active).toBe(false));
    await double.open('r');
    const viewer = await watch(service);
    await untilShown(viewer, { r: 2 });
    expect(await double.close('r')).toEqual({ status: 204 });
    await untilShown(viewer, { r: 1 });
  });
});

describe('promise 6, self-healing: a deactivation that was lost', () => {
  test('then traffic, then a viewer: no connection is counted twice or missing', async () => {
    const double = await startDouble();
    const service = await startStaged([double], { ...noResync, LINGER_MS: '0' });
    const first = await watch(service);
    await double.open('r');
    await untilShown(first, { r: 1 });
    double.respond({ kind: 'reset' });
    await first.close();
    await eventually(() => expect(wishesOf(double).at(-1)?.active).toBe(false));
    // It is still active, and posts under the token of the activation that is over.
    expect(await double.open('r')).toEqual({ status: 204 });
    expect(await double.open('s')).toEqual({ status: 204 });
    recover(double);
    const second = await watch(service);
    await untilShown(second, { r: 2, s: 1 });
    await double.close('s');
    await untilShown(second, { r: 2 });
  });

  test('then traffic and no viewer: the server is silenced', async () => {
    const double = await startDouble();
    const service = await startStaged([double], { ...noResync, LINGER_MS: '0' });
    const viewer = await watch(service);
    await untilState(service, 'watched');
    double.respond({ kind: 'reset' });
    await viewer.close();
    await untilState(service, 'inactive');
    recover(double);
    expect(double.active).toBe(true);
    expect(await double.open('r')).toEqual({ status: 204 });
    await eventually(() => expect(double.active).toBe(false));
  });
});
