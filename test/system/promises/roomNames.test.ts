import { describe, expect, test } from '@jest/globals';
import type { BareConnection } from '../../../server/demo/openConnection.js';
import type { ServerProcess } from '../../../server/demo/pubSubFleet.js';
import { eventually } from '../../support/eventually.js';
import { connectTo, editIn, nth, sharedFleet } from '../../support/fleet.js';
import {
  noResync,
  startDouble,
  startStaged,
  untilShown,
  watch,
  watchMaps,
} from '../../support/stage.js';

/** Names as raw clients send them. A server keeps every byte. */
const names = [
  'constructor',
  'toString',
  'hasOwnProperty',
  'a/b',
  '/lead',
  '//',
  '100%',
  '%',
  'a%20b',
  'a+b',
  'a=b',
  'a&b=c',
  'a"b',
  '<b>',
  "o'clock",
  '\\',
  '%F0%9F%98%80',
  '',
  'x'.repeat(2000),
];

describe('room names: real servers', () => {
  const fleet = sharedFleet(2);

  test('every name is a room of its own, shown unchanged, from snapshots and from deltas', async () => {
    const service = await startStaged(fleet, noResync);
    const [first, second] = [nth(fleet, 0), nth(fleet, 1)];
    const connectAll = (server: ServerProcess) =>
      Promise.all(names.map((name) => connectTo(server, name)));
    const closeAll = (clients: readonly BareConnection[]) =>
      Promise.all(clients.map((client) => client.close()));
    const each = (count: number) => Object.fromEntries(names.map((name) => [name, count]));
    const before = await connectAll(first);
    const viewers = [await watch(service), await watchMaps(service)];
    for (const viewer of viewers) await untilShown(viewer, each(1));
    const others = [...(await connectAll(first)), ...(await connectAll(second))];
    for (const viewer of viewers) await untilShown(viewer, each(3));
    await untilShown(await watchMaps(service), each(3));
    await closeAll(before);
    for (const viewer of viewers) await untilShown(viewer, each(2));
    await closeAll(others);
    for (const viewer of viewers) await untilShown(viewer, {});
  });

  test('an emoji is shown as browsers encode it', async () => {
    const service = await startStaged(fleet, noResync);
    const viewers = [await watch(service), await watchMaps(service)];
    await editIn(nth(fleet, 1), '😀 a');
    for (const viewer of viewers) await untilShown(viewer, { '%F0%9F%98%80%20a': 1 });
  });

  const twoRooms = (proto: number, r: number) =>
    Object.fromEntries([
      ['__proto__', proto],
      ['r', r],
    ]);

  test('`__proto__` is counted from snapshots and deltas, and changes no other room', async () => {
    const service = await startStaged(fleet, noResync);
    const server = nth(fleet, 0);
    await connectTo(server, '__proto__');
    await connectTo(server, 'r');
    const viewers = [await watch(service), await watchMaps(service)];
    for (const viewer of viewers) await untilShown(viewer, twoRooms(1, 1));
    await connectTo(server, '__proto__');
    await connectTo(server, 'r');
    for (const viewer of viewers) await untilShown(viewer, twoRooms(2, 2));
  });

  test('`__proto__` is counted from deltas alone at a deployed server, and changes no other room', async () => {
    const double = await startDouble();
    const service = await startStaged([double], noResync);
    double.rooms.set('__proto__', 1).set('r', 1);
    const viewers = [await watch(service), await watchMaps(service)];
    // Its server reports it as `{}`, so the snapshot has all rooms but this one.
    for (const viewer of viewers) await untilShown(viewer, { r: 1 });
    await double.open('__proto__');
    await double.open('r');
    for (const viewer of viewers) await untilShown(viewer, twoRooms(1, 2));
    expect(({} as { r?: number }).r).toBeUndefined();
    const late = await watchMaps(service);
    await eventually(() => expect(late.messages.at(-1)?.data).toContain('"__proto__":1'));
  });
});
