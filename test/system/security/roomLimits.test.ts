import { describe, expect, test } from '@jest/globals';
import type { Epoch, ServerId } from '../../../machines/ports.js';
import { Tally } from '../../../machines/tally.js';
import { eventually } from '../../support/eventually.js';
import {
  calm,
  patient,
  post,
  recover,
  serversOf,
  startDouble,
  startStaged,
  stateOf,
  untilShown,
  watch,
} from '../../support/stage.js';

const one = '10.0.0.1:8001' as ServerId;
const two = '10.0.0.2:8001' as ServerId;

/** A tally that keeps three rooms of each server, and 12 characters of names in all. */
function limited() {
  const tally = new Tally({ maxRooms: 3, maxNamesLength: 12 });
  const merge = (rooms: Record<string, number>, server = one) => {
    const epoch = tally.openAttempt(server);
    tally.merge(server, epoch, new Map(Object.entries(rooms)));
    return epoch;
  };
  const record = (epoch: Epoch, room: string, add: number, server = one) =>
    tally.record({ server, epoch, fromStartup: false, deltas: [{ room, add }] });
  return { tally, merge, record, totals: () => Object.fromEntries(tally.totals) };
}

describe('a tally with limits', () => {
  test('takes what is within them, and new rooms in place of empty ones', () => {
    const { tally, merge, record, totals } = limited();
    const epoch = merge({ aaaa: 1, bbbb: 2, cccc: 3, gone: 0 });
    expect([totals(), tally.overLimit.size]).toEqual([{ aaaa: 1, bbbb: 2, cccc: 3 }, 0]);
    record(epoch, 'aaaa', -1);
    record(epoch, 'dddd', 1);
    expect([totals(), tally.overLimit.size]).toEqual([{ bbbb: 2, cccc: 3, dddd: 1 }, 0]);
  });

  test.each([
    ['too many rooms', { a: 1, b: 1, c: 1, d: 1 }, { a: 1, b: 1, c: 1 }],
    ['too long names', { aaaa: 1, bbbbbbbbb: 1, cccc: 1 }, { aaaa: 1, cccc: 1 }],
  ])('cuts a snapshot with %s, and counts the rest', (_, snapshot, kept) => {
    const { tally, merge, record, totals } = limited();
    const epoch = merge(snapshot);
    expect([totals(), [...tally.overLimit]]).toEqual([kept, [one]]);
    expect(tally.sizeOf(one)).toEqual({
      rooms: Object.keys(kept).length,
      connections: Object.keys(kept).length,
    });
    record(epoch, 'a', 1);
    // A room that was left out is neither counted from 1 nor goes below zero.
    expect(record(epoch, 'bbbbbbbbb', -1)).toBe('ordinary');
    expect(tally.isDoubtful(one)).toBe(false);
    expect(totals()).toEqual('a' in kept ? { ...kept, a: 2 } : kept);
  });

  test('takes no new rooms from deltas of either sign beyond them', () => {
    for (const add of [1, -1]) {
      const { tally, merge, record } = limited();
      const epoch = merge({});
      for (let i = 0; i < 1000; i += 1) record(epoch, `room ${i}`, add);
      expect([...tally.overLimit]).toEqual([one]);
      expect(tally.totals.size).toBe(add > 0 ? 2 : 0);
    }
  });

  test('limits deltas that wait for a snapshot, and says that they are cut', () => {
    const { tally, record, totals } = limited();
    const epoch = tally.openAttempt(one);
    for (let i = 0; i < 1000; i += 1) record(epoch, `${i}`, 1);
    tally.merge(one, epoch, new Map());
    expect([totals(), [...tally.overLimit]]).toEqual([{ 0: 1, 1: 1, 2: 1 }, [one]]);
  });

  test('is complete again after a snapshot within them, and when the server is dropped', () => {
    const { tally, merge, totals } = limited();
    merge({ a: 1, b: 1, c: 1, d: 1 });
    merge({ a: 5, d: 1 });
    expect([totals(), tally.overLimit.size]).toEqual([{ a: 5, d: 1 }, 0]);
    for (const forget of [() => tally.drop(one), () => tally.clear()]) {
      merge({ a: 1, b: 1, c: 1, d: 1 });
      forget();
      expect([totals(), tally.overLimit.size]).toEqual([{}, 0]);
    }
  });

  test('keeps the rooms of other servers', () => {
    const { tally, merge, record, totals } = limited();
    const epoch = merge({ x: 1 }, two);
    merge({ a: 1, b: 1, c: 1, d: 1 });
    record(epoch, 'y', 1, two);
    expect(totals()).toEqual({ a: 1, b: 1, c: 1, x: 1, y: 1 });
    expect([...tally.overLimit]).toEqual([one]);
  });
});

describe('a server that floods with rooms', () => {
  test('is cut and shown as such, the totals are incomplete, and other servers are still counted', async () => {
    const [flooder, other] = [await startDouble(), await startDouble()];
    const service = await startStaged([flooder, other], {
      ...calm,
      ...patient,
      RESYNC_INTERVAL_MS: '700',
      MAX_ROOMS_PER_SERVER: '50',
    });
    const viewer = await watch(service);
    await other.open('theirs');
    await untilShown(viewer, { theirs: 1 });
    await eventually(() => expect(viewer.seen().complete).toBe(true));
    // No snapshot replaces the flood before the test has looked at it.
    flooder.respond({ kind: 'hang' });
    const floods = (batch: number) =>
      JSON.stringify(Array.from({ length: 500 }, (_, i) => ({ room: `${batch}-${i}`, add: 1 })));
    for (let batch = 0; batch < 5; batch += 1)
      expect((await post(flooder.eventsUrl ?? '', floods(batch))).status).toBe(204);
    await eventually(() => expect(viewer.seen().complete).toBe(false));
    expect(viewer.seen().servers[flooder.id]).toMatchObject({ state: 'live', overLimit: true });
    expect(await stateOf(service)).toMatchObject({ rooms: 51, complete: false });
    await other.open('theirs');
    await eventually(() => expect(viewer.rooms().theirs).toBe(2));
    // Its next snapshot has none of these rooms.
    recover(flooder);
    await eventually(() => expect(viewer.seen().complete).toBe(true));
    await untilShown(viewer, { theirs: 2 });
    expect(await serversOf(service)).toMatchObject([{ overLimit: false }, { overLimit: false }]);
    expect(viewer.seen().servers[flooder.id]).toMatchObject({ overLimit: false });
  });

  test('in a snapshot is cut too', async () => {
    const flooder = await startDouble();
    for (let i = 0; i < 200; i += 1) flooder.rooms.set(`${i}`, 2);
    const service = await startStaged([flooder], { ...calm, MAX_ROOMS_PER_SERVER: '50' });
    const viewer = await watch(service);
    await eventually(() => expect(Object.keys(viewer.rooms())).toHaveLength(50));
    expect(await stateOf(service)).toMatchObject({ rooms: 50, connections: 100, complete: false });
  });

  test('with long names is cut at the limit of their sum, and complete with its next snapshot', async () => {
    const [flooder, other] = [await startDouble(), await startDouble()];
    const service = await startStaged([flooder, other], {
      ...calm,
      ...patient,
      RESYNC_INTERVAL_MS: '700',
      MAX_SNAPSHOT_BYTES: '65536',
    });
    const viewer = await watch(service);
    await eventually(() => expect(viewer.seen().complete).toBe(true));
    flooder.respond({ kind: 'hang' });
    const long = (i: number) => `${i}`.padEnd(16_000, 'x');
    for (let i = 0; i < 20; i += 1) {
      const delta = JSON.stringify({ room: long(i), add: 1 });
      expect((await post(flooder.eventsUrl ?? '', delta)).status).toBe(204);
    }
    await eventually(() => expect(viewer.seen().complete).toBe(false));
    expect(viewer.seen().servers[flooder.id]).toMatchObject({ state: 'live', overLimit: true });
    expect(await serversOf(service)).toContainEqual(
      expect.objectContaining({ id: flooder.id, overLimit: true, rooms: 4 }),
    );
    await other.open(long(30));
    await eventually(() => expect(viewer.rooms()[long(30)]).toBe(1));
    // A snapshot within the limits is complete.
    flooder.rooms.set('theirs', 1);
    recover(flooder);
    await eventually(() => expect(viewer.seen().complete).toBe(true));
    await untilShown(viewer, { theirs: 1, [long(30)]: 1 });
    expect(viewer.seen().servers[flooder.id]).toMatchObject({ state: 'live', overLimit: false });
    expect(await stateOf(service)).toMatchObject({ rooms: 2, connections: 2, complete: true });
  });
});
