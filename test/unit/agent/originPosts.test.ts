import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { OriginPosts } from '../../../server/agent/originPosts.js';
import type { OutboundAnswer, OutboundRequest } from '../../../server/agent/outbound.js';

interface Post {
  readonly url: string;
  readonly body: string;
  fail(): void;
  answer(status: number): void;
}

const old = 'http://10.0.0.1:8000/api/events?token=old';
const next = 'http://10.0.0.2:8000/api/events?token=new';
let sent: Post[];
let suspended: number;
let posts: OriginPosts;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
  sent = [];
  suspended = 0;
  posts = new OriginPosts({
    send: ({ url, body = '' }: OutboundRequest) =>
      new Promise<OutboundAnswer>((resolve, reject) => {
        const answer = (status: number) => resolve({ status, text: '' });
        sent.push({ url, body, answer, fail: () => reject(new Error('no answer')) });
      }),
    gatherMs: 20,
    refused: () => undefined,
    suspended: () => {
      suspended += 1;
    },
  });
});

afterEach(() => {
  jest.useRealTimers();
});

/** Puts a change, and lets it be posted if there is room. */
async function put(url: string, room: string): Promise<void> {
  posts.put(url, room, 1);
  await jest.advanceTimersByTimeAsync(20);
}

const postsTo = (url: string) => sent.filter((post) => post.url === url);

test('posts that hang at an earlier origin delay none to the present one', async () => {
  for (const room of ['a', 'b', 'c', 'd', 'e']) await put(old, room);
  expect(postsTo(old)).toHaveLength(4);
  await put(next, 'f');
  expect(postsTo(next).map(({ body }) => JSON.parse(body))).toEqual([{ room: 'f', add: 1 }]);
});

test('posts that fail at an earlier origin do not end those to the present one', async () => {
  for (const room of ['a', 'b', 'c', 'd']) await put(old, room);
  posts.put(next, 'e', 1);
  for (const post of postsTo(old)) post.fail();
  await jest.advanceTimersByTimeAsync(20);
  await put(next, 'f');
  expect(postsTo(next)).toHaveLength(2);
  expect(suspended).toBe(0);
});

test('what is left for an earlier origin is posted there, and waited for', async () => {
  for (const room of ['a', 'b', 'c', 'd', 'e']) await put(old, room);
  await put(next, 'f');
  let isSettled = false;
  void posts.settled().then(() => {
    isSettled = true;
  });
  for (let index = 0; index < sent.length; index += 1) {
    expect(isSettled).toBe(false);
    sent[index]?.answer(204);
    await jest.advanceTimersByTimeAsync(0);
  }
  expect(postsTo(old)).toHaveLength(5);
  expect(isSettled).toBe(true);
});

test('another URL of the same origin shares its posts', async () => {
  for (const room of ['a', 'b', 'c', 'd']) await put(old, room);
  await put(`${old}er`, 'e');
  expect(sent).toHaveLength(4);
  for (const post of [...sent]) post.fail();
  await jest.advanceTimersByTimeAsync(20);
  expect(suspended).toBe(1);
  posts.resume();
  posts.put(old, 'f', 1);
  posts.clear();
  await jest.advanceTimersByTimeAsync(20);
  expect(sent.at(-1)?.body).not.toContain('"f"');
});
