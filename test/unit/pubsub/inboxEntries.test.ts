import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Epoch, ServerId } from '../../../machines/ports.js';
import type { InboxQuery } from '../../../server/cluster/inbox.js';
import { queryEntry, takeInboxEntry } from '../../../server/pubsub/inboxEntries.js';
import { serverIds } from '../machines/support/scriptedFleet.js';
import type { LeadingReceiver } from './support/leadingReceiver.js';
import { startLeaders } from './support/startLeaders.js';

const term = 1_764_000_000_000;
const [server = '' as ServerId, other = '' as ServerId] = serverIds(2);
const host = server.split(':')[0] ?? '';
const newcomer = '10.9.0.1:8001' as ServerId;
const queryOf = (address: string): InboxQuery => ({ address, port: 8001, isForwarded: false });

const start = startLeaders();
let world: LeadingReceiver;
const lead = (begins: 'lingering' | 'silencing') => {
  world = start({ term, servers: [server, other], begins });
};
const settle = () => world.advance(100);
const asked = (id: ServerId) =>
  world.fleet.requests.filter((request) => request.server === id).map(({ type }) => type);

describe('a leader of an active fleet', () => {
  beforeEach(() => {
    lead('lingering');
    settle();
  });

  test('asks an unknown server whose query another instance answered', () => {
    world.fleet.rooms.set(newcomer, { r: 2 });
    takeInboxEntry(world.receiver, { kind: 'query', query: queryOf('10.9.0.1') });
    settle();
    expect(world.fleet.roster.get(newcomer)?.standing).toBe('found');
    expect(world.fleet.tally.totals.get('r')).toBe(2);
  });

  test('asks a known server again that has asked another instance: it has restarted', () => {
    takeInboxEntry(world.receiver, { kind: 'query', query: queryOf(host) });
    settle();
    expect([asked(server).length, asked(other).length]).toEqual([2, 1]);
  });

  test('does nothing about a renewal that is as it should be', () => {
    const epoch = world.fleet.tally.baseOf(server) as Epoch;
    const token = world.tokens.mint({ kind: 'server', server, epoch, fromStartup: false });
    const renewal = { isActive: true, eventsUrl: `http://a/api/events?token=${token}` };
    takeInboxEntry(world.receiver, { kind: 'query', query: { ...queryOf(host), renewal } });
    settle();
    expect(asked(server)).toHaveLength(1);
  });

  test('asks a server again whose post was lost', () => {
    const epoch = world.fleet.tally.baseOf(server) as Epoch;
    const claims = { kind: 'server', server, epoch, fromStartup: false, term } as const;
    takeInboxEntry(world.receiver, { kind: 'post', claims });
    settle();
    expect([asked(server).length, asked(other).length]).toEqual([2, 1]);
  });

  test('asks the servers at an address from which somebody posted without a token', () => {
    takeInboxEntry(world.receiver, { kind: 'stranger', address: host });
    settle();
    expect([asked(server).length, asked(other).length]).toEqual([2, 1]);
  });

  test('asks an unknown server that posted with a token of this cluster', () => {
    const claims = {
      kind: 'server',
      server: newcomer,
      epoch: 7 as Epoch,
      fromStartup: false,
    } as const;
    takeInboxEntry(world.receiver, { kind: 'post', claims: { ...claims, term: term - 1 } });
    settle();
    expect(world.fleet.roster.get(newcomer)?.standing).toBe('found');
  });

  test('leaves the query of an unknown server in the inbox itself, and heeds it once', () => {
    const query = { ...queryOf('10.9.0.1'), localAddress: '10.0.0.5' };
    world.receiver.answerStartup(query).afterwards();
    expect(world.newcomers).toEqual([query]);
    settle();
    const before = asked(newcomer).length;
    takeInboxEntry(world.receiver, queryEntry(query, term));
    settle();
    expect(asked(newcomer)).toHaveLength(before);
    world.receiver.answerStartup(query).afterwards();
    expect(world.newcomers).toHaveLength(1);
  });

  test('heeds what a leader before it has heeded', () => {
    takeInboxEntry(world.receiver, queryEntry(queryOf('10.9.0.1'), term - 1));
    settle();
    expect(world.fleet.roster.get(newcomer)?.standing).toBe('found');
  });
});

describe('what is posted with a token that names only an address', () => {
  const posted = { deltas: [{ room: 'r', add: 1 }], updates: [] };
  const due = () =>
    [...world.fleet.roster].map(({ server: id }) => world.fleet.tally.snapshotDue.has(id));

  test.each([
    ['of this term', term],
    ['of an earlier term', term - 1],
  ])('%s is missing until the next snapshot of the servers there', (_name, of) => {
    lead('lingering');
    settle();
    world.receiver.take({ kind: 'address', address: host, term: of }, posted);
    expect(due()).toEqual([true, false]);
    world.fleet.rooms.set(server, { r: 1 });
    settle();
    expect(due()).toEqual([false, false]);
    expect(world.fleet.tally.totals.get('r')).toBe(1);
    expect(asked(server)).toHaveLength(2);
  });

  test('is not missed before their first snapshot, which contains it', () => {
    lead('lingering');
    world.receiver.take({ kind: 'address', address: host, term: term - 1 }, posted);
    settle();
    expect(due()).toEqual([false, false]);
    expect(asked(server)).toHaveLength(1);
  });

  test('is not missed while nobody watches', () => {
    lead('silencing');
    settle();
    world.receiver.take({ kind: 'address', address: host, term }, posted);
    settle();
    expect(due()).toEqual([false, false]);
    expect(asked(server)).toEqual(['silence.requested', 'silence.requested']);
  });
});

test('a leader of a silent fleet tells an unknown server once to be silent', () => {
  lead('silencing');
  settle();
  takeInboxEntry(world.receiver, { kind: 'query', query: queryOf('10.9.0.1') });
  settle();
  expect(asked(newcomer)).toEqual(['silence.requested']);
  expect(asked(server)).toEqual(['silence.requested']);
});
