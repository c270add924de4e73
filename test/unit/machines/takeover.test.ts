import { afterEach, describe, expect, test } from '@jest/globals';
import { ScriptedFleet, serverIds } from './support/scriptedFleet.js';
import { timing } from './support/scriptedPubSubServer.js';

const { lingerMs, requestTimeoutMs } = timing;
const latencyMs = 10;
const batchMs = 100;

let fleet: ScriptedFleet;
afterEach(() => {
  expect(fleet.errors).toEqual([]);
  expect(fleet.unpublished).toEqual([]);
  fleet.actor.stop();
});

/** A fleet whose leader before died a moment ago. */
const takeOver = (size: number) => {
  fleet = new ScriptedFleet([], {}, { begins: 'lingering', term: 8 });
  const servers = serverIds(size);
  fleet.actor.send({ type: 'servers.found', servers, standing: 'found' });
  return servers;
};

/** The same for servers of the configuration. */
const takeOverConfigured = (size: number) => {
  const servers = serverIds(size);
  fleet = new ScriptedFleet(servers, {}, { begins: 'lingering', term: 8 });
  return servers;
};

const timesAsked = (server: string) =>
  fleet.requests
    .filter((request) => request.server === server && request.type === 'activity.requested')
    .map(({ atMs }) => atMs);

describe('a leader that takes over an active fleet', () => {
  test('silences nobody, and asks every server at once, although nobody watches yet', () => {
    const servers = takeOverConfigured(3);
    fleet.advance(batchMs);
    expect(fleet.sent('silence.requested')).toEqual([]);
    expect(fleet.sent('activity.requested')).toEqual(servers);
  });

  test('lingers for a full linger time, and then silences the fleet', () => {
    const servers = takeOverConfigured(3);
    fleet.advance(lingerMs - 1);
    expect(fleet.state).toBe('lingering');
    expect(fleet.sent('silence.requested')).toEqual([]);
    fleet.advance(1 + batchMs);
    expect(fleet.state).toBe('inactive');
    expect(new Set(fleet.sent('silence.requested'))).toEqual(new Set(servers));
  });

  test('with a viewer within that time, tells no server anything more', () => {
    takeOverConfigured(1);
    fleet.advance(lingerMs - 100);
    const asked = fleet.requests.length;
    fleet.connect();
    fleet.advance(batchMs);
    expect(fleet.state).toBe('watched');
    expect(fleet.requests).toHaveLength(asked);
  });

  test('never drops its counts, so that viewers are not shown an empty map', () => {
    const [server] = takeOverConfigured(1);
    if (server) fleet.rooms.set(server, { r: 2 });
    fleet.advance(batchMs);
    expect(fleet.tally.totals.get('r')).toBe(2);
    fleet.advance(lingerMs - batchMs - 100);
    fleet.connect();
    fleet.advance(batchMs);
    expect(fleet.tally.totals.get('r')).toBe(2);
    expect(fleet.restarts).toBe(0);
  });

  test('confirms each first snapshot one request timeout later, because the last requests of the leader before may still arrive', () => {
    const servers = takeOverConfigured(2);
    fleet.advance(latencyMs + requestTimeoutMs - 1);
    for (const server of servers) expect(timesAsked(server)).toHaveLength(1);
    fleet.advance(batchMs);
    for (const server of servers) {
      const [first = 0, second = 0] = timesAsked(server);
      expect(second - first).toBe(latencyMs + requestTimeoutMs);
    }
    fleet.advance(2 * requestTimeoutMs - batchMs);
    for (const server of servers) expect(timesAsked(server)).toHaveLength(2);
  });

  test('counts provisionally until the confirmation, which corrects what the leader before still did', () => {
    const [server] = takeOverConfigured(1);
    if (!server) return;
    fleet.rooms.set(server, { r: 1 });
    fleet.advance(batchMs);
    expect(fleet.tally.totals.get('r')).toBe(1);
    // A late request of the leader before took the server's URL: its posts are missing from now on.
    fleet.rooms.set(server, { r: 5 });
    fleet.advance(requestTimeoutMs);
    expect(fleet.tally.totals.get('r')).toBe(5);
  });

  test('does the same with servers that it learns of only now', () => {
    const [server = ''] = takeOver(1);
    fleet.advance(2 * requestTimeoutMs);
    expect(fleet.sent('silence.requested')).toEqual([]);
    expect(timesAsked(server)).toHaveLength(2);
  });

  test('asks a server that does not answer again, and confirms the first snapshot that it then gets', () => {
    fleet = new ScriptedFleet(serverIds(1), {}, { begins: 'lingering', term: 8 });
    const [server = ''] = serverIds(1);
    fleet.behaviour = 'fail';
    fleet.advance(100);
    fleet.connect();
    fleet.behaviour = 'answer';
    fleet.advance(1000);
    const before = timesAsked(server).length;
    expect(fleet.state).toBe('watched');
    fleet.advance(requestTimeoutMs);
    expect(timesAsked(server)).toHaveLength(before + 1);
  });

  test('is shut down by silencing it', () => {
    const servers = takeOverConfigured(2);
    fleet.advance(batchMs);
    fleet.actor.send({ type: 'shutdown.requested' });
    fleet.advance(batchMs);
    expect(fleet.actor.getSnapshot().status).toBe('done');
    expect(new Set(fleet.sent('silence.requested'))).toEqual(new Set(servers));
  });
});

test('a leader that finds the fleet inactive silences it first', () => {
  const servers = serverIds(2);
  fleet = new ScriptedFleet(servers, {}, { begins: 'silencing' });
  fleet.advance(batchMs);
  expect(fleet.sent('activity.requested')).toEqual([]);
  expect(fleet.sent('silence.requested')).toEqual(servers);
  expect(fleet.state).toBe('inactive');
});

test('without a cluster there was no other leader: a server that is found needs no confirmation', () => {
  const [server = ''] = serverIds(1);
  fleet = new ScriptedFleet([], { probeIntervalMs: 1e9 });
  fleet.advance(batchMs);
  fleet.connect();
  fleet.actor.send({ type: 'servers.found', servers: serverIds(1), standing: 'found' });
  fleet.advance(3 * requestTimeoutMs);
  expect(timesAsked(server)).toHaveLength(1);
});
