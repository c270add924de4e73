import { afterEach, describe, expect, test } from '@jest/globals';
import type { Epoch, ServerId } from '../../../machines/ports.js';
import type { Standing } from '../../../machines/roster.js';
import { ScriptedFleet, serverIds, watchedFleet } from './support/scriptedFleet.js';
import { overdueMs, timing } from './support/scriptedPubSubServer.js';

const configured = '10.1.0.1:8001' as ServerId;
const stranger = '10.2.0.1:8001' as ServerId;
const removeAfterMs = 600_000;

let fleet: ScriptedFleet;
afterEach(() => {
  expect(fleet.errors).toEqual([]);
  expect(fleet.unpublished).toEqual([]);
  fleet.actor.stop();
});

const find = (servers: readonly ServerId[], standing: Standing) =>
  fleet.actor.send({ type: 'servers.found', servers, standing });
const shown = () => [...fleet.roster.shown()].map(({ server }) => server);

describe('a candidate', () => {
  test('is neither shown nor counted nor waited for until it answers', () => {
    fleet = watchedFleet([configured]);
    fleet.behaviours.set(stranger, 'hang');
    find([stranger], 'candidate');
    expect(fleet.state).toBe('watched');
    expect([fleet.roster.size, fleet.roster.live, fleet.roster.candidates]).toEqual([1, 1, 1]);
    expect(shown()).toEqual([configured]);
    expect(fleet.roster.takeChanged().has(stranger)).toBe(false);
    expect(fleet.sent('activity.requested')).toContain(stranger);
  });

  test('is found, and shown, once it has answered', () => {
    fleet = watchedFleet([configured]);
    fleet.rooms.set(stranger, { r: 2 });
    find([stranger], 'candidate');
    fleet.advance(100);
    expect(fleet.roster.get(stranger)?.standing).toBe('found');
    expect(shown()).toEqual([configured, stranger]);
    expect([fleet.roster.size, fleet.roster.live, fleet.roster.candidates]).toEqual([2, 2, 0]);
    expect(fleet.tally.totals.get('r')).toBe(2);
    expect(fleet.roster.takeChanged().has(stranger)).toBe(true);
    expect(fleet.discovery).toContainEqual({ type: 'server.proved', server: stranger });
  });

  test('is dropped after three failures, its actor too', () => {
    fleet = watchedFleet([configured]);
    fleet.behaviours.set(stranger, 'fail');
    find([stranger], 'candidate');
    fleet.advance(60_000);
    expect(fleet.sent('activity.requested').filter((id) => id === stranger)).toHaveLength(3);
    expect(fleet.roster.get(stranger)).toBeUndefined();
    expect(fleet.actors).toEqual([`server:${configured}`]);
  });

  test('is dropped after three failures even if it is unreachable earlier', () => {
    fleet = watchedFleet([configured], { probeIntervalMs: 10, requestTimeoutMs: 20 });
    fleet.behaviours.set(stranger, 'fail');
    find([stranger], 'candidate');
    fleet.advance(200);
    expect(fleet.status(stranger)).toBe('unreachable');
    fleet.advance(2000);
    expect(fleet.roster.get(stranger)).toBeUndefined();
  });

  test('gets no requests while nobody watches', () => {
    fleet = new ScriptedFleet([configured]);
    find([stranger], 'candidate');
    fleet.advance(100);
    expect(fleet.state).toBe('inactive');
    fleet.advance(60_000);
    expect(fleet.sent('silence.requested')).toEqual([configured]);
    expect(fleet.sent('activity.requested')).toEqual([]);
    fleet.connect();
    fleet.advance(100);
    expect(shown()).toEqual([configured, stranger]);
  });

  test('is silenced if it was asked to be active before', () => {
    fleet = watchedFleet([configured], { lingerMs: 0 });
    fleet.behaviours.set(stranger, 'hang');
    find([stranger], 'candidate');
    fleet.disconnect();
    fleet.advance(100);
    expect(fleet.state).toBe('inactive');
    fleet.behaviours.delete(stranger);
    fleet.reply({ type: 'probe.requested' }, stranger, 'fail');
    fleet.advance(1000);
    expect(fleet.sent('silence.requested', 2000)).toContain(stranger);
    expect(fleet.status(stranger)).toBe('silent');
  });

  test('with a start-up query is activated once, 50 ms after the answer', () => {
    fleet = watchedFleet([configured]);
    const sinceMs = fleet.clock.nowMs;
    fleet.actor.send({ type: 'startup.answered', servers: [stranger] });
    fleet.advance(49);
    expect(fleet.sent('activity.requested', sinceMs)).toEqual([]);
    fleet.advance(1000);
    expect(fleet.sent('activity.requested', sinceMs)).toEqual([stranger]);
    expect(fleet.sent('silence.requested', sinceMs)).toEqual([]);
    expect(fleet.roster.get(stranger)?.standing).toBe('found');
  });

  test('is shown before it answers once its address is known to be that of a server', () => {
    fleet = watchedFleet([configured]);
    fleet.behaviours.set(stranger, 'hang');
    find([stranger], 'candidate');
    fleet.advance(100);
    find([stranger], 'found');
    expect(shown()).toEqual([configured, stranger]);
    expect(fleet.unpublished).toEqual([]);
  });

  test('that confirms its silence while it has to be silenced again is shown at once', () => {
    fleet = watchedFleet([configured], { lingerMs: 0 });
    fleet.behaviours.set(stranger, 'hang');
    find([stranger], 'candidate');
    fleet.disconnect();
    fleet.advance(0);
    fleet.reply({ type: 'probe.requested' }, stranger, 'fail');
    fleet.advance(1000);
    expect(fleet.requests.at(-1)).toMatchObject({ type: 'silence.requested', server: stranger });
    fleet.actor.send({ type: 'evidence.found', servers: [stranger] });
    fleet.advance(0);
    fleet.reply({ type: 'silence.requested', epoch: 0 as Epoch }, stranger, 'answer');
    expect(fleet.status(stranger)).toBe('silencing');
    expect(shown()).toEqual([configured, stranger]);
    expect(fleet.unpublished).toEqual([]);
  });

  test('is not added twice', () => {
    fleet = watchedFleet([configured]);
    find([configured, configured], 'candidate');
    find([stranger, stranger], 'candidate');
    expect(fleet.roster.get(configured)?.standing).toBe('configured');
    expect([fleet.roster.size, fleet.roster.candidates]).toEqual([1, 1]);
    fleet.advance(100);
    expect(fleet.sent('activity.requested').filter((id) => id === stranger)).toHaveLength(1);
  });

  test('replaces the oldest of 1,024 candidates, and no other server', () => {
    fleet = watchedFleet([configured]);
    fleet.behaviour = 'hang';
    const many = serverIds(1100);
    find(many.slice(0, 1050), 'candidate');
    expect(fleet.roster.candidates).toBe(1024);
    fleet.actor.send({ type: 'startup.answered', servers: many.slice(1050) });
    expect(fleet.roster.candidates).toBe(1024);
    expect(fleet.actors).toHaveLength(1025);
    const kept = many.filter((id) => fleet.roster.get(id));
    expect(kept).toEqual(many.slice(1100 - 1024));
    expect(fleet.roster.get(configured)?.standing).toBe('configured');
  });

  test('that answers during deactivation does not delay it', () => {
    fleet = new ScriptedFleet([configured]);
    fleet.behaviours.set(configured, 'hang');
    find([stranger], 'candidate');
    fleet.actor.send({ type: 'evidence.found', servers: [stranger] });
    fleet.advance(100);
    expect([fleet.status(stranger), fleet.roster.get(stranger)?.standing]).toEqual([
      'silent',
      'found',
    ]);
    fleet.reply({ type: 'silence.requested', epoch: 0 as Epoch }, configured, 'answer');
    expect(fleet.state).toBe('inactive');
  });

  test('that a source of discovery names is silenced like every known server', () => {
    fleet = new ScriptedFleet([configured]);
    find([stranger], 'candidate');
    fleet.actor.send({ type: 'servers.discovered', servers: [stranger] });
    fleet.advance(100);
    expect(fleet.state).toBe('inactive');
    expect(fleet.sent('silence.requested')).toContain(stranger);
  });
});

describe('a server that was found', () => {
  const lose = () => {
    fleet.behaviours.set(stranger, 'fail').set(configured, 'fail');
    fleet.advance(overdueMs + removeAfterMs + 10_000);
  };

  test('is removed after ten minutes unreachable, but a configured one never is', () => {
    fleet = watchedFleet([configured]);
    find([stranger], 'found');
    fleet.rooms.set(stranger, { r: 1 });
    fleet.advance(100);
    lose();
    expect(fleet.roster.get(stranger)).toBeUndefined();
    expect(fleet.status(configured)).toBe('unreachable');
    expect(fleet.actors).toEqual([`server:${configured}`]);
    expect(fleet.roster.takeChanged().has(stranger)).toBe(true);
    expect(fleet.discovery).toContainEqual({ type: 'server.forgotten', server: stranger });
  });

  test('is shown no longer once it is lost', () => {
    fleet = watchedFleet([configured]);
    find([stranger], 'found');
    fleet.advance(100);
    fleet.behaviour = 'hang';
    fleet.advance(overdueMs + 10_000);
    fleet.behaviours.set(configured, 'answer');
    fleet.advance(removeAfterMs);
    expect(shown()).toEqual([configured]);
  });

  test('returns as a candidate when it posts, and is counted exactly again', () => {
    fleet = watchedFleet([configured]);
    find([stranger], 'found');
    fleet.advance(100);
    const epoch = fleet.tally.baseOf(stranger) as Epoch;
    lose();
    fleet.behaviours.clear();
    fleet.rooms.set(stranger, { r: 4 });
    fleet.post(stranger, 1, epoch);
    expect(fleet.roster.get(stranger)?.standing).toBe('candidate');
    fleet.advance(100);
    expect(fleet.roster.get(stranger)?.standing).toBe('found');
    expect(fleet.tally.totals.get('r')).toBe(4);
  });

  test('stays as long as a source of discovery names it', () => {
    fleet = watchedFleet([configured]);
    fleet.actor.send({ type: 'servers.discovered', servers: [stranger] });
    fleet.advance(100);
    lose();
    expect(fleet.status(stranger)).toBe('unreachable');
    const { published } = fleet;
    fleet.actor.send({ type: 'servers.discovered', servers: [] });
    expect(fleet.roster.get(stranger)).toBeUndefined();
    expect(fleet.roster.get(configured)).toBeDefined();
    // Nothing else would have viewers told that it is gone.
    expect(fleet.published).toBeGreaterThan(published);
  });

  test('stays if it answers, even if no source names it any longer', () => {
    fleet = watchedFleet([configured]);
    fleet.actor.send({ type: 'servers.discovered', servers: [stranger] });
    fleet.advance(100);
    fleet.actor.send({ type: 'servers.discovered', servers: [] });
    expect(fleet.status(stranger)).toBe('live');
  });

  test('that only the rooms table names and that never answered is removed once it is unreachable', () => {
    fleet = watchedFleet([configured]);
    const [leftOver, crashed] = [stranger, '10.2.0.2:8001' as ServerId];
    const name = () =>
      fleet.actor.send({
        type: 'servers.discovered',
        servers: [leftOver, crashed],
        fromRooms: [leftOver, crashed],
      });
    fleet.behaviours.set(leftOver, 'fail');
    name();
    fleet.advance(100);
    fleet.behaviours.set(crashed, 'fail');
    fleet.advance(overdueMs - 200);
    name();
    expect(fleet.roster.get(leftOver)).toBeDefined();
    fleet.advance(10_000);
    name();
    expect(fleet.roster.get(leftOver)).toBeUndefined();
    expect(fleet.discovery).toContainEqual({ type: 'server.forgotten', server: leftOver });
    // It has been a server: it may come back, and its connections are missing from the totals.
    expect(fleet.status(crashed)).toBe('unreachable');
    fleet.advance(removeAfterMs);
    expect(fleet.roster.get(crashed)).toBeUndefined();
    expect(fleet.roster.live).toBe(fleet.roster.size);
  });

  const nameByRooms = () =>
    fleet.actor.send({ type: 'servers.discovered', servers: [stranger], fromRooms: [stranger] });

  test('that only claimed to be one before the rooms table named it is removed, too', () => {
    fleet = watchedFleet([configured]);
    fleet.behaviours.set(stranger, 'hang');
    find([stranger], 'candidate');
    find([stranger], 'candidate');
    nameByRooms();
    fleet.advance(overdueMs + 1000);
    nameByRooms();
    expect(fleet.roster.get(stranger)).toBeUndefined();
  });

  test('does not become a candidate again if another service only claims it', () => {
    fleet = watchedFleet([configured]);
    find([stranger], 'found');
    find([stranger], 'candidate');
    expect(fleet.roster.get(stranger)?.standing).toBe('found');
  });

  test.each([
    ['before', () => find([stranger], 'found'), nameByRooms],
    ['after', nameByRooms, () => find([stranger], 'found')],
  ])('that is remembered %s only the rooms table names it is removed later', (_, first, second) => {
    fleet = watchedFleet([configured]);
    fleet.behaviours.set(stranger, 'fail');
    first();
    second();
    fleet.advance(overdueMs + 1000);
    nameByRooms();
    expect(fleet.status(stranger)).toBe('unreachable');
    fleet.advance(removeAfterMs);
    expect(fleet.roster.get(stranger)).toBeUndefined();
  });

  test('that another source no longer names is removed if it does not answer, even if the rooms table names it', () => {
    fleet = watchedFleet([configured]);
    const servers = [stranger];
    fleet.actor.send({ type: 'servers.discovered', servers });
    fleet.advance(100);
    lose();
    fleet.actor.send({ type: 'servers.discovered', servers, fromRooms: servers });
    expect(fleet.roster.get(stranger)).toBeUndefined();
  });

  test('is told to post updates while they are watched, like every known server', () => {
    fleet = watchedFleet([configured]);
    expect(fleet.requests.at(-1)).toMatchObject({ withUpdates: false });
    fleet.actor.send({ type: 'updates.watched' });
    fleet.advance(1000);
    find([stranger], 'found');
    fleet.advance(1000);
    const wishes = () =>
      [configured, stranger].map((id) => {
        const told = fleet.requests.filter(({ server }) => server === id);
        return told.findLast(({ type }) => type === 'activity.requested');
      });
    expect(wishes()).toMatchObject([{ withUpdates: true }, { withUpdates: true }]);
    fleet.actor.send({ type: 'updates.unwatched' });
    fleet.advance(1000);
    expect(wishes()).toMatchObject([{ withUpdates: false }, { withUpdates: false }]);
  });

  test('is told nothing when another viewer watches updates, or one of several leaves', () => {
    fleet = watchedFleet([configured]);
    fleet.actor.send({ type: 'updates.watched' });
    fleet.advance(100);
    const { length } = fleet.requests;
    fleet.actor.send({ type: 'updates.watched' });
    fleet.actor.send({ type: 'updates.unwatched' });
    fleet.advance(100);
    expect(fleet.requests).toHaveLength(length);
  });

  test('is silenced while nobody watches', () => {
    fleet = new ScriptedFleet([configured]);
    fleet.advance(100);
    find([stranger], 'found');
    fleet.advance(100);
    expect(fleet.sent('silence.requested')).toEqual([configured, stranger]);
    expect(fleet.sent('activity.requested')).toEqual([]);
  });
});

test('evidence against an unknown server changes nothing', () => {
  fleet = new ScriptedFleet([configured]);
  fleet.actor.send({ type: 'evidence.found', servers: [stranger] });
  fleet.advance(1000);
  expect(fleet.sent('silence.requested')).toEqual([configured]);
  expect(fleet.state).toBe('inactive');
});

describe('deltas', () => {
  test('of a silent server are not counted, and it is silenced again', () => {
    fleet = new ScriptedFleet([configured]);
    fleet.advance(100);
    fleet.post(configured, 1, 1 as Epoch);
    fleet.post(configured, 1, 1 as Epoch);
    expect(fleet.tally.connections).toBe(0);
    fleet.advance(60_000);
    expect(fleet.sent('silence.requested')).toEqual([configured, configured]);
    expect([fleet.state, fleet.status(configured)]).toEqual(['inactive', 'silent']);
  });

  test('of a silent server say nothing about the others of its host', () => {
    const sibling = '10.1.0.1:8002' as ServerId;
    fleet = new ScriptedFleet([configured, sibling]);
    fleet.advance(100);
    const sinceMs = fleet.clock.nowMs;
    const post = { server: configured, epoch: 1 as Epoch, fromStartup: false, deltas: [] };
    fleet.actor.send({ type: 'deltas.received', posts: [post, post] });
    fleet.advance(100);
    expect(fleet.sent('silence.requested', sinceMs)).toEqual([configured]);
  });

  test('of which one is on the URL of a start-up answer may be of any server at that address', () => {
    const sibling = '10.1.0.1:8002' as ServerId;
    fleet = new ScriptedFleet([configured, sibling]);
    fleet.advance(100);
    const sinceMs = fleet.clock.nowMs;
    const post = { server: configured, epoch: 1 as Epoch, fromStartup: false, deltas: [] };
    const posts = [{ ...post, fromStartup: true }, post];
    fleet.actor.send({ type: 'deltas.received', posts });
    fleet.advance(100);
    expect(fleet.sent('silence.requested', sinceMs)).toEqual([configured, sibling]);
  });

  test('show that a server is not deaf', () => {
    fleet = watchedFleet([configured]);
    fleet.rooms.set(configured, { r: 1 });
    fleet.actor.send({ type: 'evidence.found', servers: [configured] });
    fleet.advance(100);
    fleet.rooms.set(configured, { r: 2 });
    fleet.advance(timing.probeIntervalMs + timing.requestTimeoutMs);
    expect(fleet.status(configured)).toBe('deaf');
    fleet.post(configured, 1);
    expect(fleet.status(configured)).toBe('live');
  });

  test('of a server that could not be silenced cause another attempt', () => {
    fleet = new ScriptedFleet([configured]);
    fleet.behaviours.set(configured, 'fail');
    fleet.advance(20_000);
    expect([fleet.state, fleet.status(configured)]).toEqual(['inactive', 'unknown']);
    fleet.behaviours.clear();
    fleet.post(configured, 1, 1 as Epoch);
    fleet.advance(100);
    expect(fleet.status(configured)).toBe('silent');
  });

  test('of a server that is being silenced are ignored', () => {
    fleet = watchedFleet([configured], { lingerMs: 0 });
    fleet.behaviours.set(configured, 'hang');
    const epoch = fleet.tally.baseOf(configured) as Epoch;
    fleet.disconnect();
    fleet.advance(10);
    for (let i = 0; i < 9; i += 1) fleet.post(configured, 1, epoch);
    fleet.reply({ type: 'silence.requested', epoch }, configured, 'answer');
    fleet.advance(60_000);
    expect(fleet.sent('silence.requested', 1000)).toEqual([configured]);
    expect([fleet.state, fleet.tally.connections]).toEqual(['inactive', 0]);
  });

  test('of a removed server cause it to be silenced, too', () => {
    fleet = new ScriptedFleet([configured]);
    fleet.advance(100);
    fleet.post(stranger, 1, 1 as Epoch);
    fleet.post(stranger, 1, 1 as Epoch);
    fleet.advance(100);
    expect(fleet.sent('silence.requested')).toContain(stranger);
    expect([fleet.state, fleet.status(stranger)]).toEqual(['inactive', 'silent']);
  });

  test('are counted from the state activating on', () => {
    fleet = new ScriptedFleet([configured]);
    fleet.advance(100);
    fleet.connect();
    const { epoch } = fleet.requests.at(-1) as { epoch: Epoch };
    fleet.post(configured, 1, epoch);
    expect(fleet.tally.connections).toBe(0);
    fleet.advance(100);
    expect(fleet.tally.totals.get('r')).toBe(1);
    fleet.post(configured, 2);
    expect(fleet.tally.totals.get('r')).toBe(3);
  });

  test.each([
    ['while somebody looks', 'activity.requested', watchedFleet],
    ['while nobody does', 'silence.requested', (servers: ServerId[]) => new ScriptedFleet(servers)],
  ] as const)(
    'on the URL of a start-up answer may be of any server at that address, %s',
    (_, told, begin) => {
      const [sibling, other] = ['10.1.0.1:8002', '10.1.0.2:8001'] as ServerId[];
      fleet = begin([configured, sibling as ServerId, other as ServerId]);
      fleet.advance(100);
      const sinceMs = fleet.clock.nowMs;
      fleet.post(configured, 1, 0 as Epoch, true);
      fleet.advance(100);
      expect(fleet.sent(told, sinceMs)).toEqual([configured, sibling]);
    },
  );

  test('that raise a lasting doubt cause a request to their server', () => {
    fleet = watchedFleet([configured], { probeIntervalMs: 1e9, resyncIntervalMs: 1e9 });
    fleet.post(configured, -1);
    fleet.advance(374);
    expect(fleet.sent('activity.requested')).toHaveLength(1);
    fleet.advance(1);
    expect(fleet.sent('activity.requested')).toHaveLength(2);
  });
});
