import type { Bench } from '../bench.js';
import type { Check } from '../check.js';
import type { Query } from '../eventsListener.js';
import { isSignatureOf } from '../sign.js';
import { expect, Failure, Skip } from '../verdict.js';

/** Whether a server reports that it has started. They restart it, so they run together. */
export const startup: Check[] = [
  {
    id: 'startup-query',
    level: 'SHOULD',
    section: 'get-apieventsclients',
    expects: 'after its start the server sends GET /api/events/clients with its port',
    needs: ['health'],
    run: async (bench) => {
      const eventsUrl = bench.nextUrl().url;
      bench.listener.startupAnswer = async () => JSON.stringify({ active: false, eventsUrl });
      const query = await restarted(bench);
      const port = query.parameters.get('port');
      expect(port !== null, 'the query has no port');
      expect(port === String(bench.server.port), `port=${port}, but it is ${bench.server.port}`);
      expect(isSigned(bench, query), 'the query is not signed with the secret');
      return `?${query.parameters}`;
    },
  },
  {
    id: 'startup-answer',
    level: 'MUST',
    section: 'get-apieventsclients',
    expects: 'after an active answer the server posts to its URL, but nothing from before',
    needs: ['new-url', 'startup-query'],
    run: appliesAnswer,
  },
  {
    id: 'startup-without-answer',
    level: 'MUST',
    section: 'get-apieventsclients',
    expects: 'without an answer the server runs, and posts nothing',
    needs: ['startup-query', 'new-url'],
    run: runsWithoutAnswer,
  },
];

function isSigned({ parts: { secret } }: Bench, { host, target, signature = '' }: Query): boolean {
  const signed = { method: 'GET', host, target, body: '' };
  return secret === undefined || isSignatureOf(signature, secret, signed);
}

/** Restarts the server and waits for its query. */
async function restarted(bench: Bench): Promise<Query> {
  const { restart } = bench.parts;
  if (!restart) throw new Skip('the server cannot be restarted: give --restart and --listen');
  const before = bench.listener.queries.length;
  await bench.connections.closeAll();
  await restart();
  const startedAt = performance.now();
  // A start can take longer than an answer.
  while (bench.listener.queries.length === before) {
    if (performance.now() - startedAt > 3 * bench.withinMs)
      throw new Failure('no start-up query arrived');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await untilHealthy(bench);
  return bench.listener.queries[before] as Query;
}

async function untilHealthy(bench: Bench): Promise<void> {
  const deadline = performance.now() + bench.withinMs;
  for (;;) {
    const answer = await bench.server
      .send({ method: 'GET', target: '/health' })
      .catch((cause: Error) => cause);
    if (!(answer instanceof Error)) return;
    if (performance.now() > deadline) throw answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function appliesAnswer(bench: Bench): Promise<string> {
  const { number, url } = bench.nextUrl();
  const [early, later] = [bench.room('early'), bench.room('startup')];
  // A client can come before the answer does.
  bench.listener.startupAnswer = async () => {
    await bench.connections.open(early);
    return JSON.stringify({ active: true, eventsUrl: url });
  };
  await restarted(bench);
  await untilPosted(bench, later, number);
  const announced = bench.sum(early);
  expect(announced === 0, 'a connection from before the answer was posted');
  return 'posts to the URL of the answer, and nothing from before';
}

/** Opens connections until one is posted: the server applies an answer a moment after it was sent. */
async function untilPosted(bench: Bench, room: string, number: number): Promise<void> {
  const deadline = performance.now() + bench.withinMs;
  while (bench.sum(room, number, number + 1) === 0) {
    expect(performance.now() < deadline, 'nothing was posted to the URL of the answer');
    const connection = await bench.connections.open(room);
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (bench.sum(room, number, number + 1) === 0) await bench.connections.close(connection);
  }
}

async function runsWithoutAnswer(bench: Bench): Promise<string> {
  bench.listener.startupAnswer = async () => undefined;
  await restarted(bench);
  const room = bench.room('unanswered');
  await bench.connections.open(room);
  const epoch = await bench.activate();
  await bench.untilCount(room, epoch, 1);
  await bench.barrier(epoch);
  const posted = bench.sum(room, 0, epoch.number);
  expect(posted === 0, `${posted} was posted before an activation`);
  return 'it runs, and an activation finds it';
}
