import { describe, expect, test } from '@jest/globals';
import type { Store } from '../../../server/store/store.js';
import { eventually } from '../../support/eventually.js';
import { connectTo, nth, sharedFleet } from '../../support/fleet.js';
import {
  activationsOf,
  noResync,
  patient,
  putsOf,
  startDouble,
  startStaged,
  stateOf,
  statesSaid,
  untilShown,
  untilState,
  watch,
  watchMaps,
} from '../../support/stage.js';
import { startUnresponsivePorts, type UnresponsivePort } from '../../support/unresponsivePorts.js';

/** Anything that waited for a hung server would wait for ever. */
const endless = { ...patient, ...noResync, PROBE_INTERVAL_MS: '60000' };

async function startDoubles(count: number) {
  return Promise.all(Array.from({ length: count }, () => startDouble()));
}

const idsOf = (hung: readonly UnresponsivePort[]) =>
  hung.map(({ port }) => ({ id: `127.0.0.1:${port}` }));

describe('promise 3, nobody waits', () => {
  test('a viewer has headers and a first frame while every server hangs', async () => {
    const doubles = await startDoubles(3);
    const service = await startStaged(doubles, endless);
    for (const double of doubles) double.respond({ kind: 'hang' });
    for (const open of [watchMaps, watch]) {
      const viewer = await open(service);
      expect(viewer.status).toBe(200);
      expect(viewer.headers.get('content-type')).toMatch(/^text\/event-stream/);
      await eventually(() => expect(viewer.messages.length).toBeGreaterThan(0));
      expect(viewer.rooms()).toEqual({});
    }
    await eventually(() => expect(doubles.map(activationsOf)).toEqual([1, 1, 1]));
    // None has answered: a hang takes effect with its answer.
    expect(doubles.map(({ active }) => active)).toEqual([false, false, false]);
    expect((await stateOf(service)).state).toBe('activating');
  });

  test('a viewer has a first frame while servers hang instead of becoming silent', async () => {
    const doubles = await startDoubles(2);
    for (const double of doubles) double.respond({ kind: 'hang' });
    const service = await startStaged(doubles, endless, { isHurried: true });
    await eventually(() => expect(doubles.map(({ requests }) => requests.length)).toEqual([1, 1]));
    const viewer = await watch(service);
    await eventually(() => expect(viewer.messages.length).toBeGreaterThan(0));
    await eventually(async () => expect((await stateOf(service)).viewers).toBe(1));
    expect(doubles.map(({ requests }) => requests.length)).toEqual([1, 1]);
  });

  test('the first frame is a whole map, sent before the machine learns of the viewer', async () => {
    const double = await startDouble();
    const service = await startStaged([double], endless);
    double.rooms.set('r', 1);
    const viewer = await watchMaps(service);
    await untilShown(viewer, { r: 1 });
    expect(viewer.messages.map(({ data }) => data)).toEqual(['{}', '{"r":1}']);
  });

  test('a hung server does not delay the counts and deltas of the others', async () => {
    const doubles = await startDoubles(3);
    const [hung, second, third] = [nth(doubles, 0), nth(doubles, 1), nth(doubles, 2)];
    const service = await startStaged(doubles, endless);
    for (const { rooms } of doubles) rooms.set('r', 1);
    hung.respond({ kind: 'hang' });
    const viewer = await watch(service);
    await untilShown(viewer, { r: 2 });
    await second.open('r');
    await third.close('r');
    await third.open('s');
    await untilShown(viewer, { r: 2, s: 1 });
    expect(hung.active).toBe(false);
    expect(viewer.seen()).toMatchObject({ state: 'activating', complete: false });
    hung.release();
    await untilShown(viewer, { r: 3, s: 1 });
    await eventually(() =>
      expect(viewer.seen()).toMatchObject({ state: 'active', complete: true }),
    );
  });

  test('hung servers, more than are asked at a time, do not delay the others', async () => {
    const hung = await startDoubles(40);
    const well = await startDoubles(3);
    const service = await startStaged([...hung, ...well], endless);
    for (const double of hung) double.respond({ kind: 'hang' });
    for (const { rooms } of well) rooms.set('r', 1);
    const viewer = await watch(service);
    await untilShown(viewer, { r: 3 });
    expect(hung.some(({ active }) => active)).toBe(false);
  });

  test('a server at another address is asked before all of the hundreds that hang', async () => {
    const hung = await startUnresponsivePorts(300);
    const well = await startDouble();
    well.rooms.set('r', 1);
    const named = { id: `localhost:${well.port}` };
    const service = await startStaged([...idsOf(hung), named], endless, { isHurried: true });
    const viewer = await watch(service);
    await untilShown(viewer, { r: 1 });
    await eventually(() => expect(hung.filter(({ connections }) => connections < 1)).toEqual([]));
    const activated = putsOf(well).find(({ body }) => body.includes('"active":true'));
    const askedBefore = hung.filter(({ firstAtMs = 0 }) => firstAtMs < (activated?.at ?? 0));
    expect(askedBefore.length).toBeLessThan(hung.length);
  });

  test('a server at the same address is asked in time while hundreds that hang are retried', async () => {
    const hung = await startUnresponsivePorts(700);
    const well = await startDouble();
    well.rooms.set('r', 1);
    // A server may be silent for 24 s before it is unreachable. Behind those that hang it would be for longer.
    const times = { ...noResync, PROBE_INTERVAL_MS: '3000', REQUEST_TIMEOUT_MS: '15000' };
    const service = await startStaged([...idsOf(hung), well], times, { isHurried: true });
    const viewer = await watch(service);
    await untilShown(viewer, { r: 1 });
    const before = well.requests.length;
    const saidBefore = statesSaid(viewer, well.id).length;
    await eventually(() => {
      expect(hung.filter(({ connections }) => connections < 2)).toEqual([]);
      expect(well.requests.length).toBeGreaterThan(before + 2);
    });
    await well.open('s');
    await untilShown(viewer, { r: 1, s: 1 });
    // Counts are dropped when a server becomes unreachable, and not before.
    expect(statesSaid(viewer, well.id).slice(saidBefore)).not.toContain('unreachable');
  });

  test('a server that hangs instead of becoming silent does not delay a returning viewer', async () => {
    const [hung, well] = [await startDouble(), await startDouble()];
    const service = await startStaged([hung, well], { ...endless, LINGER_MS: '0' });
    const first = await watch(service);
    await untilState(service, 'watched');
    hung.respond({ kind: 'hang' });
    await first.close();
    await eventually(() => expect(well.active).toBe(false));
    await well.open('r');
    const second = await watch(service);
    await untilShown(second, { r: 1 });
    expect((await stateOf(service)).state).toBe('activating');
  });

  test('a viewer that leaves while all servers hang is no longer counted', async () => {
    const double = await startDouble();
    const service = await startStaged([double], endless);
    double.respond({ kind: 'hang' });
    const viewer = await watch(service);
    await eventually(() => expect(activationsOf(double)).toBe(1));
    await viewer.close();
    await eventually(async () => expect((await stateOf(service)).viewers).toBe(0));
    expect(double.active).toBe(false);
  });
});

test('promise 3, nobody waits: a store that never answers delays no count', async () => {
  const never = () => new Promise<never>(() => {});
  const nothing = async function* () {
    yield await never();
  };
  const hungStore: Store = {
    rooms: { get: never, page: never, addresses: never },
    servers: { list: never, put: never, remove: never },
    connections: { put: never, since: nothing, newestFirst: nothing },
    close: async () => {},
  };
  const double = await startDouble();
  const service = await startStaged([double], endless, { openStore: async () => hungStore });
  const viewer = await watch(service);
  await untilShown(viewer, {});
  await double.open('r');
  await untilShown(viewer, { r: 1 });
});

describe('promise 3, nobody waits: real servers', () => {
  const fleet = sharedFleet(3);

  test('a suspended server does not delay the others', async () => {
    const [hung, second, third] = [nth(fleet, 0), nth(fleet, 1), nth(fleet, 2)];
    const service = await startStaged(fleet, endless);
    await connectTo(hung, 'hung');
    await connectTo(second, 'a');
    hung.suspend();
    try {
      const viewer = await watch(service);
      await untilShown(viewer, { a: 1 });
      await connectTo(third, 'b');
      await untilShown(viewer, { a: 1, b: 1 });
      expect(viewer.seen().complete).toBe(false);
      hung.resume();
      await untilShown(viewer, { a: 1, b: 1, hung: 1 });
    } finally {
      hung.resume();
    }
  });
});
