import type { Bench } from '../bench.js';
import type { Check } from '../check.js';
import { expect } from '../verdict.js';

/** Whether connections are posted, and to which URL. */
export const deltas: Check[] = [
  {
    id: 'deltas',
    level: 'MUST',
    section: 'post-to-the-events-url',
    expects: 'each opened and each closed connection is posted once',
    needs: ['activation'],
    run: deltasOnce,
  },
  {
    id: 'new-url',
    level: 'MUST',
    section: 'put-apidashboard',
    expects: 'after each activation, changes are posted to its URL only',
    needs: ['deltas'],
    run: newUrl,
  },
  {
    id: 'url-unchanged',
    level: 'MUST',
    section: 'post-to-the-events-url',
    expects: 'the path and the query of the URL arrive unchanged',
    needs: ['new-url'],
    run: urlUnchanged,
  },
  {
    id: 'full-snapshot',
    level: 'MUST',
    section: 'put-apidashboard',
    expects: 'each activation is answered with all connections, even if it is repeated',
    needs: ['new-url'],
    run: fullSnapshot,
  },
];

async function deltasOnce(bench: Bench): Promise<string> {
  const room = bench.room('deltas');
  await bench.activate();
  const first = await bench.connections.open(room);
  const startedAt = performance.now();
  await untilExactly(bench, room, 1);
  const ms = Math.round(performance.now() - startedAt);
  const second = await bench.connections.open(room);
  await untilExactly(bench, room, 2);
  await bench.connections.close(first);
  await untilExactly(bench, room, 1);
  await bench.connections.close(second);
  await untilExactly(bench, room, 0);
  return `two opened and closed, all posted, the first with a barrier after ${ms} ms`;
}

/** The sum of the posts to any URL: which URL is the subject of another check. */
async function untilExactly(bench: Bench, room: string, expected: number): Promise<void> {
  const seen = () =>
    `the posts add up to ${bench.sum(room)}, not ${expected}${firstProblem(bench)}`;
  await bench.until(() => bench.sum(room) === expected, seen);
  await bench.barrier();
  expect(bench.sum(room) === expected, seen());
}

function firstProblem({ listener }: Bench): string {
  const problem = listener.posts.find((post) => post.problem)?.problem;
  return problem ? `. A body is ${problem}` : '';
}

async function newUrl(bench: Bench): Promise<string> {
  const room = bench.room('new-url');
  const first = await bench.activate();
  const connection = await bench.connections.open(room);
  await bench.untilSum(room, first, 1);
  const second = await bench.activate();
  await bench.connections.open(room);
  await bench.untilSum(room, second, 1);
  await bench.connections.close(connection);
  await bench.untilSum(room, second, 0);
  await bench.barrier(second);
  const old = bench.sum(room, first.number, second.number);
  expect(old === 1, `posts to the URL of an earlier activation add up to ${old}, not 1`);
  return 'posts to the newest URL only';
}

/** Encoded characters, characters that a parser would encode or decode, and an unusual path. */
const unusualPath = '/api/events/x/10.0.0.1%3A8001/+a==?b=a+b%3Ac==&c=%2F&d&';

async function urlUnchanged(bench: Bench): Promise<string> {
  const room = bench.room('url');
  const epoch = await bench.activate({ path: unusualPath });
  await bench.connections.open(room);
  const { pathname, search } = splitUrl(epoch.url);
  const targets = () =>
    bench.listener.posts
      .filter(({ entries }) => entries.some((entry) => entry.room === room))
      .map(({ method, target }) => `${method} ${target}`);
  await bench.until(
    () => targets().includes(`POST ${pathname}${search}`),
    () => `the URL was ${epoch.url}, the post was ${targets().join(', ') || 'not sent'}`,
  );
  return `POST ${pathname}${search}`;
}

/** Without `URL`, which could change it. */
function splitUrl(url: string): { pathname: string; search: string } {
  const [, pathname = '', search = ''] = /^https?:\/\/[^/]+([^?]*)(.*)$/.exec(url) ?? [];
  return { pathname, search };
}

async function fullSnapshot(bench: Bench): Promise<string> {
  const [two, one] = [bench.room('two'), bench.room('one')];
  const first = await bench.activate();
  for (const room of [two, two, one]) await bench.connections.open(room);
  await bench.untilSum(two, first, 2);
  await bench.untilSum(one, first, 1);
  for (let time = 1; time <= 3; time += 1) {
    const { snapshot } = await bench.activate();
    const seen = [snapshot.get(two) ?? 0, snapshot.get(one) ?? 0];
    expect(
      seen[0] === 2 && seen[1] === 1,
      `two rooms with 2 and 1 connections are ${seen.join(' and ')} in snapshot ${time} of 3`,
    );
  }
  return 'three activations, three full snapshots';
}
