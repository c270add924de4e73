import { beforeEach, describe, expect, test } from '@jest/globals';
import { Correction } from '../../../machines/correction.js';
import type { Epoch, ServerId } from '../../../machines/ports.js';
import { Tally } from '../../../machines/tally.js';

const server = '10.0.0.1:8001' as ServerId;
let tally: Tally;

beforeEach(() => {
  tally = new Tally({ maxRooms: 5000, maxNamesLength: 1_000_000 });
});

function snapshot(rooms: Record<string, number>): Epoch {
  const epoch = tally.openAttempt(server);
  tally.merge(server, epoch, new Map(Object.entries(rooms)));
  return epoch;
}

const post = (epoch: Epoch, room: string, add: number, fromStartup = false) =>
  tally.record({ server, epoch, fromStartup, deltas: [{ room, add }] });

/** Another snapshot that says the same settles the one before. */
function corrected(): number {
  const rooms = Object.fromEntries([...tally.totals].filter(([, count]) => count > 0));
  snapshot(rooms);
  return tally.corrected;
}

describe('a correction', () => {
  test('is empty when late posts explain all of it', () => {
    const correction = new Correction();
    expect(correction.isEmpty).toBe(true);
    correction.note('r', 2);
    correction.explain('r', 1);
    expect([correction.isEmpty, correction.connections]).toEqual([false, 1]);
    correction.explain('r', 1);
    expect([correction.isEmpty, correction.connections]).toEqual([true, 0]);
  });

  test('is not changed by a post that leaves a difference which is as large, or larger', () => {
    const correction = new Correction();
    correction.note('r', 2);
    correction.explain('r', -1);
    correction.explain('r', 4);
    correction.explain('other', 1);
    expect(correction.connections).toBe(2);
    correction.explain('r', 2);
    expect(correction.isEmpty).toBe(true);
  });

  test('of more than 1,000 rooms can be explained in 1,000 of them', () => {
    const correction = new Correction();
    for (let i = 0; i < 1002; i += 1) correction.note(`${i}`, -1);
    expect(correction.connections).toBe(1002);
    for (let i = 0; i < 1002; i += 1) correction.explain(`${i}`, -1);
    expect([correction.isEmpty, correction.connections]).toEqual([false, 2]);
  });
});

describe('what snapshots corrected', () => {
  test('is nothing for a first snapshot, and for one that says what was counted', () => {
    const epoch = snapshot({ r: 2 });
    post(epoch, 'r', 1);
    snapshot({ r: 3 });
    expect(corrected()).toBe(0);
  });

  test('is every connection by which a room differs, in either direction', () => {
    snapshot({ more: 1, fewer: 5, gone: 2 });
    snapshot({ more: 4, fewer: 4, found: 1 });
    expect(corrected()).toBe(3 + 1 + 2 + 1);
  });

  test('is added with the next snapshot, when late posts have arrived', () => {
    snapshot({ r: 1 });
    snapshot({ r: 2 });
    expect(tally.corrected).toBe(0);
    expect(corrected()).toBe(1);
    expect(corrected()).toBe(1);
  });

  test('is not what a late post explains', () => {
    const old = snapshot({ r: 1, s: 1 });
    snapshot({ r: 3, s: 0 });
    post(old, 'r', 1);
    post(old, 's', -1);
    expect(corrected()).toBe(1);
  });

  test('does not grow by a late post that explains nothing', () => {
    const old = snapshot({ r: 1 });
    snapshot({ r: 2 });
    post(old, 'r', 1);
    post(old, 'r', 1);
    post(old, 'r', -1);
    post(old, 'other', 1);
    expect(corrected()).toBe(0);
  });

  test('does not contain what was posted while the snapshot was under way', () => {
    const epoch = snapshot({ r: 1 });
    const next = tally.openAttempt(server);
    post(epoch, 'r', 1);
    post(next, 'r', 1);
    tally.merge(server, next, new Map([['r', 2]]));
    expect(tally.totals.get('r')).toBe(3);
    expect(corrected()).toBe(0);
  });

  test('leaves out a server that may have restarted, and one over its limit', () => {
    snapshot({ r: 5 });
    const started = tally.nextEpoch();
    post(started, 'r', 1, true);
    snapshot({ r: 1 });
    expect(corrected()).toBe(0);
    const many = Object.fromEntries(Array.from({ length: 6000 }, (_, i) => [`r${i}`, 1]));
    snapshot(many);
    snapshot({ r: 1 });
    snapshot({ r: 1 });
    expect(tally.corrected).toBe(0);
  });

  test('is kept when the server is dropped, and when all counts are', () => {
    snapshot({ r: 1 });
    snapshot({ r: 2 });
    tally.drop(server);
    expect(tally.corrected).toBe(1);
    snapshot({ r: 1 });
    snapshot({ r: 3 });
    tally.clear();
    expect(tally.corrected).toBe(3);
  });

  test('is also told of each server, since it is counted', () => {
    expect(tally.correctedOn(server)).toBeUndefined();
    snapshot({ r: 1 });
    snapshot({ r: 3 });
    expect(tally.correctedOn(server)).toBe(0);
    const other = '10.0.0.2:8001' as ServerId;
    tally.merge(other, tally.openAttempt(other), new Map());
    expect(corrected()).toBe(2);
    expect([tally.correctedOn(server), tally.correctedOn(other)]).toEqual([2, 0]);
    tally.drop(server);
    expect(tally.correctedOn(server)).toBeUndefined();
  });

  test('counts rooms beyond those whose late posts it can tell', () => {
    snapshot({});
    snapshot({ a: 1 });
    const old = tally.baseOf(server) as Epoch;
    snapshot(Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`r${i}`, 2])));
    post(old, 'r0', 2);
    post(old, 'r1999', 2);
    expect(corrected()).toBe(1 + 1 + 2000 * 2 - 2);
  });
});
