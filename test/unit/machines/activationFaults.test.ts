import { afterEach, describe, expect, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import { ScriptedFleet, serverIds, watchedFleet } from './support/scriptedFleet.js';

const [one, two] = serverIds(2) as [ServerId, ServerId];

let fleet: ScriptedFleet;
afterEach(() => {
  expect(fleet.errors).toEqual([]);
  expect(fleet.unpublished).toEqual([]);
  fleet.actor.stop();
});

describe('the actor of a server that throws', () => {
  test('is reported and replaced, and the other servers are not affected', () => {
    fleet = watchedFleet([one, two]);
    fleet.rooms.set(one, { r: 1 });
    const replaced = fleet.roster.get(one)?.ref;
    fleet.behaviours.set(one, 'throw');
    fleet.advance(4900);
    fleet.behaviours.clear();
    expect(fleet.defects.length).toBeGreaterThan(0);
    fleet.advance(20_000);
    expect(fleet.roster.get(one)?.ref).not.toBe(replaced);
    expect([fleet.status(one), fleet.status(two)]).toEqual(['live', 'live']);
    expect(fleet.roster.get(one)?.standing).toBe('configured');
    expect(fleet.tally.totals.get('r')).toBe(1);
    expect(fleet.actors).toHaveLength(2);
    expect(fleet.state).toBe('watched');
  });

  test('at every request does not block the service', () => {
    fleet = new ScriptedFleet([one, two]);
    fleet.advance(100);
    fleet.behaviours.set(one, 'throw');
    fleet.connect();
    fleet.advance(60_000);
    expect(fleet.defects.length).toBeGreaterThan(1);
    expect(fleet.defects.length).toBeLessThan(100);
    expect(fleet.status(two)).toBe('live');
  });
});

test('a replacement that is due for a server that works, or is unknown, replaces nothing', () => {
  fleet = watchedFleet([one]);
  const ref = fleet.roster.get(one)?.ref;
  for (const actorId of [`server:${one}`, `server:${two}`, 'discovery'])
    fleet.actor.send({ type: 'replacement.due', actorId });
  expect(fleet.roster.get(one)?.ref).toBe(ref);
  expect([fleet.roster.size, fleet.status(one)]).toEqual([1, 'live']);
});

describe('until it is replaced, a request timeout later, a server whose actor threw', () => {
  test('is unreachable without counts, and the totals are incomplete', () => {
    fleet = new ScriptedFleet([one, two], { probeIntervalMs: 1e9 });
    fleet.rooms.set(one, { r: 1 });
    fleet.advance(100);
    fleet.connect();
    fleet.advance(100);
    fleet.behaviours.set(one, 'throw');
    fleet.actor.send({ type: 'evidence.found', servers: [one] });
    expect([fleet.status(one), fleet.roster.live, fleet.roster.size]).toEqual([
      'unreachable',
      1,
      2,
    ]);
    expect(fleet.tally.connections).toBe(0);
    fleet.behaviours.clear();
    fleet.advance(1999);
    expect(fleet.status(one)).toBe('unreachable');
    fleet.advance(100);
    expect([fleet.status(one), fleet.roster.live]).toEqual(['live', 2]);
    expect(fleet.tally.totals.get('r')).toBe(1);
  });

  test('may still apply an earlier request: its first snapshot is confirmed after that', () => {
    fleet = new ScriptedFleet([one], { requestTimeoutMs: 3000, probeIntervalMs: 1e9 });
    fleet.advance(100);
    fleet.connect();
    fleet.advance(100);
    fleet.behaviours.set(one, 'throw');
    fleet.actor.send({ type: 'evidence.found', servers: [one] });
    fleet.behaviours.clear();
    const sinceMs = fleet.clock.nowMs;
    fleet.advance(20_000);
    const times = fleet.requests.filter(({ atMs }) => atMs > sinceMs).map(({ atMs }) => atMs);
    // Once more than anybody else, and so late that a request of the first actor has had its time.
    expect(times).toHaveLength(2);
    expect((times[1] ?? 0) - sinceMs).toBeGreaterThanOrEqual(6000);
    expect((times[1] ?? 0) - sinceMs).toBeLessThan(7000);
  });

  test('keeps the service deactivating', () => {
    fleet = watchedFleet([one, two], { lingerMs: 0 });
    fleet.behaviours.set(one, 'throw');
    fleet.disconnect();
    fleet.advance(0);
    fleet.behaviours.clear();
    fleet.advance(1900);
    expect(fleet.state).toBe('deactivating');
    fleet.advance(200);
    expect([fleet.state, fleet.status(one)]).toEqual(['inactive', 'silent']);
  });
});

describe('hundreds of servers', () => {
  test('are told in batches of 50 at the start, on activation and on deactivation', () => {
    fleet = new ScriptedFleet(serverIds(400), { lingerMs: 0 });
    fleet.advance(100);
    expect(fleet.state).toBe('inactive');
    fleet.connect();
    fleet.advance(100);
    expect(fleet.state).toBe('watched');
    fleet.disconnect();
    fleet.advance(100);
    expect(fleet.state).toBe('inactive');
    expect([...fleet.toldAtMs.values()]).toEqual(Array(24).fill(50));
    expect(fleet.sent('silence.requested')).toHaveLength(800);
    expect(fleet.sent('activity.requested')).toHaveLength(400);
  });
});

test('the next batch is told once, however often others are told meanwhile', () => {
  fleet = new ScriptedFleet(serverIds(300));
  for (let i = 0; i < 2; i += 1)
    fleet.actor.send({ type: 'servers.found', servers: [], standing: 'found' });
  fleet.advance(10);
  expect([...fleet.toldAtMs.values()]).toEqual([150, 50, 50, 50]);
});

test('posts of known servers do not hasten the batches', () => {
  const servers = serverIds(200);
  fleet = new ScriptedFleet(servers);
  fleet.post(servers[0] as ServerId, 1);
  fleet.advance(10);
  expect([...fleet.toldAtMs.values()]).toEqual([50, 50, 50, 50]);
});

test('servers that hang delay no others: their snapshots are merged meanwhile', () => {
  const servers = serverIds(200);
  fleet = new ScriptedFleet(servers);
  for (const id of servers) fleet.rooms.set(id, { r: 1 });
  fleet.advance(100);
  for (const id of servers.slice(0, 10)) fleet.behaviours.set(id, 'hang');
  fleet.connect();
  fleet.advance(20);
  expect(fleet.state).toBe('activating');
  expect([fleet.tally.totals.get('r'), fleet.roster.live]).toEqual([190, 190]);
});
