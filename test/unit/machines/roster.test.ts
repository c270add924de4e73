import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import { type Member, Roster, type Standing } from '../../../machines/roster.js';

const ref = {} as Member['ref'];
const [one, two, candidate] = ['a:1', 'b:1', 'c:1'] as [ServerId, ServerId, ServerId];
let roster: Roster;

const add = (server: ServerId, standing: Standing = 'configured') =>
  roster.add({ server, standing, ref });
const tell = (limit = 100) => roster.takeUntold(limit).map(({ server }) => server);

beforeEach(() => {
  roster = new Roster();
});

describe('the roster', () => {
  test('is settled if it is empty', () => {
    expect([roster.isSettled, roster.hasUntold]).toEqual([true, false]);
  });

  test('names each server once for a wish, a few at a time', () => {
    add(one);
    add(two);
    roster.wish('activity');
    expect([tell(1), roster.hasUntold]).toEqual([[one], true]);
    expect([tell(1), roster.hasUntold]).toEqual([[two], false]);
    expect(tell()).toEqual([]);
  });

  test('tells a server that is added later the current wish, but a candidate only of activity', () => {
    roster.wish('activity');
    add(one);
    add(candidate, 'candidate');
    roster.report(one, 'live', 0);
    expect([roster.isSettled, roster.live, roster.wished]).toEqual([false, 0, 'activity']);
    expect(tell()).toEqual([one, candidate]);
    roster = new Roster();
    add(one);
    add(candidate, 'candidate');
    expect([...roster].map(({ server }) => server)).toEqual([one, candidate]);
    expect(tell()).toEqual([one]);
  });

  test('is not settled by reports from before a server was told', () => {
    add(one);
    roster.wish('activity');
    roster.report(one, 'live', 0);
    expect([roster.isSettled, roster.live]).toEqual([false, 0]);
    tell();
    expect([roster.isSettled, roster.live]).toEqual([false, 1]);
    roster.report(one, 'live', 0);
    expect(roster.isSettled).toBe(true);
  });

  test('is settled by an answer or one failure when activity is wished', () => {
    for (const [status, failures] of [
      ['live', 0],
      ['deaf', 0],
      ['stale', 0],
      ['activating', 1],
      ['unreachable', 0],
    ] as const) {
      add(one);
      roster.wish('activity');
      tell();
      roster.report(one, 'activating', 0);
      expect(roster.isSettled).toBe(false);
      roster.report(one, status, failures);
      expect(roster.isSettled).toBe(true);
    }
  });

  test('is settled by silence or giving up when silence is wished, not by the initial state', () => {
    for (const [status, failures] of [
      ['silent', 0],
      ['unknown', 5],
    ] as const) {
      add(one);
      roster.wish('silence');
      tell();
      roster.report(one, 'unknown', 0);
      roster.report(one, 'silencing', 0);
      expect(roster.isSettled).toBe(false);
      roster.report(one, status, failures);
      expect(roster.isSettled).toBe(true);
    }
  });

  test('is not settled by a failure to silence a server, and waits again for one that posts', () => {
    add(one);
    roster.wish('silence');
    tell();
    roster.report(one, 'silencing', 3);
    expect(roster.isSettled).toBe(false);
    roster.report(one, 'silent', 0);
    expect(roster.isSettled).toBe(true);
    roster.report(one, 'silencing', 0);
    expect(roster.isSettled).toBe(false);
  });

  test('stays settled with a server that it has waited for, until the next wish', () => {
    add(one);
    roster.wish('activity');
    tell();
    roster.report(one, 'live', 0);
    roster.report(one, 'activating', 0);
    expect(roster.isSettled).toBe(true);
    roster.wish('silence');
    expect(roster.isSettled).toBe(false);
  });

  test('counts as live only servers that were told the current wish', () => {
    add(one);
    roster.wish('activity');
    tell();
    roster.report(one, 'live', 0);
    expect(roster.live).toBe(1);
    roster.wish('activity');
    expect(roster.live).toBe(0);
    tell();
    expect(roster.live).toBe(1);
    roster.remove(one);
    expect([roster.live, roster.size, roster.isSettled]).toEqual([0, 0, true]);
  });

  test('tells candidates of silence only when they were told something else before', () => {
    add(candidate, 'candidate');
    roster.wish('silence');
    expect(tell()).toEqual([]);
    roster.wish('activity');
    expect(tell()).toEqual([candidate]);
    roster.report(candidate, 'activating', 0);
    roster.wish('silence');
    expect([tell(), roster.isSettled]).toEqual([[candidate], true]);
  });

  test('tells a promoted candidate, and waits for it', () => {
    add(candidate, 'candidate');
    roster.wish('silence');
    roster.promote(candidate, 'found');
    expect([roster.isSettled, roster.size, roster.candidates]).toEqual([false, 1, 0]);
    expect(tell()).toEqual([candidate]);
    roster.report(candidate, 'silent', 0);
    expect(roster.isSettled).toBe(true);
  });

  test('does not repeat the wish to a promoted candidate that has heard it', () => {
    add(candidate, 'candidate');
    roster.wish('activity');
    tell();
    roster.promote(candidate, 'found');
    expect([roster.hasUntold, roster.size]).toEqual([false, 1]);
  });

  test('promotes and proves nothing that it does not know, and promotes nothing twice', () => {
    roster.promote(one, 'found');
    roster.prove(one);
    expect(roster.get(one)).toBeUndefined();
    add(one, 'found');
    tell();
    roster.takeChanged();
    roster.promote(one, 'found');
    expect([roster.takeChanged().size, roster.hasUntold]).toEqual([0, false]);
  });

  test('counts candidates separately, and never as live', () => {
    add(one);
    add(candidate, 'candidate');
    roster.wish('activity');
    tell();
    roster.report(one, 'activating', 0);
    roster.report(candidate, 'live', 0);
    expect([roster.size, roster.candidates, roster.live]).toEqual([1, 1, 0]);
    expect([...roster.shown()].map(({ server }) => server)).toEqual([one]);
    expect(roster.oldestCandidate()?.server).toBe(candidate);
  });

  test('keeps a configured server configured, even if other sources name it', () => {
    add(one, 'configured');
    roster.promote(one, 'found');
    expect(roster.get(one)?.standing).toBe('configured');
  });

  test('notes servers that change, come or go, but no candidates', () => {
    add(one);
    add(candidate, 'candidate');
    expect(roster.takeChanged()).toEqual(new Set([one]));
    roster.report(one, 'unknown', 0);
    roster.report(candidate, 'activating', 0);
    expect(roster.takeChanged()).toEqual(new Set());
    roster.report(one, 'silent', 0);
    expect(roster.takeChanged()).toEqual(new Set([one]));
    roster.remove(one);
    roster.promote(candidate, 'found');
    expect(roster.takeChanged()).toEqual(new Set([one, candidate]));
  });

  test('counts a server that is added again once', () => {
    add(one, 'candidate');
    add(one);
    expect([roster.size, roster.candidates]).toEqual([1, 0]);
    roster.report(two, 'live', 0);
    roster.remove(two);
    expect(JSON.parse(JSON.stringify(roster))).toEqual({
      servers: 1,
      candidates: 0,
      live: 0,
      unsettled: 1,
    });
  });
});

describe('servers that do not answer', () => {
  const vanished = () => roster.vanished().map(({ server }) => server);
  const lose = (server: ServerId, standing: Standing = 'found') => {
    add(server, standing);
    roster.report(server, 'unreachable', 1);
  };

  test('are removed once no source names them any longer', () => {
    lose(one);
    expect(vanished()).toEqual([]);
    roster.name([one]);
    expect(vanished()).toEqual([]);
    roster.name([two]);
    expect(vanished()).toEqual([one]);
    roster.name([one]);
    expect(vanished()).toEqual([]);
  });

  test('stay if a source never named them, or if the operator did', () => {
    lose(one);
    lose(two, 'configured');
    roster.name([two]);
    roster.name([]);
    expect(vanished()).toEqual([]);
  });

  test('stay until they are unreachable', () => {
    add(one, 'found');
    roster.name([one]);
    roster.name([]);
    roster.report(one, 'stale', 1);
    expect(vanished()).toEqual([]);
  });

  test('are removed at once if only the rooms table names them and they never answered', () => {
    lose(one);
    lose(two);
    roster.prove(two);
    for (let round = 0; round < 2; round += 1) {
      roster.name([one, two], [one, two]);
      expect(vanished()).toEqual([one]);
    }
    roster.name([], []);
    expect(vanished()).toEqual([one, two]);
  });

  test('are removed if only the rooms table still names what another source named', () => {
    lose(one);
    roster.prove(one);
    roster.name([one]);
    roster.name([one], [one]);
    expect(vanished()).toEqual([one]);
  });

  test('are proven from the start if an earlier run had their answer', () => {
    roster.add({ server: one, standing: 'found', ref, isProven: true });
    roster.report(one, 'unreachable', 1);
    roster.name([one], [one]);
    expect(vanished()).toEqual([]);
  });
});

test('servers are of the same host whatever their ports', () => {
  const [v4, other, v6] = ['10.0.0.1:1', '10.0.0.1:22', '[::1]:1'] as [
    ServerId,
    ServerId,
    ServerId,
  ];
  for (const server of [v4, other, v6]) add(server);
  expect(roster.ofSameHost(other).map(({ server }) => server)).toEqual([v4, other]);
  expect(roster.ofSameHost('[::1]:9' as ServerId).map(({ server }) => server)).toEqual([v6]);
});
