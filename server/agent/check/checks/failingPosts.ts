import type { Bench, Epoch } from '../bench.js';
import type { Check } from '../check.js';
import type { Manner } from '../eventsListener.js';
import { expect } from '../verdict.js';

/** Whether the server copes with posts that fail. */
export const failingPosts: Check[] = [
  {
    id: 'no-retry',
    level: 'MUST',
    section: 'post-to-the-events-url',
    expects: 'a post that was refused, or got no answer, is not sent again',
    needs: ['new-url'],
    run: noRetry,
  },
  {
    id: 'after-refusal',
    level: 'MUST',
    section: 'post-to-the-events-url',
    expects: 'after a refused post, the next change is posted',
    needs: ['new-url'],
    run: afterRefusal,
  },
  {
    id: 'no-waiting',
    level: 'MUST',
    section: 'post-to-the-events-url',
    expects: 'clients and the service are served while posts get no answer',
    needs: ['new-url'],
    run: noWaiting,
  },
];

async function noRetry(bench: Bench): Promise<string> {
  const refused = await failOnce(bench, 500);
  const closed = await failOnce(bench, 'close');
  const next = await bench.activate();
  await bench.barrier(next);
  const problem = () => {
    const times = [refused, closed].map((room) => openingsOf(bench, room));
    const seen = `a refused post was sent ${times[0]} times, one without an answer ${times[1]} times`;
    return times.every((n) => n === 1) ? undefined : seen;
  };
  // A retry can come later.
  bench.claims.push(problem);
  expect(problem() === undefined, problem() ?? '');
  return 'each was sent once';
}

/** Lets the posts of one activation fail. Returns the room whose opening was posted. */
async function failOnce(bench: Bench, manner: Manner): Promise<string> {
  const room = bench.room('failing');
  const epoch = await bench.activate();
  failPostsTo(bench, epoch, () => manner);
  await bench.connections.open(room);
  await bench.untilSum(room, epoch, 1);
  return room;
}

/** Decides what happens to the posts to the URL of an activation. */
export function failPostsTo(
  bench: Bench,
  { number }: Epoch,
  mannerOf: (nth: number) => Manner,
): void {
  const before = bench.listener.mannerOf;
  bench.listener.mannerOf = (epoch, nth) => (epoch === number ? mannerOf(nth) : before(epoch, nth));
}

/** How many posts say that a connection to this room opened. */
function openingsOf({ listener }: Bench, room: string): number {
  return listener.posts
    .flatMap(({ entries }) => entries)
    .filter((entry) => entry.room === room && (entry.add ?? 0) > 0).length;
}

async function afterRefusal(bench: Bench): Promise<string> {
  const [refused, next] = [bench.room('refused'), bench.room('next')];
  const epoch = await bench.activate();
  failPostsTo(bench, epoch, (nth) => (nth === 0 ? 503 : 204));
  await bench.connections.open(refused);
  await bench.untilSum(refused, epoch, 1);
  await bench.connections.open(next);
  await bench.untilSum(next, epoch, 1);
  return 'the next one was posted';
}

async function noWaiting(bench: Bench): Promise<string> {
  const room = bench.room('hanging');
  const epoch = await bench.activate();
  failPostsTo(bench, epoch, () => 'hang');
  const first = bench.connections.open(room);
  await bench.until(
    () => bench.postsTo(epoch).length > 0,
    () => 'nothing was posted',
  );
  await Promise.all([first, ...Array.from({ length: 5 }, () => bench.connections.open(room))]);
  await bench.server.send({ method: 'GET', target: '/health' });
  const next = await bench.activate();
  const isWaiting = bench.postsTo(epoch).some(({ isOver }) => !isOver);
  expect(isWaiting, 'they were served only after the server had given up its posts');
  await bench.untilCount(room, next, 6);
  await bench.barrier(next);
  return '6 connections, a probe and an activation meanwhile';
}

/** Judged last: whether posts have a timeout. */
export const postTimeouts: Check[] = [
  {
    id: 'post-timeout',
    level: 'SHOULD',
    section: 'post-to-the-events-url',
    expects: 'a post without an answer is given up',
    needs: ['no-waiting'],
    run: async (bench) => {
      const hanging = () => bench.listener.posts.filter(({ isOver }) => !isOver).length;
      await bench.until(
        () => hanging() === 0,
        () => `${hanging()} posts still wait for an answer`,
      );
      return 'all were given up';
    },
  },
];
