import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ErrorCode, errors } from '../../server/http/errors.js';
import { eventually } from '../support/eventually.js';
import { getJson, post, serversOf, startStaged, stateOf } from '../support/stage.js';
import { calm, startWatched } from '../support/unharmed.js';
import {
  type FuzzedAnswer,
  type FuzzedRequest,
  readOperations,
  requestsTo,
  sendFuzzed,
} from './requests.js';

const operations = await readOperations();

/** Both fuzzing tests together take about this long: `FUZZ_SECONDS=3600` fuzzes for an hour. */
const seconds = Number(process.env.FUZZ_SECONDS ?? 8);
/** `FUZZ_SEED`: what a failure printed as its seed. */
const seed = process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) };

/** Holds a property for its time; a failure says the seed and the smallest requests that show it. */
async function hold(property: fc.IAsyncProperty<[FuzzedRequest[]]>): Promise<void> {
  await fc.assert(property, {
    ...seed,
    numRuns: 1_000_000,
    interruptAfterTimeLimit: seconds * 500,
    markInterruptAsFailure: false,
  });
}

const some = (requests: fc.Arbitrary<FuzzedRequest>) =>
  fc.array(requests, { minLength: 1, maxLength: 12, size: 'max' });

/** An answer that is described: no failure, and errors by the catalogue. */
function expectDescribed({ operation, method }: FuzzedRequest, answer: FuzzedAnswer): void {
  const isAsDescribed = method === operation.method && operation.statuses.has(`${answer.status}`);
  if (answer.status >= 500) expect([answer, isAsDescribed]).toEqual([answer, true]);
  if (answer.status < 400 || answer.text === '') return;
  const { error } = JSON.parse(answer.text) as { error: { code: ErrorCode; message: string } };
  expect(answer.type).toMatch(/^application\/json/);
  expect([error.code, errors[error.code]?.status]).toEqual([error.code, answer.status]);
}

test(
  'no request to any route fails the service, ends it, or changes a number that is not its own',
  async () => {
    const { double, other, service, viewer } = await startWatched({ ...calm, MAX_VIEWERS: '50' });
    let answered = 0;
    await hold(
      fc.asyncProperty(some(requestsTo(operations)), async (requests) => {
        const answers = await Promise.all(requests.map((each) => sendFuzzed(service.url, each)));
        requests.forEach((each, i) => {
          const answer = answers[i];
          if (answer) expectDescribed(each, answer);
          answered += 1;
        });
        // Under a server's own token as well: what it posts is its own affair.
        const bodies = requests.flatMap(({ body }) => (body === undefined ? [] : [body]));
        for (const body of bodies.slice(0, 3))
          expect((await post(other.eventsUrl ?? '', body)).status).toBeLessThan(500);
      }),
    );
    expect(answered).toBeGreaterThan(seconds);
    expect(await getJson(`${service.url}/health`)).toEqual({ status: 'ok' });
    await eventually(async () => expect((await stateOf(service)).viewers).toBe(1));
    await double.open('r');
    await eventually(async () => {
      const row = (await serversOf(service)).find(({ id }) => id === double.id);
      expect(row).toMatchObject({ state: 'live', rooms: 1, connections: 2 });
    });
    expect(viewer.isEnded()).toBe(false);
  },
  seconds * 1000 + 30_000,
);

test(
  'no request without the token is answered where one is asked for',
  async () => {
    const token = 'a-token-that-nobody-guesses';
    const env = { ...calm, DASHBOARD_TOKEN: token };
    const guarded = await startStaged([], env, { isHurried: true });
    const closed = operations.filter(({ isOpen }) => !isOpen);
    expect(closed.length).toBeGreaterThan(5);
    await hold(
      fc.asyncProperty(some(requestsTo(closed)), async (requests) => {
        const answers = await Promise.all(requests.map((each) => sendFuzzed(guarded.url, each)));
        requests.forEach((each, i) => {
          const answer = answers[i];
          if (!answer) return;
          expectDescribed(each, answer);
          // Which methods a path takes is in the description.
          if (each.method !== 'OPTIONS')
            expect([answer, answer.status >= 400]).toEqual([answer, true]);
        });
      }),
    );
    expect(await getJson(`${guarded.url}/health`)).toEqual({ status: 'ok' });
    const headers = { Authorization: `Bearer ${token}` };
    const stranger = await fetch(`${guarded.url}/api/state`, { headers });
    // Guesses were among the requests: then the right token is refused for a while as well.
    expect([200, 429]).toContain(stranger.status);
  },
  seconds * 1000 + 30_000,
);
