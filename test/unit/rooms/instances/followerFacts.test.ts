import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ServerId } from '../../../../machines/ports.js';
import { FollowerFacts } from '../../../../server/rooms/instances/followerFacts.js';
import { FakeLeaderLink } from '../../../support/fakeLeaderLink.js';

const [one, two, three] = ['10.0.0.1:8001', '10.0.0.2:8001', '10.0.0.3:8001'] as [
  ServerId,
  ServerId,
  ServerId,
];
const holder = (server: ServerId, more: object = {}) => ({
  server,
  connections: 2,
  takesNames: true,
  isStored: false,
  isGone: false,
  ...more,
});
const holdersPath = '/api/instances/rooms/holders';
const serversPath = '/api/instances/rooms/servers';

let nowMs: number;
let remembered: () => Promise<ServerId[]>;
let leader: FakeLeaderLink;
let facts: FollowerFacts;

beforeEach(() => {
  nowMs = 0;
  remembered = async () => [three];
  leader = new FakeLeaderLink();
  facts = new FollowerFacts({
    remembered: () => remembered(),
    takesNames: (server) => server === three,
    pubSubPort: 8001,
    now: () => nowMs,
  });
  facts.ask(leader);
  leader.answers.set(holdersPath, {
    holders: [holder(one), holder(two, { isGone: true })],
    connections: 2,
    isComplete: true,
    seen: null,
  });
  leader.answers.set(serversPath, {
    servers: [
      { server: one, takesNames: true, isCounted: true },
      { server: two, takesNames: false, isCounted: false },
    ],
  });
});

test('the leader is asked who holds a room, with the addresses that the store names', async () => {
  expect(await facts.factsOf('a b', ['10.0.0.1', '10.0.0.9:9000'])).toEqual({
    holders: [holder(one), holder(two, { isGone: true })],
    connections: 2,
    isComplete: true,
    seen: undefined,
  });
  expect(leader.asked[0]).toBe(`${holdersPath}?room=a+b&address=10.0.0.1&address=10.0.0.9%3A9000`);
  expect(facts.about(one, 'a b')).toEqual({ server: one, connections: 2, takesNames: true });
});

test('all servers are asked for once a second, for all rooms', async () => {
  const [known] = await Promise.all([facts.serversFor('a'), facts.serversFor('__proto__')]);
  expect(known).toEqual([
    { server: one, connections: 0, takesNames: true },
    { server: two, connections: null, takesNames: false },
  ]);
  nowMs = 999;
  expect(await facts.serversFor('__proto__')).toMatchObject([
    { connections: null },
    { connections: null },
  ]);
  expect(leader.asked).toEqual([serversPath]);
  nowMs = 1000;
  await facts.serversFor('a');
  expect(leader.asked).toHaveLength(2);
});

test('all servers are known before they are needed, from every half minute', async () => {
  for (nowMs = 0; nowMs < 60_000; nowMs += 5000) await facts.factsOf('a', []);
  expect(leader.asked.filter((path) => path === serversPath)).toHaveLength(2);
  leader.answers.clear();
  const known = await facts.serversFor('b');
  expect(known.map(({ server }) => server)).toEqual([one, two, three]);
});

test('an instance that led knows the servers that it knew then', async () => {
  leader.answers.clear();
  facts.learn([{ server: two, takesNames: true, isCounted: true }]);
  expect(await facts.serversFor('a')).toEqual([
    { server: two, connections: null, takesNames: true },
    { server: three, connections: null, takesNames: true },
  ]);
});

test('a name without UTF-8 is not asked for', async () => {
  expect(await facts.factsOf('a\ud800', [])).toMatchObject({ holders: [], connections: null });
  expect(leader.asked).toEqual([]);
});

describe('without an answer of the leader', () => {
  const silence = () => leader.answers.clear();

  test('the servers that the store names may be asked, and nothing is said about counts', async () => {
    silence();
    expect(await facts.factsOf('a', ['10.0.0.3', 'nonsense'])).toEqual({
      holders: [
        { server: three, isStored: true, connections: null, takesNames: true, isGone: false },
      ],
      connections: null,
      isComplete: false,
      seen: undefined,
    });
  });

  test('the servers that it named before may be asked, with what they can do', async () => {
    await facts.factsOf('a', []);
    silence();
    const { holders } = await facts.factsOf('a', []);
    expect(holders).toMatchObject([{ server: one, takesNames: true, connections: null }]);
    expect((await facts.factsOf('b', [])).holders).toEqual([]);
  });

  test('all remembered servers may be asked', async () => {
    silence();
    expect(facts.isAnyTakingNames()).toBe(true);
    expect(await facts.serversFor('a')).toEqual([
      { server: three, connections: null, takesNames: true },
    ]);
  });

  test('with those that it named before among them, also if Redis does not answer either', async () => {
    await facts.serversFor('a');
    silence();
    nowMs = 1000;
    const servers = async () => (await facts.serversFor('a')).map(({ server }) => server);
    expect(await servers()).toEqual([one, two, three]);
    remembered = async () => {
      throw new Error('no answer');
    };
    nowMs = 2000;
    expect(await servers()).toEqual([one, two]);
  });

  test('because it is of another version, they may be asked too', async () => {
    leader.answers.set(holdersPath, { holders: [holder('nobody' as ServerId)] });
    leader.answers.set(serversPath, []);
    expect((await facts.factsOf('a', ['10.0.0.3'])).holders).toMatchObject([{ server: three }]);
    expect(await facts.serversFor('a')).toMatchObject([{ server: three }]);
  });

  test('because nobody leads, nobody is asked', async () => {
    facts.ask(undefined);
    expect(await facts.serversFor('a')).toMatchObject([{ server: three }]);
    expect((await facts.factsOf('a', [])).holders).toEqual([]);
    expect(leader.asked).toEqual([]);
  });
});

test('a new leader is asked at once', async () => {
  await facts.serversFor('a');
  const next = new FakeLeaderLink();
  next.answers.set(serversPath, { servers: [] });
  facts.ask(next);
  expect(await facts.serversFor('a')).toEqual([]);
  expect(next.asked).toEqual([serversPath]);
});
