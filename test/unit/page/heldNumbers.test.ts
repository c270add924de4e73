import { expect, test } from '@jest/globals';
import {
  applyFleetUpdate,
  applyStreamStatus,
  isCurrent,
  known,
  numbersOf,
  roomIndex,
  servers,
} from '../../../server/page/model/fleet.js';
import { serverFacts } from '../../../server/page/model/serverFacts.js';
import { steadyNow } from '../../../server/page/steadyNow.js';
import type { FleetUpdate } from '../../../server/page/stream/messages.js';
import type { ServerView } from '../../../server/wire/serverView.js';
import { eventually } from '../../support/eventually.js';

const server = (id: string, view: Partial<ServerView> = {}): ServerView => ({
  id,
  state: 'live',
  lastHeardAt: null,
  epoch: 1,
  rooms: 1,
  connections: 1,
  overLimit: false,
  lastFailure: null,
  callback: null,
  ...view,
});
const waiting = { state: 'activating', rooms: null, connections: null };
const rooms = (counts: Record<string, number>) => ({
  names: Object.keys(counts),
  counts: Object.values(counts),
});
const complete: FleetUpdate = {
  kind: 'snapshot',
  state: 'active',
  complete: true,
  reason: null,
  servers: [server('a:1'), server('b:1')],
  rooms: rooms({ x: 4, y: 3 }),
};
const restarted: FleetUpdate = {
  kind: 'snapshot',
  state: 'inactive',
  complete: false,
  reason: 'not_counting',
  servers: [server('a:1', waiting), server('b:1', waiting)],
  rooms: rooms({}),
};

const shown = () => roomIndex.shown.map(({ name, connections }) => [name, connections]);
/** What is said of the connections of each server. */
const byServer = () => servers.value.map((row) => numbersOf(row).connections);
const statusNow = () => known.value.status.is;

test('over a restart of the service the numbers are those of before until its servers have answered', () => {
  applyStreamStatus({ kind: 'live' });
  applyFleetUpdate(complete);
  expect(statusNow()).toBe('complete');
  expect(known.value.connections).toEqual({ is: 'known', value: 7 });

  const sinceMs = steadyNow();
  const reason = 'The stream ended';
  applyStreamStatus({ kind: 'reconnecting', sinceMs, reason, retryAtMs: sinceMs });
  expect(known.value.connections).toEqual({ is: 'past', value: 7, atMs: sinceMs });
  // Connected again, it has not told anything yet.
  applyStreamStatus({ kind: 'live' });
  expect(statusNow()).toBe('connecting');
  expect(known.value.connections).toEqual({ is: 'past', value: 7, atMs: sinceMs });
  applyFleetUpdate(restarted);
  const update = { kind: 'changes', state: 'activating', reason: 'servers_missing' } as const;
  applyFleetUpdate({ ...update, servers: [server('a:1')], rooms: rooms({ x: 1, z: 1 }) });
  expect(known.value.status).toEqual({ is: 'asking', answered: 1, servers: 2 });
  expect(known.value.connections).toEqual({ is: 'past', value: 7, atMs: sinceMs });
  expect(shown()).toEqual([
    ['x', 4],
    ['y', 3],
  ]);
  expect(isCurrent.value).toBe(false);

  const answered = { kind: 'changes', state: 'active', complete: true, reason: null } as const;
  applyFleetUpdate({ ...answered, servers: [server('b:1')], rooms: rooms({ z: 5 }) });
  expect(statusNow()).toBe('complete');
  expect(known.value.connections).toEqual({ is: 'known', value: 6 });
  expect(shown()).toEqual([
    ['z', 5],
    ['x', 1],
  ]);
  expect(isCurrent.value).toBe(true);
});

test('over a restart of the service the numbers of servers are of before too, until each has answered', () => {
  applyFleetUpdate(complete);
  expect(byServer()).toEqual([
    { is: 'known', value: 1 },
    { is: 'known', value: 1 },
  ]);
  const sinceMs = steadyNow();
  applyStreamStatus({ kind: 'reconnecting', sinceMs, reason: 'It ended', retryAtMs: sinceMs });
  const [one] = byServer();
  expect(byServer()).toMatchObject([
    { is: 'past', value: 1 },
    { is: 'past', value: 1 },
  ]);
  applyStreamStatus({ kind: 'live' });
  expect(byServer()[0]).toEqual(one);
  // It does not know the second one yet, which was not removed.
  applyFleetUpdate({ ...restarted, servers: [server('a:1', waiting)] });
  expect(servers.value.map(({ state }) => state)).toEqual(['activating', 'unknown']);
  expect(byServer()).toMatchObject([
    { is: 'unknown', last: { value: 1 } },
    { is: 'unknown', last: { value: 1 } },
  ]);
  const activating = { kind: 'changes', state: 'activating' } as const;
  applyFleetUpdate({ ...activating, servers: [server('a:1', { connections: 4 })] });
  expect(statusNow()).toBe('asking');
  expect(byServer()).toMatchObject([{ is: 'known', value: 4 }, { is: 'unknown' }]);
  const answered = { kind: 'changes', state: 'active', complete: true, reason: null } as const;
  applyFleetUpdate({ ...answered, servers: [server('b:1')] });
  expect(byServer()).toMatchObject([
    { is: 'known', value: 4 },
    { is: 'known', value: 1 },
  ]);
});

test('a stream that resumes after a cut has the numbers of now with its first news, or a second later', async () => {
  const cut = () => {
    applyFleetUpdate(complete);
    const sinceMs = steadyNow();
    applyStreamStatus({ kind: 'reconnecting', sinceMs, reason: 'It ended', retryAtMs: sinceMs });
    applyStreamStatus({ kind: 'live' });
    expect(known.value.connections.is).toBe('past');
  };
  cut();
  applyFleetUpdate({ kind: 'changes', rooms: rooms({ x: 5 }) });
  expect(known.value.connections).toEqual({ is: 'known', value: 8 });
  cut();
  await eventually(() => expect(known.value.connections).toEqual({ is: 'known', value: 7 }));
});

test('when no server answers, numbers are unknown, with what they were', () => {
  applyFleetUpdate(complete);
  const away = { state: 'unreachable', rooms: null, connections: null, lastFailure: 'refused' };
  const update = { kind: 'changes', complete: false, reason: 'servers_missing' } as const;
  const late = [server('a:1', { state: 'stale' })];
  applyFleetUpdate({ ...update, servers: late });
  expect(known.value.connections).toEqual({ is: 'partial', value: 7, bound: 'about' });
  const gone = [server('a:1', away), server('b:1', away)];
  applyFleetUpdate({ ...update, servers: gone, rooms: rooms({ x: 0, y: 0 }) });
  expect(statusNow()).toBe('allDown');
  expect(known.value.connections).toMatchObject({ is: 'unknown', last: { value: 7 } });
});

test('a service that begins to count again without a restart is not taken for one', () => {
  applyFleetUpdate(complete);
  applyFleetUpdate(restarted);
  expect(statusNow()).toBe('starting');
  expect(known.value.connections.is).toBe('unknown');
});

test('servers are counted by how they are heard', () => {
  const rows = [
    server('a:1'),
    server('b:1', { state: 'stale' }),
    server('c:1', { state: 'deaf' }),
    server('d:1', waiting),
    server('e:1', { ...waiting, lastFailure: 'refused' }),
    server('f:1', { overLimit: true }),
    server('g:1', { state: 'unreachable', connections: null }),
    server('h:1', { state: 'gone', connections: null }),
  ];
  expect(serverFacts(rows)).toEqual({
    present: 7,
    counted: 4,
    pending: 1,
    live: 2,
    deaf: 1,
    late: 1,
    overLimit: 1,
  });
});
