import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { EventPosts } from '../../../server/agent/eventPosts.js';
import type { OutboundAnswer, OutboundRequest } from '../../../server/agent/outbound.js';

interface Post {
  readonly url: string;
  readonly body: string;
  answer(status: number): void;
}

let sent: Post[];
let refused: string[];
let suspended: number;
let posts: EventPosts;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
  sent = [];
  refused = [];
  suspended = 0;
  posts = new EventPosts({
    send: ({ url, body = '' }: OutboundRequest) =>
      new Promise<OutboundAnswer>((resolve) => {
        sent.push({ url, body, answer: (status) => resolve({ status, text: '' }) });
      }),
    gatherMs: 20,
    refused: (url) => refused.push(url),
    suspended: () => {
      suspended += 1;
    },
  });
});

afterEach(() => {
  jest.useRealTimers();
});

const turn = () => jest.advanceTimersByTimeAsync(0);
const bodies = () => sent.map(({ body }) => JSON.parse(body));

describe('deltas', () => {
  test('are gathered for 20 ms from the first on', async () => {
    posts.put('u', 'a', 1);
    await jest.advanceTimersByTimeAsync(19);
    posts.put('u', 'b', -1);
    expect(sent).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    posts.put('u', 'c', 1);
    expect(bodies()).toEqual([
      [
        { room: 'a', add: 1 },
        { room: 'b', add: -1 },
      ],
    ]);
    await jest.advanceTimersByTimeAsync(20);
    expect(bodies()[1]).toEqual({ room: 'c', add: 1 });
  });

  test('of a room are added up, opened and closed ones apart', () => {
    for (let count = 0; count < 2_500; count += 1) posts.put('u', 'a', 1);
    posts.put('u', 'a', -1);
    posts.put('u', 'a', -1);
    posts.flush();
    expect(bodies()).toEqual([
      [
        { room: 'a', add: 1_000 },
        { room: 'a', add: 1_000 },
        { room: 'a', add: 500 },
        { room: 'a', add: -2 },
      ],
    ]);
  });

  test('keep the URL that was valid when they happened', () => {
    posts.put('old', 'a', 1);
    posts.put('new', 'a', 1);
    posts.put('new', 'a', 1);
    posts.flush();
    expect(sent.map(({ url, body }) => [url, JSON.parse(body).add])).toEqual([
      ['old', 1],
      ['new', 2],
    ]);
  });

  test('of names that no service takes are left out', () => {
    posts.put('u', 'x'.repeat(16_385), 1);
    posts.put('u', 'x'.repeat(16_384), 1);
    posts.flush();
    expect(bodies()[0].room).toHaveLength(16_384);
  });

  test('fit into a post, however many they are and whatever is in their names', async () => {
    const settled = posts.settled();
    for (let room = 0; room < 100; room += 1) posts.put('u', '\u0001'.repeat(10_000) + room, 1);
    posts.flush();
    for (let index = 0; index < sent.length; index += 1) {
      expect(Buffer.byteLength(sent[index]?.body ?? '')).toBeLessThan(1024 * 1024);
      sent[index]?.answer(204);
      await turn();
    }
    await settled;
    expect(bodies().flat()).toHaveLength(100);
  });
});

describe('while the dashboard does not answer', () => {
  test('four posts are open, and what waits is bounded; the oldest is dropped', async () => {
    for (let room = 0; room < 100_000; room += 1) posts.put('u', `${'x'.repeat(100)}${room}`, 1);
    posts.flush();
    expect(sent).toHaveLength(4);
    for (let index = 0; index < sent.length; index += 1) {
      sent[index]?.answer(204);
      await turn();
    }
    expect(sent.length).toBeGreaterThan(8);
    expect(sent.length).toBeLessThan(15);
    expect(bodies().flat().at(-1).room).toMatch(/x99999$/);
  });

  test('nothing is gathered after three failures in a row, until it resumes', async () => {
    for (const status of [500, 204, 503, 0, 307]) {
      posts.put('u', 'a', 1);
      posts.flush();
      sent.at(-1)?.answer(status);
      await turn();
    }
    expect([suspended, posts.isSuspended]).toEqual([1, true]);
    posts.put('u', 'a', 1);
    posts.flush();
    expect(sent).toHaveLength(5);
    posts.resume();
    posts.put('u', 'a', 1);
    posts.flush();
    expect(sent).toHaveLength(6);
  });

  test('late failures suspend once', async () => {
    for (let room = 0; room < 4; room += 1) {
      posts.put(`u${room}`, 'a', 1);
    }
    posts.flush();
    for (const post of sent) post.answer(500);
    await turn();
    expect(suspended).toBe(1);
  });
});

test('a URL that the dashboard does not know is told, and is no failure', async () => {
  for (let post = 0; post < 4; post += 1) {
    posts.put('u', 'a', 1);
    posts.flush();
    sent.at(-1)?.answer(404);
    await turn();
  }
  expect([refused, suspended]).toEqual([['u', 'u', 'u', 'u'], 0]);
});

test('what is cleared is not posted', async () => {
  posts.put('u', 'a', 1);
  posts.clear();
  await jest.advanceTimersByTimeAsync(20);
  expect(sent).toEqual([]);
});
