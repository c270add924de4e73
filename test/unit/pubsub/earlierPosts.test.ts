import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Epoch, ServerId, Term } from '../../../machines/ports.js';
import { EventTokens, tokenKey, unknownAddress } from '../../../server/pubsub/eventTokens.js';
import { serverIds } from '../machines/support/scriptedFleet.js';
import type { LeadingReceiver } from './support/leadingReceiver.js';
import { startLeaders } from './support/startLeaders.js';

const term = 1_764_000_000_000;
const earlier = term - 5000;
const [server = '' as ServerId, other = '' as ServerId] = serverIds(2);
const stranger = '10.9.0.1:8001' as ServerId;
const host = server.split(':')[0] ?? '';
const delta = { deltas: [{ room: 'r', add: 1 }], updates: [] };

const start = startLeaders();
const lead = (servers: ServerId[], begins: 'lingering' | 'silencing') =>
  start({ term, servers, begins });

let world: LeadingReceiver;
beforeEach(() => {
  world = lead([server, other], 'lingering');
});

const claims = (of: Term, more: object = {}) =>
  ({ kind: 'server', server, epoch: 7 as Epoch, fromStartup: false, term: of, ...more }) as const;
const asked = (id: ServerId) =>
  world.fleet.requests.filter((request) => request.server === id).length;
/** Until requests of now have been answered. */
const settle = () => world.advance(100);

describe('before the first snapshot of this term, a post of an earlier one', () => {
  test('is ignored: the snapshot will contain it', () => {
    world.fleet.rooms.set(server, { r: 3 });
    world.receiver.take(claims(earlier), delta);
    settle();
    expect(world.fleet.tally.totals.get('r')).toBe(3);
    expect(asked(server)).toBe(1);
  });

  test('makes an unknown server a candidate, which is asked', () => {
    world.receiver.take(claims(earlier, { server: stranger }), delta);
    expect(world.fleet.roster.get(stranger)?.standing).toBe('candidate');
    settle();
    expect(world.fleet.roster.get(stranger)?.standing).toBe('found');
  });

  test.each([
    ['of an address', { kind: 'address', address: host, term: earlier }],
    ['of a sender behind a proxy', { kind: 'address', address: unknownAddress, term: earlier }],
    ['of a start-up answer', claims(earlier, { fromStartup: true })],
  ] as const)('%s is ignored too', (_name, sent) => {
    world.receiver.take(sent, delta);
    settle();
    expect([asked(server), asked(other)]).toEqual([1, 1]);
  });
});

describe('after the first snapshot, a post of an earlier term', () => {
  beforeEach(() => settle());

  test('is evidence: its server is asked again, and the post is not counted', () => {
    world.receiver.take(claims(earlier), delta);
    settle();
    expect(world.fleet.tally.totals.get('r')).toBeUndefined();
    expect([asked(server), asked(other)]).toEqual([2, 1]);
  });

  test('is evidence whatever its epoch: each leader counts its own', () => {
    const epoch = world.fleet.tally.baseOf(server);
    world.receiver.take(claims(earlier, { epoch }), delta);
    settle();
    expect(world.fleet.tally.totals.get('r')).toBeUndefined();
    expect(asked(server)).toBe(2);
  });

  test('is evidence even if it cannot be read', () => {
    world.receiver.noteUncountedPost(claims(earlier));
    settle();
    expect(asked(server)).toBe(2);
  });

  test.each([
    ['of an address', { kind: 'address', address: host, term: earlier } as const],
    ['of a start-up answer', claims(earlier, { fromStartup: true })],
  ])('%s is evidence for the servers there', (_name, sent) => {
    world.receiver.take(sent, delta);
    settle();
    expect([asked(server), asked(other)]).toEqual([2, 1]);
  });

  test('of a sender behind a proxy is evidence for all', () => {
    world.receiver.take({ kind: 'address', address: unknownAddress, term: earlier }, delta);
    settle();
    expect([asked(server), asked(other)]).toEqual([2, 2]);
  });
});

test('posts of this term are counted', () => {
  settle();
  const epoch = world.fleet.tally.baseOf(server);
  world.receiver.take(claims(term, { epoch }), delta);
  settle();
  expect(world.fleet.tally.totals.get('r')).toBe(1);
  expect(asked(server)).toBe(1);
});

test('while nobody watches, a server that posts with a URL of an earlier term is silenced again', () => {
  world.close();
  world = lead([server], 'silencing');
  world.receiver.take(claims(earlier), delta);
  settle();
  expect(asked(server)).toBe(1);
  world.receiver.take(claims(earlier), delta);
  settle();
  expect(world.fleet.sent('silence.requested')).toEqual([server, server]);
});

describe('a renewal', () => {
  const key = tokenKey('secret');
  const query = (of: Term) => {
    const epoch = world.fleet.tally.baseOf(server) ?? (1 as Epoch);
    const token = new EventTokens(key)
      .withTerm(of)
      .mint({ kind: 'server', server, epoch, fromStartup: false });
    const renewal = { isActive: true, eventsUrl: `http://a/api/events?token=${token}` };
    return { address: host, port: 8001, isForwarded: false, renewal };
  };

  test('with the newest URL needs nothing', () => {
    settle();
    const { answer, afterwards } = world.receiver.answerStartup(query(term));
    afterwards();
    settle();
    expect(answer).toEqual({ active: true, eventsUrl: query(term).renewal.eventsUrl });
    expect(asked(server)).toBe(1);
  });

  test('with a URL of an earlier term, even of the same epoch, makes the server be asked', () => {
    settle();
    const { afterwards } = world.receiver.answerStartup(query(earlier));
    afterwards();
    settle();
    expect(asked(server)).toBe(2);
  });
});
