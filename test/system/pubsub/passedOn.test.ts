import { describe, expect, test } from '@jest/globals';
import type { Epoch, Leader, ServerId, Term } from '../../../machines/ports.js';
import { parseNetworks } from '../../../server/addresses.js';
import type { InboxEntry } from '../../../server/cluster/inbox.js';
import { InstanceRequests } from '../../../server/cluster/instanceRequests.js';
import { InstanceSignatures } from '../../../server/cluster/instanceSignatures.js';
import { createListener } from '../../../server/http/app.js';
import { instancePostRoutes } from '../../../server/http/routes/instancePosts.js';
import { instanceQueryRoutes } from '../../../server/http/routes/instanceQueries.js';
import { AddressBook } from '../../../server/pubsub/addressBook.js';
import type { CallbackReceiver } from '../../../server/pubsub/callbackReceiver.js';
import { CallbackUrls } from '../../../server/pubsub/callbackUrls.js';
import {
  EventTokens,
  type TokenClaims,
  tokenIn,
  tokenKey,
} from '../../../server/pubsub/eventTokens.js';
import { InstanceCallbacks } from '../../../server/pubsub/instanceCallbacks.js';
import type { Posted } from '../../../server/pubsub/parsePosted.js';
import { PassedPosts } from '../../../server/pubsub/passedPosts.js';
import { PassedQueries } from '../../../server/pubsub/passedQueries.js';
import type { StartupQuery } from '../../../server/pubsub/startupQuery.js';
import { appNeeds } from '../../support/appNeeds.js';
import { clusterNeeds, clusterSecret } from '../../support/clusterNeeds.js';
import { eventually } from '../../support/eventually.js';
import { useHarness } from '../../support/harness.js';
import { ask, post } from '../../support/http.js';

const harness = useHarness();
const term: Term = 1_764_000_000_000;
const server = '127.0.0.1:8001' as ServerId;
const bodyLimits = { maxBodyBytes: 1024, bodyTimeoutMs: 1000 };
const tokens = new EventTokens(tokenKey(clusterSecret));

/** One instance: what it took, and what it left in the inbox. */
interface Instance {
  id: string;
  url: string;
  taken: { claims: TokenClaims; posted: Posted }[];
  content: { server: ServerId; entries: number }[];
  uncounted: TokenClaims[];
  strangers: string[];
  queries: StartupQuery[];
  /** Answers that were sent. */
  answered: number;
  inbox: InboxEntry[];
  /** The term that it leads in; undefined: it does not. */
  term: Term | undefined;
  /** The other instance that it believes to lead. */
  leader: Leader | undefined;
  isLeaving: boolean;
}

async function startInstance(id: string): Promise<Instance> {
  const instance: Instance = {
    id,
    url: '',
    taken: [],
    content: [],
    uncounted: [],
    strangers: [],
    queries: [],
    answered: 0,
    inbox: [],
    term: undefined,
    leader: undefined,
    isLeaving: false,
  };
  const receiver = {
    get term() {
      return instance.term;
    },
    take: (claims: TokenClaims, posted: Posted) => instance.taken.push({ claims, posted }),
    takeContent: (from: ServerId, entries: unknown[]) =>
      instance.content.push({ server: from, entries: entries.length }),
    noteUncountedPost: (claims: TokenClaims) => instance.uncounted.push(claims),
    notePostWithoutToken: (address: string) => instance.strangers.push(address),
    answerStartup: (query: StartupQuery) => {
      instance.queries.push(query);
      const answer = { active: true, eventsUrl: `${query.postsUrl}?token=of-${id}` };
      return { answer, afterwards: () => (instance.answered += 1) };
    },
  } as unknown as CallbackReceiver;
  const signatures = new InstanceSignatures(clusterSecret, id);
  const requests = new InstanceRequests(signatures);
  const callbacks = new InstanceCallbacks({
    receiver: () => (instance.term === undefined ? undefined : receiver),
    leader: () => instance.leader,
    tokens,
    passed: new PassedPosts({
      ask: (leader, path, body) => requests.ask(leader, path, { method: 'POST', body }),
    }),
    passedQueries: new PassedQueries({
      ask: (leader, path, body) => requests.ask(leader, path, { method: 'POST', body }),
    }),
    inbox: { write: (entry) => instance.inbox.push(entry) },
    urls: new CallbackUrls({ host: '127.0.0.1', port: 1 }),
    book: new AddressBook({ networks: parseNetworks('127.0.0.0/8'), ownPort: 1 }),
    pubSubPort: 8001,
    isLeaving: () => instance.isLeaving,
  });
  const cluster = clusterNeeds(signatures, {
    addRoutes: (router) => {
      const takePassed = callbacks.takePassed.bind(callbacks);
      instancePostRoutes(router, { takePassed, bodyLimits });
      const answerPassed = callbacks.answerPassed.bind(callbacks);
      instanceQueryRoutes(router, { answerPassed, bodyLimits });
    },
  });
  const needs = appNeeds({
    bodyLimits,
    cluster,
    callbacks: {
      tokens,
      passOn: callbacks.passOn.bind(callbacks),
      takePosted: callbacks.takePosted.bind(callbacks),
      takeContent: callbacks.takeContent.bind(callbacks),
      noteUncountedPost: callbacks.noteUncountedPost.bind(callbacks),
      notePostWithoutToken: callbacks.notePostWithoutToken.bind(callbacks),
    },
  });
  needs.startup.answer = (query) => callbacks.askLeader(query);
  instance.url = (await harness.app(createListener(needs))).url;
  return instance;
}

const asLeader = ({ id, url }: Instance): Leader => ({ instance: id, term, url, isActive: true });

/** An instance that leads, and one that follows it. */
async function startBoth() {
  const [leader, follower] = [await startInstance('leader'), await startInstance('follower')];
  leader.term = term;
  follower.leader = asLeader(leader);
  return { leader, follower };
}

const tokenOf = (claims: TokenClaims, of = term) => tokens.withTerm(of).mint(claims);
const claims = { kind: 'server', server, epoch: 7 as Epoch, fromStartup: false } as const;
const urlAt = ({ url }: Instance, of: TokenClaims = claims, in_ = term) =>
  `${url}/api/events?token=${tokenOf(of, in_)}`;
const delta = { room: 'r', add: 1 };

describe('a post that reaches an instance which does not lead', () => {
  test('is taken by the leader before it is answered', async () => {
    const { leader, follower } = await startBoth();
    const { status, text } = await post(urlAt(follower), delta);
    expect({ status, text }).toEqual({ status: 204, text: '' });
    expect(leader.taken).toEqual([
      { claims: { ...claims, term }, posted: { deltas: [delta], updates: [] } },
    ]);
    expect(follower.inbox).toEqual([]);
  });

  test('is the same whatever it contains', async () => {
    const { leader, follower } = await startBoth();
    const names = ['__proto__', '', 'a"b<c>\\', '\u2028\n\r\0', '😀', '\ud800', 'grüße'];
    for (const room of names)
      expect((await post(urlAt(follower), { room, add: 2 })).status).toBe(204);
    expect(leader.taken.flatMap(({ posted }) => posted.deltas.map(({ room }) => room))).toEqual(
      names,
    );
  });

  test('is taken by the leader if it is about watched rooms', async () => {
    const { leader, follower } = await startBoth();
    const entries = [
      { room: 'r', awareness: 'AQEBAnt9' },
      { room: 'r', lost: true },
    ];
    const url = urlAt(follower, { kind: 'content', server });
    expect((await post(url, entries)).status).toBe(204);
    expect(leader.content).toEqual([{ server, entries: 2 }]);
  });

  test('keeps its place in the order of its server', async () => {
    const { leader, follower } = await startBoth();
    const url = urlAt(follower);
    const socket = harness.socket(follower);
    const { pathname, search } = new URL(url);
    const bodies = Array.from({ length: 200 }, (_, i) => JSON.stringify({ room: `r${i}`, add: 1 }));
    for (const body of bodies)
      socket.send(
        `POST ${pathname}${search} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    await eventually(() => expect(leader.taken).toHaveLength(200));
    const rooms = leader.taken.flatMap(({ posted }) => posted.deltas.map(({ room }) => room));
    expect(rooms).toEqual(bodies.map((_, i) => `r${i}`));
  });

  test('is taken once, over however many connections', async () => {
    const { leader, follower } = await startBoth();
    const sent: Promise<unknown>[] = [];
    for (let i = 0; i < 50; i += 1) {
      sent.push(post(urlAt(follower), { room: `r${i}`, add: 1 }));
      if (i % 10 === 0) await sent.at(-1);
    }
    await Promise.all(sent);
    const rooms = leader.taken.flatMap(({ posted }) => posted.deltas.map(({ room }) => room));
    expect(new Set(rooms).size).toBe(50);
    expect(rooms).toHaveLength(50);
  });

  test.each([
    ['{', 'invalid_json'],
    ['{"room":"r","add":0}', 'invalid_delta'],
  ])(
    '%s is refused for the reason that the leader gives, which notes it once',
    async (body, code) => {
      const { leader, follower } = await startBoth();
      expect(await post(urlAt(follower), body)).toMatchObject({ status: 400, code });
      expect(leader.uncounted).toEqual([{ ...claims, term }]);
      expect(follower.inbox).toEqual([]);
    },
  );

  test('is evidence in the inbox if its body is too large to be read', async () => {
    const { leader, follower } = await startBoth();
    expect((await post(urlAt(follower), 'x'.repeat(2000))).status).toBe(413);
    expect(leader.taken).toEqual([]);
    expect(follower.inbox).toEqual([{ kind: 'post', claims: { ...claims, term } }]);
  });
});

describe('if the leader does not take it, it is answered like an unknown token, and is evidence in the inbox', () => {
  const lost = async (follower: Instance, url = urlAt(follower)) => {
    expect(await post(url, delta)).toMatchObject({ status: 404, code: 'token_unknown' });
    return follower.inbox;
  };

  test('because nobody leads', async () => {
    const follower = await startInstance('follower');
    expect(await lost(follower)).toEqual([{ kind: 'post', claims: { ...claims, term } }]);
  });

  test('because the leader is gone', async () => {
    const follower = await startInstance('follower');
    follower.leader = { instance: 'gone', term, url: 'http://127.0.0.1:1', isActive: true };
    expect(await lost(follower)).toEqual([{ kind: 'post', claims: { ...claims, term } }]);
  });

  test('because it no longer leads: the post goes no further', async () => {
    const { leader, follower } = await startBoth();
    const third = await startInstance('third');
    third.term = term + 1;
    leader.term = undefined;
    leader.leader = asLeader(third);
    expect(await lost(follower)).toHaveLength(1);
    expect(third.taken).toEqual([]);
    expect(leader.inbox).toEqual([]);
  });

  test('because two instances take each other for the leader', async () => {
    const { leader, follower } = await startBoth();
    leader.term = undefined;
    leader.leader = asLeader(follower);
    expect(await lost(follower)).toHaveLength(1);
    expect(leader.inbox).toEqual([]);
  });

  test('because the leader does not know yet that another one leads', async () => {
    const { leader, follower } = await startBoth();
    expect(await lost(follower, urlAt(follower, claims, term + 1))).toHaveLength(1);
    expect(leader.taken).toEqual([]);
  });

  test('and names the address if the token does', async () => {
    const follower = await startInstance('follower');
    const address = { kind: 'address', address: '127.0.0.1' } as const;
    expect(await lost(follower, urlAt(follower, address))).toEqual([
      { kind: 'post', claims: { ...address, term } },
    ]);
  });

  test('except at an instance that is leaving: it was the leader a moment ago, so the post is answered 204', async () => {
    const leaving = await startInstance('leaving');
    leaving.isLeaving = true;
    expect((await post(urlAt(leaving), delta)).status).toBe(204);
    expect(leaving.inbox).toHaveLength(1);
  });
});

test('a leader takes posts of earlier terms, and does not take those of later ones', async () => {
  const { leader } = await startBoth();
  expect((await post(urlAt(leader, claims, term - 1), delta)).status).toBe(204);
  expect((await post(urlAt(leader, claims, term + 1), delta)).status).toBe(404);
  expect(leader.taken.map((each) => each.claims.term)).toEqual([term - 1]);
  expect(leader.inbox).toEqual([{ kind: 'post', claims: { ...claims, term: term + 1 } }]);
});

test('a post without a valid token is evidence against its address, in the inbox of the leader', async () => {
  const { leader, follower } = await startBoth();
  const url = `${follower.url}/api/events?token=unknown`;
  expect((await post(url, delta)).status).toBe(404);
  expect(follower.inbox).toEqual([{ kind: 'stranger', address: '127.0.0.1' }]);
  expect((await post(`${leader.url}/api/events?token=unknown`, delta)).status).toBe(404);
  expect(leader.strangers).toEqual(['127.0.0.1']);
});

describe('POST /api/instances/posts', () => {
  const path = '/api/instances/posts';
  const body = JSON.stringify({ posts: [[tokenOf(claims), JSON.stringify(delta)]] });

  test('is nothing to anybody but an instance', async () => {
    const { leader } = await startBoth();
    const { status } = await ask(leader.url + path, { method: 'POST', body });
    expect(status).toBe(404);
    expect(leader.taken).toEqual([]);
  });

  test('refuses a body that was not signed', async () => {
    const { leader } = await startBoth();
    const header = new InstanceSignatures(clusterSecret, 'other').sign(
      { method: 'POST', target: path },
      'leader',
      'another body',
    );
    const headers = { 'Instance-Signature': header };
    const { status } = await ask(leader.url + path, { method: 'POST', body, headers });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(leader.taken).toEqual([]);
  });

  test('takes each post, and says of each what became of it', async () => {
    const { leader } = await startBoth();
    const posts = [
      [tokenOf(claims), JSON.stringify(delta)],
      ['unknown', JSON.stringify(delta)],
      [tokenOf(claims), '{'],
    ];
    const requests = new InstanceRequests(new InstanceSignatures(clusterSecret, 'other'));
    const sent = { method: 'POST', body: JSON.stringify({ posts }) } as const;
    const answer = await requests.ask(asLeader(leader), path, sent);
    requests.close();
    expect(JSON.parse(answer.body)).toMatchObject({
      results: [null, { code: 'token_unknown' }, { code: 'invalid_json' }],
    });
    expect(leader.taken).toHaveLength(1);
  });
});

describe('a start-up query that reaches an instance which does not lead', () => {
  const path = '/api/events/clients?port=8001&run=abc';
  const query = { address: '127.0.0.1', port: 8001, run: 'abc', isForwarded: false };
  const answerOf = async (instance: Instance) =>
    JSON.parse((await ask(instance.url + path)).text) as { active: boolean; eventsUrl: string };

  test('is answered by the leader, with the URL of this instance', async () => {
    const { leader, follower } = await startBoth();
    const own = 'http://127.0.0.1:1/api/events';
    expect(await answerOf(follower)).toEqual({ active: true, eventsUrl: `${own}?token=of-leader` });
    expect(leader.queries).toEqual([{ ...query, isMisnamed: false, postsUrl: own }]);
    await eventually(() => expect(leader.answered).toBe(1));
    expect(follower.inbox).toEqual([]);
  });

  test('is answered with the URL of the leader if it has one for all servers', async () => {
    const { leader, follower } = await startBoth();
    follower.leader = { ...asLeader(leader), serversUrl: 'http://posts.example' };
    const { eventsUrl } = await answerOf(follower);
    expect(eventsUrl).toBe('http://posts.example/api/events?token=of-leader');
  });

  test.each([
    ['the leader is gone', { instance: 'gone', term, url: 'http://127.0.0.1:1', isActive: true }],
    ['nobody leads', undefined],
  ])('is answered by this instance if %s, and left in the inbox', async (_name, leader) => {
    const follower = await startInstance('follower');
    follower.leader = leader;
    const { active, eventsUrl } = await answerOf(follower);
    expect(active).toBe(leader !== undefined);
    if (active)
      expect(tokens.read(tokenIn(eventsUrl))).toEqual({
        kind: 'address',
        address: '127.0.0.1',
        term,
      });
    expect(follower.inbox).toEqual([{ kind: 'query', query: { ...query, isMisnamed: false } }]);
  });

  test('goes one hop at most', async () => {
    const { leader, follower } = await startBoth();
    const third = await startInstance('third');
    third.term = term + 1;
    leader.term = undefined;
    leader.leader = asLeader(third);
    await answerOf(follower);
    expect(third.queries).toEqual([]);
    expect([leader.inbox.length, follower.inbox.length]).toEqual([0, 1]);
  });
});
