import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import {
  activationsOf,
  calm,
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
import { expectUnaffected, startWatched } from '../../support/watchedService.js';
import { HeapClock } from '../../unit/machines/heapClock.js';

/** Evidence against a server has it asked at once, and then not for 2 s. */
const almost2SecondsMs = 1900;

describe('promise 7, unbreakable from outside: floods', () => {
  test('of posts without a token have a server asked once in 2 s', async () => {
    const clock = new HeapClock();
    const { double, service, viewer } = await startWatched(calm, { clock });
    const puts = activationsOf(double);
    const posts = Array.from({ length: 300 }, () =>
      post(`${service.url}/api/events?token=x`, '{"room":"fake","add":1}'),
    );
    await Promise.all(posts);
    clock.advance(almost2SecondsMs);
    await expectUnaffected(service, viewer, double);
    await eventually(() => expect(activationsOf(double) - puts).toBe(1));
  });

  test('of bad bodies under a valid token have a server asked once in 2 s', async () => {
    const clock = new HeapClock();
    const { double, service, viewer } = await startWatched(calm, { clock });
    const puts = activationsOf(double);
    const posts = Array.from({ length: 300 }, () => post(double.eventsUrl ?? '', '{"add":"fake"}'));
    await Promise.all(posts);
    clock.advance(almost2SecondsMs);
    await expectUnaffected(service, viewer, double);
    await eventually(() => expect(activationsOf(double) - puts).toBe(1));
  });

  test("of start-up queries from a server's address have it asked once in 2 s", async () => {
    const clock = new HeapClock();
    const { double, service, viewer } = await startWatched(calm, { clock });
    const puts = activationsOf(double);
    const ask = () => getJson(`${service.url}/api/events/clients?port=${double.port}`);
    await Promise.all(Array.from({ length: 300 }, ask));
    clock.advance(almost2SecondsMs);
    await expectUnaffected(service, viewer, double);
    await eventually(() => expect(activationsOf(double) - puts).toBe(1));
  });

  test('of start-up queries in the name of many servers fill a bounded list that viewers do not see', async () => {
    const double = await startDouble();
    const service = await startStaged([double], calm);
    // Without a viewer nothing is sent to any of them.
    for (let port = 2000; port < 3200; port += 100) {
      const ask = (_: unknown, i: number) =>
        getJson(`${service.url}/api/events/clients?port=${port + i}`);
      await Promise.all(Array.from({ length: 100 }, ask));
    }
    const { roster } = service.activation.getSnapshot().context;
    expect(roster.candidates).toBeLessThanOrEqual(1024);
    expect((await serversOf(service)).map(({ id }) => id)).toEqual([double.id]);
    expect(await stateOf(service)).toMatchObject({ servers: 1, state: 'inactive' });
    expect(wishesOf(double)).toHaveLength(1);
  });

  test('of candidates that are no servers neither delay the counts nor make them incomplete', async () => {
    const { double, service, viewer } = await startWatched({ ...noResync });
    // Nothing listens on these ports.
    for (let port = 1; port < 20; port += 1)
      await getJson(`${service.url}/api/events/clients?port=${port}`);
    await expectUnaffected(service, viewer, double);
    expect(await stateOf(service)).toMatchObject({ servers: 2, complete: true, state: 'active' });
    await eventually(() =>
      expect(service.activation.getSnapshot().context.roster.candidates).toBe(0),
    );
  });

  test('of candidates that hang leave every server live, asked in time, and its counts exact', async () => {
    // Behind a thousand that hang for 20 s each, 16 at a time, a server would wait for twenty minutes.
    const times = { ...noResync, PROBE_INTERVAL_MS: '3000', REQUEST_TIMEOUT_MS: '20000' };
    const { double, other, service, viewer } = await startWatched(times);
    const hung = await startUnresponsivePorts(1000);
    const before = double.requests.length;
    const ask = ({ port }: { port: number }) =>
      getJson(`${service.url}/api/events/clients?port=${port}`);
    for (let i = 0; i < hung.length; i += 50) await Promise.all(hung.slice(i, i + 50).map(ask));
    await eventually(
      () => {
        expect(hung.every(({ connections }) => connections > 0)).toBe(true);
        expect(double.requests.length).toBeGreaterThan(before + 3);
      },
      { withinMs: 120_000 },
    );
    await expectUnaffected(service, viewer, double);
    // Counts are dropped when a server becomes unreachable, and not before.
    for (const { id } of [double, other])
      expect(statesSaid(viewer, id)).not.toContain('unreachable');
    expect(await stateOf(service)).toMatchObject({ servers: 2, complete: true, state: 'active' });
  });

  test('of viewers whose connections are reset leave nothing behind', async () => {
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
