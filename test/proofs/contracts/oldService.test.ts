import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { freePort, startService } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import { connectTo, editIn, nth, sharedFleet, startReal } from '../../support/fleet.js';
import {
  activationsOf,
  getJson,
  noResync,
  owns,
  post,
  startDouble,
  startStaged,
  stateOf,
  truthOf,
  untilShown,
  untilState,
  watch,
  watchMaps,
} from '../../support/stage.js';

/** Without resyncs only evidence can correct a count. The timeouts are long enough for a busy machine. */
const alone = { ...noResync, REQUEST_TIMEOUT_MS: '3000', PROBE_INTERVAL_MS: '1000' };

describe('what the old service got wrong', () => {
  const fleet = sharedFleet(2);

  test('a delta arrives before the answer with its snapshot, and the activation is retried', async () => {
    const double = await startDouble();
    const service = await startStaged([double], alone);
    double.rooms.set('r', 1);
    double.respond({ kind: 'hang', effect: 'onArrival', times: 1 });
    const first = await watchMaps(service);
    await eventually(() => expect(double.active).toBe(true));
    await double.open('r');
    double.release();
    await untilShown(first, { r: 2 });
    await first.close();
    await untilState(service, 'inactive');
    double.respond({ kind: 'reset', effect: 'onArrival', times: 1 });
    const second = await watchMaps(service);
    await eventually(() => expect(double.active).toBe(true));
    await double.open('r');
    await untilShown(second, { r: 3 });
    await double.close('r');
    await untilShown(second, { r: 2 });
  });

  test('the service is restarted while servers are active', async () => {
    const port = await freePort();
    const old = await startService({ port, pubSubServers: fleet.map(({ id }) => id) });
    owns(old, ({ stop }) => stop());
    const before = await watch(old);
    const connection = await connectTo(nth(fleet, 0), 'restart');
    await untilShown(before, { restart: 1 });
    process.kill(old.pid, 'SIGKILL');
    await old.exited;
    const service = await startStaged(fleet, { ...alone, PORT: String(port) });
    await connection.close();
    await connectTo(nth(fleet, 1), 'restart');
    expect(await stateOf(service)).toMatchObject({ state: 'inactive', connections: null });
    const viewer = await watchMaps(service);
    await untilShown(viewer, { restart: 1 });
    for (const { data } of viewer.messages) expect(['{}', '{"restart":1}']).toContain(data);
  });

  test('connections open while the last viewer leaves', async () => {
    const service = await startStaged(fleet, { ...alone, LINGER_MS: '0' });
    for (let times = 0; times < 8; times += 1) {
      const leaving = await watchMaps(service);
      await untilState(service, 'watched');
      const opened = [1, 2, 3].map(() => connectTo(nth(fleet, times % 2), 'under-way'));
      await Promise.all([leaving.close(), ...opened]);
      const viewer = await watchMaps(service);
      await untilShown(viewer, { 'under-way': 3 * (times + 1) });
      await viewer.close();
    }
  });

  test('viewers come and go with jitter', async () => {
    const service = await startStaged(fleet, { ...alone, LINGER_MS: '0' });
    await connectTo(nth(fleet, 0), 'flap');
    for (let times = 0; times < 8; times += 1) {
      const flapping = await watchMaps(service);
      // The jitter is under test.
      await new Promise((resolve) => setTimeout(resolve, times * 3));
      const [staying] = await Promise.all([watchMaps(service), flapping.close()]);
      const connection = await connectTo(nth(fleet, 1), 'flap');
      await untilShown(staying, { flap: 2 });
      await connection.close();
      await untilShown(staying, { flap: 1 });
      await staying.close();
    }
  });

  test('a pub-sub server hangs', async () => {
    const [hung, well] = [await startDouble(), await startDouble()];
    const service = await startStaged([hung, well], { ...alone, REQUEST_TIMEOUT_MS: '60000' });
    well.rooms.set('r', 1);
    hung.respond({ kind: 'hang' });
    const viewer = await watchMaps(service);
    expect(viewer.status).toBe(200);
    await untilShown(viewer, { r: 1 });
    expect(hung.active).toBe(false);
  });

  test('a second viewer comes during the activation', async () => {
    const double = await startDouble();
    const service = await startStaged([double], alone);
    double.rooms.set('r', 1);
    double.respond({ kind: 'hang', times: 1 });
    await watchMaps(service);
    await eventually(() => expect(activationsOf(double)).toBe(1));
    const second = await watchMaps(service);
    double.release();
    await untilShown(second, { r: 1 });
  });

  test('the viewer leaves during the activation', async () => {
    const double = await startDouble();
    const service = await startStaged([double], alone);
    double.respond({ kind: 'hang', times: 1 });
    const viewer = await watchMaps(service);
    await eventually(() => expect(activationsOf(double)).toBe(1));
    await viewer.close();
    double.release();
    await untilState(service, 'inactive');
    expect(double.active).toBe(false);
  });

  test('pub-sub servers are killed or stopped', async () => {
    const [killed, stopped] = [await startReal(), await startReal()];
    const service = await startStaged([...fleet, killed, stopped], noResync);
    const viewer = await watchMaps(service);
    for (const server of [killed, stopped, nth(fleet, 0)]) await connectTo(server, 'gone');
    await untilShown(viewer, { gone: 3 });
    await killed.kill();
    await untilShown(viewer, { gone: 2 });
    await stopped.stop();
    await untilShown(viewer, { gone: 1 });
  });

  test('a server is restarted, and its clients return before its start-up query', async () => {
    const double = await startDouble();
    const victim = await startReal();
    const service = await startStaged([double, victim], { ...alone, PROBE_INTERVAL_MS: '60000' });
    const viewer = await watchMaps(service);
    await double.open('scripted');
    await editIn(victim, 'real');
    await untilShown(viewer, { scripted: 1, real: 1 });
    double.restart();
    await double.open('scripted');
    await double.askAtStartup(service.url);
    await victim.kill();
    const again = await startReal({ port: victim.port, dashboardUrl: service.url });
    await eventually(async () => expect((await again.connections()).real).toBe(1));
    await connectTo(again, 'real');
    await double.open('scripted');
    await untilShown(viewer, { scripted: 2, real: 2 });
  });

  test('a post is lost', async () => {
    const double = await startDouble();
    const service = await startStaged([double], { RESYNC_INTERVAL_MS: '500' });
    const viewer = await watchMaps(service);
    await untilState(service, 'watched');
    await double.open('r', { lose: true });
    await untilShown(viewer, { r: 1 });
    await double.close('r', { lose: true });
    await untilShown(viewer, {});
  });

  test('rooms are called `__proto__` and `constructor`', async () => {
    const service = await startStaged(fleet, alone);
    for (const room of ['a', '__proto__', 'constructor', 'z']) await connectTo(nth(fleet, 0), room);
    const viewer = await watchMaps(service);
    const shown = (constructors: number) =>
      Object.fromEntries([
        ['__proto__', 1],
        ['a', 1],
        ['constructor', constructors],
        ['z', 1],
      ]);
    await untilShown(viewer, shown(1));
    await connectTo(nth(fleet, 0), 'constructor');
    await untilShown(viewer, shown(2));
  });

  test('many viewers come in the same millisecond', async () => {
    const service = await startStaged(fleet, alone);
    const viewers = await Promise.all(Array.from({ length: 20 }, () => watchMaps(service)));
    await untilState(service, 'watched');
    const leaving = viewers.splice(0, 10);
    await Promise.all(leaving.map((viewer) => viewer.close()));
    await eventually(async () => expect((await stateOf(service)).viewers).toBe(10));
    await connectTo(nth(fleet, 0), 'r');
    for (const viewer of viewers) await untilShown(viewer, { r: 1 });
  });

  test('an unknown room is requested, and the store fails', async () => {
    const service = await startStaged(fleet, alone, {
      openStore: () => Promise.reject('no store'),
    });
    const viewer = await watchMaps(service);
    for (const name of ['nowhere', '..%2f', '%', 'a=b', '']) {
      const { status } = await fetch(`${service.url}/api/rooms/${name}`);
      expect([404, 503]).toContain(status);
    }
    expect((await fetch(`${service.url}/api/rooms`)).status).toBeGreaterThanOrEqual(200);
    await connectTo(nth(fleet, 1), 'r');
    await untilShown(viewer, { r: 1 });
    expect(await getJson(`${service.url}/health`)).toEqual({ status: 'ok' });
  });

  test('strangers post large counts, and servers post counts that are no integers', async () => {
    const double = await startDouble();
    const service = await startStaged([double], alone);
    const viewer = await watchMaps(service);
    await double.open('r');
    await untilShown(viewer, { r: 1 });
    const bad = ['1000000', 'NaN', 'null', '{}', '"1"', '1.5', '[1]', '1e999'];
    for (const url of [`${service.url}/api/events`, double.eventsUrl ?? '']) {
      for (const add of bad) {
        const { status } = await post(url, `{"room":"fake","add":${add}}`);
        expect([400, 404]).toContain(status);
      }
    }
    expect((await post(`${service.url}/api/events`, '{"room":"fake","add":1}')).status).toBe(404);
    await double.open('r');
    await untilShown(viewer, truthOf(double));
    for (const { data } of viewer.messages) expect(data).not.toContain('fake');
  });

  test('a viewer stops reading', async () => {
    const double = await startDouble();
    const service = await startStaged([double], { ...alone, FRAME_INTERVAL_MS: '0' });
    const { hostname, port } = new URL(service.url);
    const stalled = owns(connect(Number(port), hostname), (it) => it.destroy());
    stalled.on('error', () => {});
    stalled.write('GET /api/events?stream=changes HTTP/1.1\r\nHost: localhost\r\n\r\n');
    stalled.pause();
    const reading = await watch(service);
    await untilState(service, 'watched');
    // Each frame has all these rooms, and 900 kB.
    const rooms = Array.from({ length: 60 }, (_, i) => `${i}-${'x'.repeat(15_000)}`);
    const frames = 60;
    for (let frame = 1; frame <= frames; frame += 1) {
      const deltas = rooms.map((room) => ({ room, add: 1 }));
      expect((await post(double.eventsUrl ?? '', JSON.stringify(deltas))).status).toBe(204);
      await eventually(() => expect(reading.rooms()[rooms[0] ?? '']).toBe(frame));
    }
    // The kernel buffers some of these 54 MB. The rest must not be queued for the stalled viewer.
    let received = 0;
    let tail = '';
    stalled.on('data', (chunk: Buffer) => {
      received += chunk.length;
      tail = (tail + chunk.toString('latin1')).slice(-2_000_000);
    });
    stalled.resume();
    // When it reads again it receives the present counts.
    await eventually(() => expect(tail).toMatch(/-x{15000}":60[,}]/));
    expect(received).toBeLessThan((frames / 2) * 900_000);
  });
});
