import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Epoch, ServerId } from '../../../machines/ports.js';
import { type DeltaClaims, unknownAddress } from '../../../server/pubsub/eventTokens.js';
import { serverIds } from '../machines/support/scriptedFleet.js';
import type { LeadingReceiver } from './support/leadingReceiver.js';
import { type LeaderOptions, startLeaders } from './support/startLeaders.js';

const term = 1_764_000_000_000;
const [server = '' as ServerId, other = '' as ServerId] = serverIds(2);
const [host = ''] = server.split(':');
const stranger = '10.9.0.1:8001' as ServerId;
const delta = { room: 'r', add: 1 };
const posted = { deltas: [delta], updates: [] };
const update = { room: 'r', update: 'AQI=' };

const lead = startLeaders();
let world: LeadingReceiver;
const start = (options: Partial<LeaderOptions> = {}) => {
  world = lead({ term, servers: [server, other], begins: 'lingering', ...options });
  settle();
};
/** Until requests of now have been answered. */
const settle = () => world.advance(100);

const claims = (change: object = {}) =>
  ({
    kind: 'server',
    server,
    epoch: world.fleet.tally.baseOf(server) as Epoch,
    fromStartup: false,
    term: world.receiver.term,
    ...change,
  }) as const;
const addressClaims = (address: string): DeltaClaims => ({
  kind: 'address',
  address,
  term: world.receiver.term,
});
/** How many requests each of both servers has got. */
const asked = () =>
  [server, other].map(
    (id) => world.fleet.requests.filter((request) => request.server === id).length,
  );
const due = () => [server, other].map((id) => world.fleet.tally.snapshotDue.has(id));
const candidates = () =>
  [...world.fleet.roster].map((member) => member.server).filter((id) => id.startsWith('10.9.'));

describe('a post', () => {
  beforeEach(() => start());

  test('is counted, and is told to those who observe', () => {
    world.receiver.take(claims(), { deltas: [delta], updates: [update] });
    settle();
    expect(world.fleet.tally.totals.get('r')).toBe(1);
    expect(world.told).toEqual([
      ['heard', server],
      ['observed', server, [delta]],
      ['update', 'r', Buffer.from([1, 2])],
    ]);
  });

  test('to the URL of a start-up answer is told to nobody', () => {
    const epoch = world.fleet.tally.nextEpoch();
    world.receiver.take(claims({ epoch, fromStartup: true }), {
      deltas: [delta],
      updates: [update],
    });
    expect(world.told).toEqual([['heard', server]]);
  });

  test('without deltas shows that posts of the server arrive', () => {
    expect(world.fleet.tally.hasPosted(server)).toBe(false);
    world.receiver.take(claims(), { deltas: [], updates: [update] });
    expect(world.fleet.tally.hasPosted(server)).toBe(true);
    expect(world.fleet.tally.hasPosted(other)).toBe(false);
  });

  test('about watched rooms is passed on', () => {
    const entries = [{ room: 'r', lost: true } as const];
    world.receiver.takeContent(server, entries);
    expect(world.told).toEqual([
      ['heard', server],
      ['content', server, entries],
    ]);
  });

  test('that nobody can read is evidence, and shows that posts arrive', () => {
    world.receiver.noteUncountedPost(claims());
    expect(world.fleet.tally.hasPosted(server)).toBe(true);
    settle();
    expect(asked()).toEqual([2, 1]);
  });

  test('about watched rooms that nobody can read is lost, and no evidence', () => {
    world.receiver.noteUncountedPost({ kind: 'content', server, term });
    settle();
    expect(world.told).toEqual([['lost content', server]]);
    expect(asked()).toEqual([1, 1]);
  });

  test('is not counted any more when the receiver is closed', () => {
    world.receiver.take(claims(), posted);
    world.receiver.noteUncountedPost(addressClaims(unknownAddress));
    world.receiver.close();
    settle();
    expect(world.fleet.tally.totals.get('r')).toBeUndefined();
    expect(asked()).toEqual([1, 1]);
  });
});

describe('a post with a token that names an address', () => {
  test('is evidence for the servers there', () => {
    start();
    world.receiver.take(addressClaims(host), posted);
    expect(due()).toEqual([true, false]);
    settle();
    expect(asked()).toEqual([2, 1]);
  });

  test('is not missing if it has no deltas', () => {
    start();
    world.receiver.take(addressClaims(host), { deltas: [], updates: [] });
    expect(due()).toEqual([false, false]);
  });

  test('is not missing without a cluster: no other instance gave the URL', () => {
    start({ term: undefined });
    world.receiver.take(addressClaims(host), posted);
    expect(due()).toEqual([false, false]);
  });

  test('is evidence for all servers if the address is unknown, at once and again 2 s later', () => {
    start({ term: undefined });
    for (let ms = 0; ms < 2500; ms += 100) {
      world.receiver.take(addressClaims(unknownAddress), posted);
      world.advance(100);
    }
    const times = (id: ServerId) =>
      world.fleet.requests
        .filter((request) => request.server === id)
        .filter((request) => 'reason' in request && request.reason === 'evidence')
        .map(({ atMs }) => atMs);
    const [first = 0, second = 0, ...more] = times(server);
    expect([second - first, more]).toEqual([2000, []]);
    expect(times(other)).toEqual(times(server));
    expect(due()).toEqual([false, false]);
  });

  test('of an unknown address is evidence for all servers while nobody watches, too', () => {
    start({ begins: 'silencing' });
    world.receiver.take(addressClaims(unknownAddress), posted);
    settle();
    expect(asked()).toEqual([2, 2]);
    expect(world.fleet.sent('activity.requested')).toEqual([]);
  });
});

describe('a post without a token', () => {
  test('from an address where no pub-sub server may be is nothing', () => {
    start();
    world.receiver.notePostWithoutToken('192.0.2.1');
    settle();
    expect([asked(), world.fleet.roster.size]).toEqual([[1, 1], 2]);
  });

  test('from such an address is no evidence for a server there, which was configured', () => {
    const outside = '192.0.2.1:8001' as ServerId;
    start({ servers: [outside] });
    world.receiver.notePostWithoutToken('192.0.2.1');
    settle();
    expect(world.fleet.requests).toHaveLength(1);
  });

  test('is evidence for the servers at its address, and adds none', () => {
    start();
    world.receiver.notePostWithoutToken(host);
    settle();
    expect([asked(), world.fleet.roster.size]).toEqual([[2, 1], 2]);
  });

  test('makes its unknown sender a candidate', () => {
    start();
    world.fleet.behaviours.set(stranger, 'fail');
    world.receiver.notePostWithoutToken('10.9.0.1');
    expect(world.fleet.roster.get(stranger)?.standing).toBe('candidate');
    expect(candidates()).toEqual([stranger]);
  });

  test('adds nobody if strangers need a signature', () => {
    start({ takesStrangers: false });
    world.receiver.notePostWithoutToken('10.9.0.1');
    world.receiver.notePostWithoutToken(host);
    settle();
    expect([asked(), candidates()]).toEqual([[2, 1], []]);
  });

  test('adds the server at the usual port, even if somebody claims to be at another one', () => {
    start();
    const unusual = '10.9.0.1:9000' as ServerId;
    world.fleet.behaviours.set(unusual, 'fail');
    const found = { type: 'servers.found', servers: [unusual], standing: 'candidate' } as const;
    world.fleet.actor.send(found);
    world.receiver.notePostWithoutToken('10.9.0.1');
    expect(candidates()).toEqual([unusual, stranger]);
  });

  test('adds no server at the usual port beside one that is known to be at another', () => {
    const unusual = '10.9.0.1:9000' as ServerId;
    start({ servers: [server, other, unusual] });
    world.receiver.notePostWithoutToken('10.9.0.1');
    settle();
    expect(candidates()).toEqual([unusual]);
  });
});

describe('a post of an earlier leader’s term', () => {
  const [first, second] = ['10.0.0.7:8001', '10.0.0.7:8002'] as [ServerId, ServerId];
  const earlier = { term: term - 1, server: first, epoch: 7 as Epoch };
  const askedThere = () =>
    [first, second].map(
      (id) => world.fleet.requests.filter((request) => request.server === id).length,
    );

  test('is evidence for its server, and not for another one at the same host', () => {
    start({ servers: [first, second] });
    world.receiver.take(claims(earlier), posted);
    settle();
    expect(askedThere()).toEqual([2, 1]);
  });

  test('to the URL of a start-up answer is evidence for each server at the host', () => {
    start({ servers: [first, second] });
    world.receiver.take(claims({ ...earlier, fromStartup: true }), posted);
    settle();
    expect(askedThere()).toEqual([2, 2]);
  });

  test('to the URL of a start-up answer adds no server at a known host', () => {
    start({ servers: [first, second] });
    const unknown = '10.0.0.7:9999' as ServerId;
    world.receiver.take(claims({ ...earlier, server: unknown, fromStartup: true }), posted);
    expect(world.fleet.roster.get(unknown)).toBeUndefined();
  });

  test.each([
    [
      'the URL of a start-up answer',
      () => claims({ ...earlier, server: stranger, fromStartup: true }),
    ],
    ['a URL that names its address', () => ({ ...addressClaims('10.9.0.1'), term: term - 1 })],
  ])('to %s makes its unknown sender a candidate', (_, of) => {
    start();
    world.fleet.behaviours.set(stranger, 'fail');
    world.receiver.take(of(), posted);
    expect(candidates()).toEqual([stranger]);
  });
});

test('every batch of posts is told when the machine has taken it', () => {
  const batches: number[] = [];
  start({ onBatch: ({ deltas }) => batches.push(deltas + world.fleet.tally.connections) });
  world.receiver.take(claims(), posted);
  settle();
  expect(batches).toEqual([2]);
});
