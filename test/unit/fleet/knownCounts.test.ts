import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Epoch, ServerId } from '../../../machines/ports.js';
import { type Member, Roster, type Standing } from '../../../machines/roster.js';
import { Tally } from '../../../machines/tally.js';
import { KnownCounts } from '../../../server/fleet/knownCounts.js';

const [one, two] = ['10.0.0.1:8001', '10.0.0.2:8001'] as [ServerId, ServerId];

let tally: Tally;
let roster: Roster;
beforeEach(() => {
  tally = new Tally({ maxRooms: 2, maxNamesLength: 1000 });
  roster = new Roster();
  add(one);
  add(two);
});

function add(server: ServerId, standing: Standing = 'configured'): void {
  roster.add({ server, standing, ref: {} as Member['ref'] });
}

/** A snapshot of a server is counted. */
function report(server: ServerId, rooms: Record<string, number> = {}): void {
  tally.merge(server, tally.openAttempt(server), new Map(Object.entries(rooms)));
}

const counts = ({ haveSourcesAnswered = true, isComplete = true } = {}) =>
  new KnownCounts({ tally, roster, haveSourcesAnswered }, isComplete);
const empty = (known = counts()) => [known.of('r'), known.rooms, known.connections];

describe('a count above 0', () => {
  test('is the sum of the servers that reported', () => {
    report(one, { r: 1, s: 2 });
    expect(empty()).toEqual([1, 2, 3]);
    expect([counts().on(one, 'r'), counts().serversOf('r')]).toEqual([1, 1]);
    report(two, { r: 4 });
    expect(empty()).toEqual([5, 2, 7]);
    expect([counts().on(two, 'r'), counts().serversOf('r')]).toEqual([4, 2]);
  });
});

describe('a count of 0', () => {
  test('is known once every server has reported', () => {
    expect(empty()).toEqual([null, null, null]);
    report(one);
    expect(empty()).toEqual([null, null, null]);
    expect([counts().on(one, 'r'), counts().on(two, 'r')]).toEqual([0, null]);
    expect(counts().on('10.0.0.3:8001' as ServerId, 'r')).toBeNull();
    expect(counts().serversOf('r')).toBeNull();
    report(two);
    expect(empty()).toEqual([0, 0, 0]);
    expect(counts().serversOf('r')).toBe(0);
  });

  test('does not wait for candidates', () => {
    report(one);
    report(two);
    add('10.0.0.3:8001' as ServerId, 'candidate');
    expect(empty()).toEqual([0, 0, 0]);
  });

  test('is unknown if no server is known, or a source of discovery has not answered', () => {
    report(one);
    report(two);
    expect(empty(counts({ haveSourcesAnswered: false }))).toEqual([null, null, null]);
    for (const server of [one, two]) roster.remove(server);
    expect(empty()).toEqual([null, null, null]);
  });

  test.each([
    ['is deaf', () => roster.report(one, 'deaf', 0)],
    ['has more rooms than are counted', () => report(one, { a: 1, b: 1, c: 1 })],
    [
      'may have restarted',
      () => {
        const post = { server: one, epoch: tally.nextEpoch(), fromStartup: true };
        tally.record({ ...post, deltas: [{ room: 'a', add: 1 }] });
      },
    ],
  ])('is unknown if a server %s', (_, happen) => {
    report(one);
    report(two);
    expect(counts().of('r')).toBe(0);
    happen();
    expect([counts().of('r'), counts().on(one, 'r'), counts().on(two, 'r')]).toEqual([
      null,
      null,
      0,
    ]);
  });

  test('is never known of __proto__, which servers in JavaScript cannot report', () => {
    report(one);
    report(two);
    const known = counts();
    expect([known.of('__proto__'), known.on(one, '__proto__')]).toEqual([null, null]);
    expect([known.serversOf('__proto__'), known.isCompleteFor('__proto__')]).toEqual([null, false]);
    const epoch = tally.baseOf(one) as Epoch;
    const deltas = [{ room: '__proto__', add: 1 }];
    tally.record({ server: one, epoch, fromStartup: false, deltas });
    expect([known.of('__proto__'), known.on(one, '__proto__')]).toEqual([1, 1]);
  });
});

test('the count of a room is complete if all counts are', () => {
  expect(counts().isCompleteFor('r')).toBe(true);
  expect(counts({ isComplete: false }).isCompleteFor('r')).toBe(false);
});

test('something is reported once a server that is not a candidate has reported', () => {
  const candidate = '10.0.0.3:8001' as ServerId;
  add(candidate, 'candidate');
  report(candidate, { r: 1 });
  expect(counts().isAnyReported).toBe(false);
  report(two);
  expect(counts().isAnyReported).toBe(true);
});
