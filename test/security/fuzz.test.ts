import { randomInt } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RoomName } from '../../machines/ports.js';
import { type ErrorCode, errors } from '../../server/http/errors.js';
import { Sessions } from '../../server/http/sessions.js';
import { openEventStream } from '../support/eventStream.js';
import { eventually } from '../support/eventually.js';
import { check, validatorOf } from '../support/openapi.js';
import {
  getJson,
  post,
  quick,
  serversOf,
  startDouble,
  startStaged,
  stateOf,
  untilShown,
  visits,
} from '../support/stage.js';
import { calm, startWatched } from '../support/unharmed.js';
import { filledStore } from './filledStore.js';
import { expectOneLineEach, startLogged } from './logged.js';
import {
  type FuzzedAnswer,
  type FuzzedRequest,
  meantBy,
  operations,
  requestsTo,
  sendFuzzed,
} from './requests.js';

/** All fuzzing tests together take about this long: `FUZZ_SECONDS=3600` fuzzes for an hour. */
const seconds = Number(process.env.FUZZ_SECONDS ?? 9);
const testMs = seconds * 1000 + 30_000;
/** `FUZZ_SEED`: what a run printed as its seed. */
const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));
process.stdout.write(`FUZZ_SEED=${seed}\n`);
/** Fewer answers that were held against the description have not shown much. */
const leastAnswers = 300;

/**
 * Holds a property for its time, and on until that many answers came; a failure says the seed and the
 * smallest requests that show it.
 */
async function hold(
  property: fc.IAsyncProperty<[FuzzedRequest[]]>,
  answers: () => number,
): Promise<void> {
  for (let round = 0; round === 0 || answers() < leastAnswers; round += 1)
    await fc.assert(property, {
      seed: seed + round,
      numRuns: 1_000_000,
      interruptAfterTimeLimit: (seconds * 1000) / 3,
      markInterruptAsFailure: false,
    });
}

const some = (requests: fc.Arbitrary<FuzzedRequest>) =>
  fc.array(requests, { minLength: 1, maxLength: 12, size: 'max' });

/** What Node's parser refuses before the service hears of it: without a body. */
const refusedByNode = new Set([400, 417, 431]);

/** The answer is as docs/openapi.yaml has it, and an error as the catalogue has it. */
function expectDescribed(request: FuzzedRequest, { status, headers, text }: FuzzedAnswer): void {
  if (!text && refusedByNode.has(status) && !headers['content-type']) return;
  // Under another name than the service has, no request reaches an operation.
  const operation = status === errors.host_not_allowed.status ? undefined : meantBy(request);
  const seen = [request, status, text];
  if (operation) {
    // An error may say, like an answer in its place, what it depends on (RFC 9110, section 12.5.5).
    const vary = status < 400 ? withoutOrigin(headers.vary) : undefined;
    check(operation.path, operation.method.toLowerCase(), {
      status,
      headers: { ...headers, vary },
      body: text,
    });
  }
  if (status >= 500) expect([seen, operation?.statuses.has(`${status}`)]).toEqual([seen, true]);
  if (!operation && request.method !== 'OPTIONS')
    expect([seen, status >= 400]).toEqual([seen, true]);
  if (status < 400 || text === undefined) return;
  expect(headers['content-type']).toMatch(/^application\/json/);
  const body = JSON.parse(text) as { error: { code: ErrorCode } };
  const validate = validatorOf('#/components/schemas/Error');
  validate(body);
  expect([seen, validate.errors ?? []]).toEqual([seen, []]);
  expect([seen, errors[body.error.code]?.status]).toEqual([seen, status]);
}

/** Where `CORS_ORIGINS` is set every answer depends on who asks (Fetch standard). */
function withoutOrigin(vary: string | undefined): string | undefined {
  const rest = (vary ?? '').split(/, */).filter((name) => name && name !== 'Origin');
  return rest.length > 0 ? rest.join(', ') : undefined;
}

/** Sends them together, and holds what comes back against the description. */
async function sendAll(url: string, requests: readonly FuzzedRequest[]): Promise<FuzzedAnswer[]> {
  const answers = await Promise.all(requests.map((each) => sendFuzzed(url, each)));
  requests.forEach((each, i) => {
    const answer = answers[i];
    if (answer) expectDescribed(each, answer);
  });
  return answers;
}

test(
  'no request to any route fails the service, ends it, or changes a number that is not its own',
  async () => {
    const { double, other, service, viewer } = await startWatched({ ...calm, MAX_VIEWERS: '50' });
    let answered = 0;
    await hold(
      fc.asyncProperty(some(requestsTo(operations)), async (requests) => {
        answered += (await sendAll(service.url, requests)).length;
        // Under a server's own token as well: what it posts is its own affair.
        const bodies = requests.flatMap(({ body }) => (body === undefined ? [] : [body]));
        for (const body of bodies.slice(0, 3))
          expect((await post(other.eventsUrl ?? '', body)).status).toBeLessThan(500);
      }),
      () => answered,
    );
    expect(await getJson(`${service.url}/health`)).toEqual({ status: 'ok' });
    await eventually(async () => expect((await stateOf(service)).viewers).toBe(1));
    await double.open('r');
    await eventually(async () => {
      const row = (await serversOf(service)).find(({ id }) => id === double.id);
      expect(row).toMatchObject({ state: 'live', rooms: 1, connections: 2 });
    });
    expect(viewer.isEnded()).toBe(false);
  },
  testMs,
);

const token = 'a-token-that-nobody-guesses';

test(
  'no request without the token is answered where one is asked for',
  async () => {
    const env = { ...calm, DASHBOARD_TOKEN: token };
    const guarded = await startStaged([], env, { isHurried: true });
    const closed = operations.filter(({ isOpen }) => !isOpen);
    expect(closed.length).toBeGreaterThan(5);
    let answered = 0;
    await hold(
      fc.asyncProperty(some(requestsTo(closed)), async (requests) => {
        const answers = await sendAll(guarded.url, requests);
        answered += answers.length;
        requests.forEach(({ method }, i) => {
          // Which methods a path takes is in the description.
          const isRefused = (answers[i]?.status ?? 0) >= 400;
          if (method !== 'OPTIONS') expect([answers[i], isRefused]).toEqual([answers[i], true]);
        });
      }),
      () => answered,
    );
    expect(await getJson(`${guarded.url}/health`)).toEqual({ status: 'ok' });
    const headers = { Authorization: `Bearer ${token}` };
    const stranger = await fetch(`${guarded.url}/api/state`, { headers });
    // Guesses were among the requests: then the right token is refused for a while as well.
    expect([200, 429]).toContain(stranger.status);
  },
  testMs,
);

/** Rooms as anybody may have written them into the store. */
const stored = [
  'r',
  'a/b',
  '__proto__',
  'x\r\nX-Injected: 1\r\n\r\n',
  '%2f..%2f',
  '\u2028<script>',
  ...Array.from({ length: 40 }, (_, i) => `room ${i}`),
];
const oddAddresses = ['169.254.169.254', '127.0.0.1:9', 'no address', '[::1]:1', '0x7f.1:80'];

test(
  'no request with the token, to a service with everything switched on, fails it or gets what is not described',
  async () => {
    const double = await startDouble();
    for (const room of stored) double.rooms.set(room, 1);
    const addresses = [double.id, ...oddAddresses];
    const rooms = stored.map((id) => ({ id: id as RoomName, addresses, bytes: 1.5 }));
    const env = {
      ...quick,
      ...calm,
      PUBSUB_SERVERS: double.id,
      DYNAMODB_TABLE: 'given',
      DISCOVER_FROM_ROOMS: 'true',
      INSPECT: 'true',
      CORS_ORIGINS: 'https://evil.example,https://a.example',
      TRUSTED_PROXIES: '127.0.0.1',
      DASHBOARD_TOKEN: token,
      MAX_VIEWERS: '50',
    };
    const { service, lines } = await startLogged(env, {
      openStore: async () => filledStore(rooms),
    });
    const sessions = new Sessions(token);
    const cookie = () => ({ cookie: `${sessions.cookieName}=${sessions.begin()}` });
    const path = '/api/events?stream=changes';
    const viewer = visits(
      await openEventStream(service.url, { path, headers: cookie() }),
      (stream) => stream.close(),
    );
    const { __proto__: _lost, ...counts } = Object.fromEntries(stored.map((room) => [room, 1]));
    await untilShown(viewer, counts);

    // Those that came with the token, and were answered with what they asked for.
    let served = 0;
    let answered = 0;
    const trusted = fc
      .tuple(requestsTo(operations), fc.constantFrom('neither', 'neither', 'bearer', 'cookie'))
      .map(([request, way]) => ({ ...request, headers: { ...request.headers, ...givenBy(way) } }));
    const givenBy = (way: string): Record<string, string> => {
      if (way === 'bearer') return { Authorization: `Bearer ${token}` };
      return way === 'cookie' ? { Cookie: way } : {};
    };
    await hold(
      fc.asyncProperty(some(trusted), async (requests) => {
        // A session of its own for each: to sign out is among what is asked for.
        const sent = requests.map((each) =>
          each.headers.Cookie === 'cookie'
            ? { ...each, headers: { ...each.headers, Cookie: cookie().cookie } }
            : each,
        );
        const answers = await sendAll(service.url, sent);
        answered += answers.length;
        answers.forEach(({ status }, i) => {
          const { headers = {}, method } = sent[i] ?? {};
          const isTrusted = headers.Authorization?.endsWith(token) || headers.Cookie?.includes('.');
          if (isTrusted && status < 300 && method !== 'OPTIONS') served += 1;
        });
        expectOneLineEach(lines.splice(0));
      }),
      () => answered,
    );
    expect(served).toBeGreaterThan(answered / 10);
    const paths = double.requests.map(({ path }) => path);
    for (const path of paths)
      expect(path).toMatch(/^\/(api\/dashboard|health|api\/room\?id=[!-\xff]+)$/);
    expect(paths.filter((each) => each.startsWith('/api/room?')).length).toBeGreaterThan(5);
    expect(double.fatal).toEqual([]);
    await double.open('r');
    await untilShown(viewer, { ...counts, r: 2 });
    expect(viewer.isEnded()).toBe(false);
    await service.stop();
    expectOneLineEach(lines);
  },
  testMs,
);
