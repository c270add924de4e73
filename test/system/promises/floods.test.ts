import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import {
  activationsOf,
  getJson,
  noResync,
  owns,
  post,
  serversOf,
  startDouble,
  startStaged,
  stateOf,
  statesSaid,
  untilState,
  wishesOf,
} from '../../support/stage.js';
import { startUnresponsivePorts } from '../../support/unresponsivePorts.js';
import { calm, expectUnaffected, startWatched } from '../../support/watchedService.js';

describe('promise 7, unbreakable from outside: floods', () => {
  test('of posts without a token have a server set right at most once', async () => {
    const { double, service, viewer } = await startWatched();
    const puts = activationsOf(double);
    const since = performance.now();
    const posts = Array.from({ length: 300 }, () =>
      post(`${service.url}/api/events?token=x`, '{"room":"fake","add":1}'),
    );
    await Promise.all(posts);
    await expectUnaffected(service, viewer, double);
    // On a busy machine they last for longer than the 2 s in which once is what is allowed.
    const allowed = 1 + Math.floor((performance.now() - since) / 2000);
    expect(activationsOf(double) - puts).toBeGreaterThanOrEqual(1);
    expect(activationsOf(double) - puts).toBeLessThanOrEqual(allowed);
  });

  test('of bad bodies under a valid token are evidence at most once in 2 s', async () => {
    const { double, service, viewer } = await startWatched();
    const puts = activationsOf(double);
    const since = performance.now();
    const posts = Array.from({ length: 300 }, () => post(double.eventsUrl ?? '', '{"add":"fake"}'));
    await Promise.all(posts);
    await expectUnaffected(service, viewer, double);
    const allowed = 1 + Math.floor((performance.now() - since) / 2000);
    expect(activationsOf(double) - puts).toBeLessThanOrEqual(allowed);
  });

  test("of start-up queries from a server's address are evidence at most once in 2 s", async () => {
    const { double, service, viewer } = await startWatched();
    const puts = activationsOf(double);
    const since = performance.now();
    const ask = () => getJson(`${service.url}/api/events/clients?port=${double.port}`);
    await Promise.all(Array.from({ length: 300 }, ask));
    await expectUnaffected(service, viewer, double);
    // Each is confirmed a request timeout later.
    const allowed = 2 + Math.floor((performance.now() - since) / 2000);
    expect(activationsOf(double) - puts).toBeLessThanOrEqual(allowed);
  });

  test('of start-up queries in the name of many servers fill a bounded list that nobody is shown', async () => {
    const double = await startDouble();
    const service = await startStaged([double], calm);
    // Nobody looks: nothing is sent to any of them.
    for (let port = 2000; port < 3200; port += 100) {
      const ask = (_: unknown, i: number) =>
        getJson(`${service.url}/api/events/clients?port=${port + i}`);
      await Promise.all(Array.from({ length: 100 }, ask));
    }
    const { roster } = service.actor.getSnapshot().context;
    expect(roster.candidates).toBeLessThanOrEqual(1024);
    expect((await serversOf(service)).map(({ id }) => id)).toEqual([double.id]);
    expect(await stateOf(service)).toMatchObject({ servers: 1, state: 'inactive' });
    expect(wishesOf(double)).toHaveLength(1);
  });

  test('of candidates that are none do not delay the numbers, nor make them incomplete', async () => {
    const { double, service, viewer } = await startWatched({ ...noResync });
    // Ports that nobody but the system may listen on, and nobody does.
    for (let port = 1; port < 20; port += 1)
      await getJson(`${service.url}/api/events/clients?port=${port}`);
    await expectUnaffected(service, viewer, double);
    expect(await stateOf(service)).toMatchObject({ servers: 2, complete: true, state: 'active' });
    await eventually(() => expect(service.actor.getSnapshot().context.roster.candidates).toBe(0));
  });

  test('of candidates that hang leave every server live, asked in time, and its numbers right', async () => {
    const times = { ...noResync, PROBE_INTERVAL_MS: '1000', REQUEST_TIMEOUT_MS: '2500' };
    const { double, other, service, viewer } = await startWatched(times);
    const hung = await startUnresponsivePorts(1000);
    const before = double.requests.length;
    const ask = ({ port }: { port: number }) =>
      getJson(`${service.url}/api/events/clients?port=${port}`);
    for (let i = 0; i < hung.length; i += 50) await Promise.all(hung.slice(i, i + 50).map(ask));
    await eventually(
      () => {
        expect(hung.every(({ asked }) => asked > 0)).toBe(true);
        expect(double.requests.length).toBeGreaterThan(before + 6);
      },
      { withinMs: 45_000 },
    );
    await expectUnaffected(service, viewer, double);
    // Its counts are taken away when it is said to be unreachable, and not before.
    for (const { id } of [double, other])
      expect(statesSaid(viewer, id)).not.toContain('unreachable');
    expect(await stateOf(service)).toMatchObject({ servers: 2, complete: true, state: 'active' });
  }, 120_000);

  test('of viewers that vanish without a word leave nothing behind', async () => {
    const { double, other, service, viewer } = await startWatched({ ...calm, LINGER_MS: '0' });
    const { hostname, port } = new URL(service.url);
    const sockets = Array.from({ length: 100 }, () => {
      const socket = owns(connect(Number(port), hostname), (it) => it.destroy());
      socket.on('error', () => {});
      socket.write('GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
      return socket;
    });
    await eventually(async () => expect((await stateOf(service)).viewers).toBe(101));
    for (const socket of sockets) socket.resetAndDestroy();
    await eventually(async () => expect((await stateOf(service)).viewers).toBe(1));
    await expectUnaffected(service, viewer, double);
    await viewer.close();
    await untilState(service, 'inactive');
    expect([double.active, other.active]).toEqual([false, false]);
  });
});
