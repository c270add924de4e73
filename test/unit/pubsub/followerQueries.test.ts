import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Epoch, Leader, ServerId, Term } from '../../../machines/ports.js';
import { parseNetworks } from '../../../server/addresses.js';
import type { InboxEntry } from '../../../server/cluster/inbox.js';
import { AddressBook } from '../../../server/pubsub/addressBook.js';
import { CallbackUrls } from '../../../server/pubsub/callbackUrls.js';
import {
  EventTokens,
  type TokenClaims,
  tokenIn,
  tokenKey,
} from '../../../server/pubsub/eventTokens.js';
import { FollowerQueries } from '../../../server/pubsub/followerQueries.js';
import type { StartupQuery } from '../../../server/pubsub/startupQuery.js';

const term = 1_764_000_000_000;
const tokens = new EventTokens(tokenKey('secret'));
const own = 'http://10.0.0.6:8000/api/events';
const inactive = { active: false, eventsUrl: 'http://0.0.0.0:8000/api/events' };
const query: StartupQuery = {
  address: '10.0.0.3',
  port: 8001,
  isForwarded: false,
  localAddress: '10.0.0.6',
};

let leader: Leader | undefined;
let inbox: InboxEntry[];
let queries: FollowerQueries;

beforeEach(() => {
  leader = { instance: 'a', term, url: 'http://10.0.0.5:8000', isActive: true };
  inbox = [];
  queries = queriesIn('10.0.0.0/8');
});

const queriesIn = (networks: string) =>
  new FollowerQueries({
    leader: () => leader,
    inbox: { write: (entry) => inbox.push(entry) },
    tokens,
    urls: new CallbackUrls({ host: '0.0.0.0', port: 8000 }),
    book: new AddressBook({ networks: parseNetworks(networks), ownPort: 8000 }),
    pubSubPort: 8001,
  });

const answer = (change: Partial<StartupQuery> = {}) =>
  queries.answer({ ...query, ...change }).answer;
const claimsOf = (url: string) => tokens.read(tokenIn(url));
const { localAddress: _, ...left } = query;

describe('while the fleet is active', () => {
  test('a server is told to post, with a token that names its address and counts nothing', () => {
    const { active, eventsUrl } = answer();
    expect(active).toBe(true);
    expect(claimsOf(eventsUrl)).toEqual({ kind: 'address', address: '10.0.0.3', term });
  });

  test('the URL is that of the leader if it has one for all servers', () => {
    leader = leader && { ...leader, serversUrl: 'http://posts.example/sub' };
    expect(answer().eventsUrl).toMatch(/^http:\/\/posts\.example\/sub\/api\/events\?token=/);
  });

  test('else it is that of this instance, which passes posts on', () => {
    expect(answer().eventsUrl.split('?')[0]).toBe(own);
  });

  test('a server that cannot reach this instance either is told to be silent', () => {
    expect(answer({ localAddress: '169.254.1.2' })).toEqual(inactive);
    expect(inbox).toHaveLength(1);
  });

  test('a sender behind a proxy may be any server', () => {
    expect(claimsOf(answer({ isForwarded: true }).eventsUrl)).toMatchObject({ address: '' });
  });

  test('a server that has shown its own host is named by that', () => {
    const advertised = { host: 'pubsub-1.example', addresses: ['10.0.0.9'] };
    const { eventsUrl } = answer({ isForwarded: true, advertised });
    expect(claimsOf(eventsUrl)).toMatchObject({ address: '10.0.0.9' });
  });
});

test.each([
  ['the fleet is inactive', () => ({ instance: 'a', term, url: 'http://a', isActive: false })],
  ['nobody leads', () => undefined],
])('if %s, a server is told to be silent', (_name, of) => {
  leader = of();
  expect(answer()).toEqual(inactive);
});

describe('the leader finds in its inbox', () => {
  test('every query, whatever was answered', () => {
    answer();
    leader = undefined;
    answer({ run: 'abc' });
    expect(inbox).toEqual([
      { kind: 'query', query: left },
      { kind: 'query', query: { ...left, run: 'abc' } },
    ]);
  });

  test('none of senders that are no pub-sub server, who get no token either', () => {
    expect(answer({ address: '192.0.2.1' })).toEqual(inactive);
    const advertised = { host: 'a.example', addresses: ['192.0.2.1'] };
    expect(answer({ address: '192.0.2.1', advertised })).toEqual(inactive);
    expect(answer({ advertised })).toEqual(inactive);
    expect(inbox).toEqual([]);
  });

  test('none of a sender that names this service itself as a server', () => {
    const advertised = { host: 'localhost', addresses: ['127.0.0.1'] };
    queries = queriesIn('127.0.0.0/8');
    expect(answer({ advertised, port: 8000 })).toEqual(inactive);
    expect(answer({ advertised, port: 8001 }).active).toBe(true);
    expect(answer({ advertised, port: undefined }).active).toBe(true);
    expect(inbox).toHaveLength(2);
  });

  test('one of a server that has shown its own host, if it may be asked at one address of that', () => {
    const advertised = { host: 'a.example', addresses: ['192.0.2.1', '10.0.0.9'] };
    expect(answer({ address: '192.0.2.1', advertised }).active).toBe(true);
    expect(inbox).toHaveLength(1);
  });
});

describe('a renewal', () => {
  const server = '10.0.0.3:8001' as ServerId;
  const claims = { kind: 'server', server, epoch: 7 as Epoch, fromStartup: false } as const;
  const renewalWith = (of: TokenClaims, made = term, isActive = true) => ({
    renewal: { isActive, eventsUrl: `http://a/api/events?token=${tokens.withTerm(made).mint(of)}` },
  });

  test.each<[string, () => Leader | undefined, Term]>([
    ['to the leader', () => leader, term],
    ['to an earlier leader', () => leader, term - 1],
    ['while no leader is known', () => undefined, term],
    [
      'and the leader was silent when last heard of',
      () => leader && { ...leader, isActive: false },
      term,
    ],
  ])('of a server that posts %s is confirmed with its own URL', (_name, known, made) => {
    const renewal = renewalWith(claims, made);
    leader = known();
    expect(answer(renewal)).toEqual({ active: true, eventsUrl: renewal.renewal.eventsUrl });
    expect(inbox).toEqual([{ kind: 'query', query: { ...left, ...renewal } }]);
  });

  test('names its server, wherever it comes from', () => {
    const renewal = renewalWith(claims);
    expect(answer({ ...renewal, address: '192.0.2.1' }).active).toBe(true);
    expect(inbox).toHaveLength(1);
  });

  test('of a silent server behind a proxy names the address of that server', () => {
    const { eventsUrl } = answer({ ...renewalWith(claims, term, false), isForwarded: true });
    expect(claimsOf(eventsUrl)).toMatchObject({ kind: 'address', address: '10.0.0.3' });
  });

  test.each([
    ['a URL of its own activation, but silent', renewalWith(claims, term, false)],
    ['a URL of a start-up answer', renewalWith({ ...claims, fromStartup: true })],
    [
      'a URL that nobody of the cluster made',
      { renewal: { isActive: true, eventsUrl: 'http://a' } },
    ],
  ])('with %s is answered like a start-up query', (_name, renewal) => {
    const { active, eventsUrl } = answer(renewal);
    expect(active).toBe(true);
    expect(claimsOf(eventsUrl)).toEqual({ kind: 'address', address: '10.0.0.3', term });
  });

  test('of a silent server is answered with silence while no leader is known', () => {
    leader = undefined;
    expect(answer(renewalWith(claims, term, false))).toEqual(inactive);
  });
});
