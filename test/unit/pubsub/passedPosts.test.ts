import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Leader } from '../../../machines/ports.js';
import { InvalidPost } from '../../../server/pubsub/parsePosted.js';
import {
  PassedPosts,
  type PassedResult,
  PostNotTaken,
  parsePassedPosts,
} from '../../../server/pubsub/passedPosts.js';
import { eventually } from '../../support/eventually.js';

const leader: Leader = { instance: 'a', term: 5, url: 'http://a', isActive: true };

interface Asked {
  leader: Leader;
  posts: string[];
  answer: (results?: PassedResult[]) => void;
  answerWith: (answer: { status: number; body: string }) => void;
  fail: () => void;
}

let asked: Asked[];
let passed: PassedPosts;

beforeEach(() => {
  asked = [];
  passed = new PassedPosts({
    ask: (to, _path, body) =>
      new Promise((resolve, reject) => {
        const posts = (parsePassedPosts(body) ?? []).map((post) => post.body);
        const results = posts.map(() => null);
        asked.push({
          leader: to,
          posts,
          answer: (given = results) =>
            resolve({ status: 200, body: JSON.stringify({ results: given }) }),
          answerWith: resolve,
          fail: () => reject(new Error('no answer within 2000 ms')),
        });
      }),
  });
});

const tooMany = 'too many posts wait for the leader';
const pass = (body: string, to = leader) => passed.pass(to, { token: 't', body });
/** A promise that is expected to reject: nobody may find it unhandled before. */
const rejection = (passing: Promise<void>) =>
  passing.then(
    () => undefined,
    (error: unknown) => error,
  );

test('a post is taken when the leader says so', async () => {
  let isTaken = false;
  const passing = pass('1').then(() => {
    isTaken = true;
  });
  expect(asked.map(({ posts }) => posts)).toEqual([['1']]);
  await Promise.resolve();
  expect(isTaken).toBe(false);
  asked[0]?.answer();
  await passing;
});

test('posts arrive in their order: the next request takes along what came during the one before', async () => {
  const passing = ['1', '2', '3', '4'].map((body) => pass(body));
  expect(asked.map(({ posts }) => posts)).toEqual([['1']]);
  asked[0]?.answer();
  await eventually(() => expect(asked).toHaveLength(2));
  expect(asked[1]?.posts).toEqual(['2', '3', '4']);
  asked[1]?.answer();
  await Promise.all(passing);
  const later = pass('5');
  expect(asked[2]?.posts).toEqual(['5']);
  asked[2]?.answer();
  await later;
});

test('a post that the leader cannot read is refused for the same reason, and no other', async () => {
  const first = pass('1');
  const passing = [pass('{'), pass('2')];
  asked[0]?.answer();
  await first;
  await eventually(() => expect(asked).toHaveLength(2));
  const [bad, good] = passing.map((each) => rejection(each));
  asked[1]?.answer([{ code: 'invalid_json', message: 'why' }, null]);
  expect(await bad).toEqual(new InvalidPost('invalid_json', 'why'));
  expect(await good).toBeUndefined();
});

describe('a post is not taken', () => {
  test.each<[string, string, (request: Asked | undefined) => void]>([
    ['the leader does not answer', 'no answer within', (request) => request?.fail()],
    [
      'it does not lead',
      'answered 503',
      (request) => request?.answerWith({ status: 503, body: '{"results":[null]}' }),
    ],
    [
      'it answers something else',
      'expected object',
      (request) => request?.answerWith({ status: 200, body: 'okay' }),
    ],
    [
      'it answers for another number of posts',
      'for other posts',
      (request) => request?.answer([null, null]),
    ],
    [
      'it does not know the token',
      'token_unknown',
      (request) => request?.answer([{ code: 'token_unknown', message: '' }]),
    ],
  ])('if %s, and the error says so', async (_name, why, end) => {
    const failing = rejection(pass('1'));
    end(asked[0]);
    expect(await failing).toMatchObject({
      name: 'PostNotTaken',
      message: expect.stringContaining(why),
    });
  });

  test('and what waited behind it is not sent: its sender would wait for another deadline', async () => {
    const failing = ['1', '2', '3'].map((body) => rejection(pass(body)));
    asked[0]?.fail();
    for (const each of failing) expect(await each).toBeInstanceOf(PostNotTaken);
    expect(asked).toHaveLength(1);
    const next = pass('4');
    asked[1]?.answer();
    await next;
  });

  test('if 8 MiB wait already', async () => {
    const size = 1024 * 1024;
    const waiting = Array.from({ length: 9 }, () => rejection(pass('x'.repeat(size))));
    expect(await rejection(pass('x'.repeat(size)))).toMatchObject({ message: tooMany });
    asked[0]?.fail();
    await Promise.all(waiting);
    void rejection(pass('1'));
    await eventually(() => expect(asked).toHaveLength(2));
    for (let i = 0; i < 8; i += 1) void rejection(pass('x'.repeat(size)));
    expect(await rejection(pass('x'.repeat(size)))).toMatchObject({ message: tooMany });
  });

  test('if 8 MiB wait that were to go to the leader before, which go to the new one at once', async () => {
    const size = 1024 * 1024;
    const open = rejection(pass('1'));
    const waiting = Array.from({ length: 8 }, () => pass('x'.repeat(size)));
    const next = { ...leader, instance: 'b', term: 6, url: 'http://b' };
    expect(await rejection(pass('2', next))).toMatchObject({ message: tooMany });
    for (let i = 1; i <= 8; i += 1) {
      await eventually(() => expect(asked).toHaveLength(i + 1));
      expect(asked[i]).toMatchObject({ leader: next });
      asked[i]?.answer();
    }
    await Promise.all(waiting);
    const later = pass('3', next);
    asked[9]?.answer();
    await later;
    asked[0]?.fail();
    await open;
  });
});

test('a request has at most 1 MiB of posts, or a single larger one', async () => {
  const big = 'x'.repeat(700_000);
  const huge = 'x'.repeat(3_000_000);
  const passing = ['1', big, big, huge, '2'].map((body) => pass(body));
  const answered = async (count: number) => {
    await eventually(() => expect(asked).toHaveLength(count));
    asked[count - 1]?.answer();
  };
  for (const count of [1, 2, 3, 4, 5]) await answered(count);
  await Promise.all(passing);
  expect(asked.map(({ posts }) => posts.map((body) => body.length))).toEqual([
    [1],
    [700_000],
    [700_000],
    [3_000_000],
    [1],
  ]);
});

test('a request has at most 1,000 posts', async () => {
  const passing = Array.from({ length: 1502 }, () => pass('1'));
  for (const count of [1, 2, 3]) {
    await eventually(() => expect(asked).toHaveLength(count));
    asked[count - 1]?.answer();
  }
  await Promise.all(passing);
  expect(asked.map(({ posts }) => posts.length)).toEqual([1, 1000, 501]);
});

test('posts for a new leader do not wait for the one before', async () => {
  const old = rejection(pass('1'));
  const next = { ...leader, instance: 'b', term: 6, url: 'http://b' };
  const passing = pass('2', next);
  expect(asked[1]).toMatchObject({ leader: next, posts: ['2'] });
  asked[1]?.answer();
  await passing;
  asked[0]?.fail();
  expect(await old).toBeInstanceOf(PostNotTaken);
});

test('posts that wait for a leader which is gone go to the next one, before newer ones', async () => {
  const old = rejection(pass('1'));
  const waiting = [pass('2'), pass('3')];
  const next = { ...leader, instance: 'b', term: 6, url: 'http://b' };
  const newer = pass('4', next);
  expect(asked[1]).toMatchObject({ leader: next, posts: ['2', '3', '4'] });
  asked[0]?.fail();
  expect(await old).toBeInstanceOf(PostNotTaken);
  asked[1]?.answer();
  await Promise.all([...waiting, newer]);
});

test.each(['', '[]', '{"posts":[["t"]]}', '{"posts":[["t",1]]}', '{"posts":{}}'])(
  'the body %s has no posts that can be read',
  (body) => {
    expect(parsePassedPosts(body)).toBeUndefined();
  },
);
