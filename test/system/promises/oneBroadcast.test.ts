import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { connectTo, nth, sharedFleet, untilTrue } from '../../support/fleet.js';
import {
  activationsOf,
  noResync,
  patient,
  serversOf,
  startDouble,
  startStaged,
  stateOf,
  untilShown,
  untilState,
  watch,
  watchMaps,
} from '../../support/stage.js';

const long = { LINGER_MS: '60000', ...noResync, ...patient };

async function startDoubles(count: number) {
  return Promise.all(Array.from({ length: count }, () => startDouble()));
}

describe('promise 2, one broadcast', () => {
  test('the first viewer activates each server once, also those after the first slice', async () => {
    const doubles = await startDoubles(60);
    const service = await startStaged(doubles, long);
    const viewer = await watch(service);
    await untilState(service, 'watched');
    expect(doubles.map(activationsOf)).toEqual(doubles.map(() => 1));
    expect(doubles.every(({ active }) => active)).toBe(true);
    // Each has its own URL, which identifies the server of a delta.
    expect(new Set(doubles.map(({ eventsUrl }) => eventsUrl)).size).toBe(doubles.length);
    await Promise.all(doubles.map((double) => double.open('r')));
    await untilShown(viewer, { r: doubles.length });
    expect(doubles.map(activationsOf)).toEqual(doubles.map(() => 1));
  });

  test('a second viewer of either stream activates no server', async () => {
    const doubles = await startDoubles(2);
    const service = await startStaged(doubles, long);
    await watch(service);
    await untilState(service, 'watched');
    await nth(doubles, 0).open('r');
    const [second, third] = [await watch(service), await watchMaps(service)];
    await nth(doubles, 1).open('r');
    for (const viewer of [second, third]) await untilShown(viewer, { r: 2 });
    expect(doubles.map(activationsOf)).toEqual([1, 1]);
  });

  test('a second viewer during the activation activates no server again', async () => {
    const double = await startDouble();
    const service = await startStaged([double], long);
    double.rooms.set('r', 3);
    double.respond({ kind: 'hang' });
    await watch(service);
    await eventually(() => expect(activationsOf(double)).toBe(1));
    const second = await watch(service);
    await eventually(async () => expect((await stateOf(service)).viewers).toBe(2));
    double.release();
    await untilShown(second, { r: 3 });
    expect(activationsOf(double)).toBe(1);
  });

  test('leaving and returning within the linger time sends nothing', async () => {
    const doubles = await startDoubles(2);
    const service = await startStaged(doubles, { ...long, PROBE_INTERVAL_MS: '60000' });
    const first = await watch(service);
    await untilState(service, 'watched');
    const before = doubles.map(({ requests }) => requests.length);
    let viewer = first;
    for (let times = 0; times < 3; times += 1) {
      await viewer.close();
      await untilState(service, 'lingering');
      viewer = await watch(service);
      await untilState(service, 'watched');
    }
    await Promise.all(doubles.map((double) => double.open('r')));
    await untilShown(viewer, { r: 2 });
    expect(doubles.map(({ requests }) => requests.length)).toEqual(before);
  });

  test('changes during the linger time are shown to a viewer who returns', async () => {
    const double = await startDouble();
    const service = await startStaged([double], long);
    const first = await watchMaps(service);
    await untilState(service, 'watched');
    await first.close();
    await untilState(service, 'lingering');
    expect(await double.open('r')).toEqual({ status: 204 });
    const second = await watchMaps(service);
    await untilShown(second, { r: 1 });
    expect(activationsOf(double)).toBe(1);
  });
});

describe('promise 2, one broadcast: real servers', () => {
  const fleet = sharedFleet(2);

  test('keep the epoch of one activation while viewers come, leave and return', async () => {
    const service = await startStaged(fleet, long);
    const first = await watch(service);
    await untilState(service, 'watched');
    const epochs = async () => (await serversOf(service)).map(({ epoch }) => epoch);
    const before = await epochs();
    const connection = await connectTo(nth(fleet, 0), 'r');
    const second = await watch(service);
    await untilShown(second, { r: 1 });
    await first.close();
    await second.close();
    await untilState(service, 'lingering');
    await connection.close();
    await connectTo(nth(fleet, 1), 'back');
    const third = await watch(service);
    await untilShown(third, { back: 1 });
    await untilTrue(third, fleet);
    expect(await epochs()).toEqual(before);
    expect(before.every((epoch) => epoch !== null)).toBe(true);
  });
});
