import { afterEach, describe, expect, test } from '@jest/globals';
import { ScriptedFleet, serverIds, watchedFleet } from './support/scriptedFleet.js';
import { timing } from './support/scriptedPubSubServer.js';

const three = serverIds(3);
const [first, second, third] = three as [(typeof three)[0], (typeof three)[0], (typeof three)[0]];

let fleet: ScriptedFleet;
afterEach(() => {
  expect(fleet.errors).toEqual([]);
  expect(fleet.unpublished).toEqual([]);
  expect(fleet.defects).toEqual([]);
  fleet.actor.stop();
});

describe('at its start, the service', () => {
  test('tells every known server to be silent, and is inactive when all are', () => {
    fleet = new ScriptedFleet(three);
    fleet.behaviours.set(second, 'hang');
    expect(fleet.state).toBe('deactivating');
    fleet.advance(100);
    expect(fleet.state).toBe('deactivating');
    expect(fleet.sent('silence.requested').sort()).toEqual(three);
    expect(fleet.sent('activity.requested')).toEqual([]);
  });

  test('is inactive at once if it knows no server, and sends no requests', () => {
    fleet = new ScriptedFleet();
    expect(fleet.state).toBe('inactive');
    fleet.advance(3_600_000);
    expect(fleet.requests).toEqual([]);
  });

  test('sends no requests while inactive', () => {
    fleet = new ScriptedFleet(three);
    fleet.advance(100);
    expect(fleet.state).toBe('inactive');
    fleet.advance(3_600_000);
    expect(fleet.requests).toHaveLength(3);
    expect(fleet.clock.pending).toBe(0);
  });

  test('waits for at most five failures of a server', () => {
    fleet = new ScriptedFleet(three);
    fleet.behaviours.set(first, 'fail');
    fleet.advance(2000);
    expect(fleet.state).toBe('deactivating');
    fleet.advance(8000);
    expect(fleet.state).toBe('inactive');
    expect(fleet.sent('silence.requested').filter((id) => id === first)).toHaveLength(5);
    expect([fleet.status(first), fleet.status(second)]).toEqual(['unknown', 'silent']);
  });
});

describe('the first viewer', () => {
  test('sends each server exactly one activation; a second viewer none', () => {
    fleet = watchedFleet(three);
    expect(fleet.sent('activity.requested').sort()).toEqual(three);
    expect(fleet.state).toBe('watched');
    fleet.connect();
    fleet.advance(1000);
    expect(fleet.sent('activity.requested')).toHaveLength(3);
    expect(fleet.context.viewers).toBe(2);
  });

  test('sees the state activating until each server has answered or failed once', () => {
    fleet = new ScriptedFleet(three);
    fleet.advance(100);
    fleet.behaviours.set(first, 'fail').set(second, 'hang');
    fleet.connect();
    fleet.advance(100);
    expect(fleet.state).toBe('activating');
    expect(fleet.status(third)).toBe('live');
    fleet.reply({ type: 'probe.requested' }, second, 'fail');
    expect(fleet.state).toBe('watched');
  });

  test('during deactivating activates every server again', () => {
    fleet = new ScriptedFleet(three);
    fleet.connect();
    expect(fleet.state).toBe('activating');
    fleet.advance(100);
    expect(fleet.sent('activity.requested').sort()).toEqual(three);
    expect(fleet.state).toBe('watched');
  });

  test('starts discovery, and deactivation ends it', () => {
    fleet = watchedFleet(three);
    expect(fleet.discovery.at(-1)).toEqual({ type: 'discovery.begun' });
    fleet.disconnect();
    fleet.advance(timing.lingerMs);
    expect(fleet.discovery.at(-1)).toEqual({ type: 'discovery.ended' });
  });
});

describe('the last viewer', () => {
  test('starts lingering, and nothing is sent if another viewer comes in time', () => {
    fleet = watchedFleet(three);
    fleet.disconnect();
    expect(fleet.state).toBe('lingering');
    fleet.advance(timing.lingerMs - 1);
    fleet.connect();
    expect(fleet.state).toBe('watched');
    fleet.advance(timing.lingerMs);
    expect(fleet.state).toBe('watched');
    expect(fleet.sent('activity.requested')).toHaveLength(3);
    expect(fleet.sent('silence.requested', 1)).toEqual([]);
  });

  test('causes counts to be dropped and servers to be silenced if no viewer comes in time', () => {
    fleet = new ScriptedFleet(three);
    fleet.rooms.set(first, { r: 2 });
    fleet.advance(100);
    fleet.connect();
    fleet.advance(100);
    expect(fleet.tally.connections).toBe(2);
    const { restarts } = fleet;
    fleet.disconnect();
    fleet.advance(timing.lingerMs);
    expect(fleet.state).toBe('deactivating');
    expect(fleet.tally.connections).toBe(0);
    expect(fleet.restarts).toBe(restarts + 1);
    fleet.advance(100);
    expect(fleet.state).toBe('inactive');
    expect(fleet.sent('silence.requested', 1000).sort()).toEqual(three);
  });

  test('is the one after whom no viewer is left', () => {
    fleet = watchedFleet(three);
    fleet.connect();
    fleet.disconnect();
    expect(fleet.state).toBe('watched');
    fleet.disconnect();
    expect(fleet.state).toBe('lingering');
  });

  test('may leave during activating: the next one goes on waiting, without a broadcast', () => {
    fleet = new ScriptedFleet(three);
    fleet.advance(100);
    fleet.behaviour = 'hang';
    fleet.connect();
    fleet.connect();
    fleet.disconnect();
    expect(fleet.state).toBe('activating');
    fleet.disconnect();
    expect(fleet.state).toBe('lingering');
    fleet.connect();
    expect(fleet.state).toBe('activating');
    expect(fleet.sent('activity.requested')).toHaveLength(3);
    fleet.disconnect();
    fleet.advance(timing.lingerMs);
    expect(fleet.state).toBe('deactivating');
  });

  test('leads to deactivation at once if the linger time is 0', () => {
    fleet = watchedFleet(three, { lingerMs: 0 });
    fleet.disconnect();
    fleet.advance(0);
    expect(fleet.state).toBe('deactivating');
    fleet.connect();
    fleet.advance(100);
    expect(fleet.state).toBe('watched');
    expect(fleet.roster.live).toBe(3);
  });
});

describe('a viewer that comes during deactivating', () => {
  test('gets new snapshots of all servers, including those not told to be silent yet', () => {
    const many = serverIds(120);
    fleet = new ScriptedFleet(many, { lingerMs: 0, probeIntervalMs: 1e9, resyncIntervalMs: 1e9 });
    for (const id of many) fleet.rooms.set(id, { r: 1 });
    fleet.advance(1000);
    fleet.connect();
    fleet.advance(1000);
    expect(fleet.tally.totals.get('r')).toBe(120);
    fleet.disconnect();
    fleet.advance(0);
    expect(fleet.sent('silence.requested', fleet.clock.nowMs)).toHaveLength(50);
    expect(fleet.tally.connections).toBe(0);
    fleet.connect();
    fleet.advance(1000);
    expect(fleet.tally.totals.get('r')).toBe(120);
    expect([fleet.state, fleet.roster.live]).toEqual(['watched', 120]);
    expect(new Set(fleet.sent('activity.requested', 2000)).size).toBe(120);
  });

  test('may leave and return often: the last event decides', () => {
    fleet = watchedFleet(three, { lingerMs: 0 });
    for (const id of three) fleet.rooms.set(id, { r: 1 });
    fleet.latencyMs = 7;
    for (let i = 0; i < 50; i += 1) {
      fleet.disconnect();
      fleet.advance(i % 9);
      fleet.connect();
      fleet.advance(i % 5);
    }
    fleet.advance(1000);
    expect([fleet.state, fleet.context.viewers]).toEqual(['watched', 1]);
    expect(fleet.tally.totals.get('r')).toBe(3);
    fleet.disconnect();
    fleet.advance(1000);
    expect(fleet.state).toBe('inactive');
    expect(three.map((id) => fleet.status(id))).toEqual(['silent', 'silent', 'silent']);
  });
});

describe('shutdown', () => {
  const stops = (): boolean => fleet.actor.getSnapshot().status === 'done';

  test('stops at once when inactive', () => {
    fleet = new ScriptedFleet(three);
    fleet.advance(100);
    fleet.actor.send({ type: 'shutdown.requested' });
    expect([fleet.state, stops()]).toEqual(['stopped', true]);
  });

  test('when inactive waits for a server found since, and tells no other server again', () => {
    fleet = new ScriptedFleet([first, second]);
    fleet.advance(100);
    fleet.behaviours.set(third, 'fail');
    fleet.actor.send({ type: 'servers.found', servers: [third], standing: 'found' });
    fleet.advance(100);
    expect(fleet.state).toBe('inactive');
    fleet.actor.send({ type: 'shutdown.requested' });
    fleet.behaviours.set(third, 'answer');
    fleet.connect();
    expect([fleet.state, stops()]).toEqual(['inactive', false]);
    fleet.advance(1000);
    expect([fleet.state, stops()]).toEqual(['stopped', true]);
    expect(fleet.requests.map(({ server }) => server)).toEqual([first, second, third, third]);
    expect(fleet.sent('activity.requested')).toEqual([]);
  });

  test('when inactive waits for a server that is being corrected', () => {
    fleet = new ScriptedFleet(three);
    fleet.advance(100);
    const sinceMs = fleet.clock.nowMs;
    fleet.post(first, 1);
    fleet.actor.send({ type: 'shutdown.requested' });
    expect([fleet.state, stops()]).toEqual(['inactive', false]);
    fleet.advance(100);
    expect([fleet.state, stops()]).toEqual(['stopped', true]);
    expect(fleet.sent('silence.requested', sinceMs)).toEqual([first]);
  });

  test.each([
    ['deactivating', () => new ScriptedFleet(three)],
    [
      'activating',
      () => {
        const begun = new ScriptedFleet(three);
        begun.advance(100);
        begun.connect();
        return begun;
      },
    ],
    ['watched', () => watchedFleet(three)],
    [
      'lingering',
      () => {
        const left = watchedFleet(three);
        left.disconnect();
        return left;
      },
    ],
  ])('from %s silences every server first', (state, make) => {
    fleet = make();
    expect(fleet.state).toBe(state);
    const sinceMs = fleet.clock.nowMs;
    fleet.actor.send({ type: 'shutdown.requested' });
    expect([fleet.state, stops()]).toEqual(['deactivating', false]);
    fleet.connect();
    expect(fleet.state).toBe('deactivating');
    fleet.advance(100);
    expect([fleet.state, stops()]).toEqual(['stopped', true]);
    expect(new Set(fleet.sent('silence.requested', sinceMs))).toEqual(new Set(three));
  });

  test('ends after five failures of servers that do not answer', () => {
    fleet = watchedFleet(three);
    fleet.behaviour = 'fail';
    fleet.actor.send({ type: 'shutdown.requested' });
    fleet.advance(10_000);
    expect(fleet.state).toBe('stopped');
  });
});

test('every change that viewers see is published', () => {
  fleet = watchedFleet(three);
  const shows = (happen: () => void) => {
    const before = fleet.published;
    happen();
    expect(fleet.published).toBeGreaterThan(before);
  };
  shows(() => fleet.post(first, 1));
  shows(() => fleet.disconnect());
  shows(() => fleet.connect());
  shows(() => fleet.advance(timing.probeIntervalMs));
});
