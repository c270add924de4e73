import { describe, expect, test } from '@jest/globals';
import { statusWords } from '../../../server/page/model/statusWords.js';
import {
  type Facts,
  type FleetFacts,
  type Known,
  type ServerFacts,
  type WhatIsKnown,
  whatIsKnown,
} from '../../../server/page/model/whatIsKnown.js';
import type { StreamStatus } from '../../../server/page/stream/messages.js';

const nowMs = 100_000;
const cutAtMs = 90_000;
const lastComplete = { connections: 7, rooms: 2, atMs: 80_000 };

const streams: StreamStatus[] = [
  { kind: 'connecting' },
  { kind: 'live' },
  { kind: 'stale', sinceMs: cutAtMs },
  { kind: 'reconnecting', sinceMs: cutAtMs, reason: 'The stream ended', retryAtMs: nowMs + 1 },
  { kind: 'waiting' },
  { kind: 'signedOut' },
];
const states = ['inactive', 'activating', 'active', 'deactivating', 'stopped'];
const reasons = [
  null,
  'not_counting',
  'no_server_known',
  'servers_missing',
  'over_limit',
  'snapshot_due',
  'source_unanswered',
  'leader_lost',
  'no_leader',
  'something new',
];

const all = (present: number): ServerFacts => ({
  present,
  counted: present,
  pending: 0,
  live: present,
  deaf: 0,
  late: 0,
  overLimit: 0,
});
const serverSets = {
  none: all(0),
  one: all(1),
  all: all(3),
  down: { ...all(3), counted: 0, live: 0 },
  missing: { ...all(3), counted: 2, live: 2 },
  pending: { ...all(3), counted: 1, live: 1, pending: 2 },
  deaf: { ...all(3), live: 2, deaf: 1 },
  late: { ...all(3), live: 2, late: 1 },
  full: { ...all(3), overLimit: 1 },
} satisfies Record<string, ServerFacts>;
const totals = [
  { connections: 0, rooms: 0 },
  { connections: 7, rooms: 2 },
];

function* everyFacts(): Generator<Facts> {
  for (const stream of streams)
    for (const last of [undefined, lastComplete]) {
      yield { stream, fleet: undefined, lastComplete: last };
      for (const fleet of everyFleet()) yield { stream, fleet, lastComplete: last };
    }
}

function* everyFleet(): Generator<FleetFacts> {
  for (const state of states)
    for (const reason of reasons)
      for (const servers of Object.values(serverSets))
        for (const sum of totals)
          for (const outdatedSinceMs of [null, 85_000])
            for (const heldSinceMs of [null, 88_000])
              yield {
                state,
                complete: reason === null,
                reason,
                servers,
                totals: sum,
                outdatedSinceMs,
                heldSinceMs,
              };
}

const numbersOf = ({ connections, rooms, servers }: WhatIsKnown): Known<unknown>[] => [
  connections,
  rooms,
  servers,
];

/** Fails with the facts that break a rule. */
function forAll(rule: (said: WhatIsKnown, facts: Facts) => boolean): void {
  for (const facts of everyFacts()) {
    const said = whatIsKnown(facts);
    if (!rule(said, facts)) expect({ facts, said }).toBe('in line with the rule');
  }
}

describe('whatever is told', () => {
  test('the status is green only if the stream is live and every number is known', () =>
    forAll((said, { stream, fleet }) => {
      const isGood = statusWords(said.status, nowMs).tone === 'good';
      const isHeard = stream.kind === 'live' && fleet?.outdatedSinceMs === null;
      if (isGood && !(isHeard && (fleet?.servers.present ?? 0) > 0)) return false;
      return !isGood || numbersOf(said).every((n) => n.is === 'known');
    }));

  test('a total is known only with a green status', () =>
    forAll(
      (said) =>
        statusWords(said.status, nowMs).tone === 'good' ||
        (said.connections.is !== 'known' && said.rooms.is !== 'known'),
    ));

  test('nothing is of now while the stream is not live, or no leader is heard', () =>
    forAll((said, { stream, fleet }) => {
      const isCut = stream.kind !== 'live' || (fleet && fleet.outdatedSinceMs !== null);
      return !isCut || numbersOf(said).every(({ is }) => is === 'past' || is === 'unknown');
    }));

  test('0 is said only of numbers that were complete, or of servers that all answered', () =>
    forAll((said, { fleet }) => {
      const isZero = [said.connections, said.rooms].some(
        (n) => n.is !== 'unknown' && n.value === 0,
      );
      if (!isZero || fleet?.heldSinceMs !== null) return true;
      return fleet.servers.counted === fleet.servers.present && fleet.servers.present > 0;
    }));

  test('a number of the past has a time of the past', () =>
    forAll((said) =>
      numbersOf(said).every((number) => {
        const past =
          number.is === 'past' ? number : number.is === 'unknown' ? number.last : undefined;
        return !past || past.atMs < nowMs;
      }),
    ));

  test('the status has words', () =>
    forAll(({ status }) => {
      const { label, meaning } = statusWords(status, nowMs);
      return label !== '' && /[.]$/.test(meaning) && !/undefined|NaN/.test(label + meaning);
    }));
});

describe('what is said', () => {
  const live: StreamStatus = { kind: 'live' };
  const fleet: FleetFacts = {
    state: 'active',
    complete: true,
    reason: null,
    outdatedSinceMs: null,
    totals: { connections: 7, rooms: 2 },
    servers: all(3),
    heldSinceMs: null,
  };
  const said = (changes: Partial<FleetFacts>, stream: StreamStatus = live) =>
    whatIsKnown({ stream, fleet: { ...fleet, ...changes }, lastComplete });
  const label = (changes: Partial<FleetFacts>, stream: StreamStatus = live) =>
    statusWords(said(changes, stream).status, nowMs).label;
  const missing = { complete: false, reason: 'servers_missing' };
  const down = { ...missing, servers: serverSets.down, totals: { connections: 0, rooms: 0 } };

  test('all servers are live: the numbers, in green', () => {
    expect(label({})).toBe('Live · all 3 servers');
    expect(label({ servers: all(1) })).toBe('Live · 1 server');
    expect(said({}).connections).toEqual({ is: 'known', value: 7 });
  });

  test('no server answers: a number is unknown, with what it was', () => {
    const { connections } = said(down);
    expect(label(down)).toBe('No server answers');
    expect(connections).toEqual({ is: 'unknown', last: { value: 7, atMs: 80_000 } });
  });

  test('no server answered when the stream was cut: a number is unknown, not 0 of then', () => {
    const cut = { kind: 'stale', sinceMs: cutAtMs } as const;
    expect(said(down, cut).connections.is).toBe('unknown');
  });

  test('some servers do not answer: at least the others', () => {
    const changes = { ...missing, servers: serverSets.missing };
    expect(label(changes)).toBe('Incomplete: 2 of 3 servers counted');
    expect(said(changes).connections).toEqual({ is: 'partial', value: 7, bound: 'at least' });
    const zero = { ...changes, totals: { connections: 0, rooms: 0 } };
    expect(said(zero).connections.is).toBe('unknown');
  });

  test('a server is late: its last numbers count, about', () => {
    const changes = { ...missing, servers: serverSets.late };
    expect(label(changes)).toBe('Out of date: 1 of 3 servers late');
    expect(said(changes).rooms).toEqual({ is: 'partial', value: 2, bound: 'about' });
  });

  test('a restarted service asks its servers: the numbers of before, with their time', () => {
    const changes = {
      ...missing,
      state: 'activating',
      servers: serverSets.pending,
      heldSinceMs: cutAtMs,
    };
    expect(label(changes)).toBe('Asking the servers: 1 of 3 answered');
    expect(said(changes).connections).toEqual({ is: 'past', value: 7, atMs: cutAtMs });
  });

  test('the stream is cut: the numbers of then', () => {
    const cut = { kind: 'stale', sinceMs: cutAtMs } as const;
    expect(label({}, cut)).toBe('No data for 10 s');
    expect(said({}, cut).connections).toEqual({ is: 'past', value: 7, atMs: cutAtMs });
    expect(said({}, cut).servers).toEqual({
      is: 'past',
      value: { live: 3, present: 3 },
      atMs: cutAtMs,
    });
  });

  test('no leader is heard: the numbers of then', () => {
    const changes = { complete: false, reason: 'no_leader', outdatedSinceMs: 85_000 };
    expect(label(changes)).toBe('No numbers for 15 s');
    expect(said(changes).connections).toEqual({ is: 'past', value: 7, atMs: 85_000 });
  });

  test('no server is known: no number, and no green', () => {
    const changes = { ...missing, reason: 'no_server_known', servers: all(0) };
    expect(label(changes)).toBe('No server known');
    expect(said(changes).rooms.is).toBe('unknown');
  });
});
