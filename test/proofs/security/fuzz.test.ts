import { randomInt, randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RoomName } from '../../../machines/ports.js';
import { Sessions } from '../../../server/http/auth/sessions.js';
import { type ErrorCode, errors } from '../../../server/http/errors.js';
import { charts } from '../../../server/inspection/charts.js';
import { openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { check, escaped, validatorOf } from '../../support/openapi.js';
import { get, nextOf, sharedStore, type TestTables } from '../../support/restApi.js';
import {
  calm,
  getJson,
  post,
  quick,
  serversOf,
  startDouble,
  startStaged,
  stateOf,
  untilShown,
  visits,
} from '../../support/stage.js';
import { startWatched } from '../../support/watchedService.js';
import { expectOneLineEach, startLogged } from '../../system/security/logged.js';
import {
  type FuzzedAnswer,
  type FuzzedRequest,
  type Known,
  meantBy,
  type Operation,
  operations,
  posts,
  requestsTo,
  sendFuzzed,
} from '../../system/security/requests.js';

/** `FUZZ_SECONDS=3600`: all fuzzing tests together take an hour. Otherwise each sends a number of requests. */
const { FUZZ_SECONDS, FUZZ_SEED } = process.env;
/** Lists of requests that each test sends. */
const lists = 40;
/** It sends as many again while an operation was seen too rarely. */
const maxRounds = 12;
const leastSeen = 3;
const seconds = Number(FUZZ_SECONDS ?? 0);
const testMs = seconds * 1000 + 120_000;
/** `FUZZ_SEED`: the seed that an earlier run printed. */
const seed = Number(FUZZ_SEED ?? randomInt(2 ** 31));
process.stdout.write(`FUZZ_SEED=${seed}\n`);

const { tables } = sharedStore();

/** How often each operation was seen. */
class Sightings {
  readonly #numbers: Map<string, number>;

  constructor(expected: readonly Operation[]) {
    this.#numbers = new Map(expected.map(({ name }) => [name, 0]));
  }

  note(operation: Operation | undefined): void {
    const number = operation && this.#numbers.get(operation.name);
    if (operation && number !== undefined) this.#numbers.set(operation.name, number + 1);
  }

  /** Operations that were seen too rarely, with their numbers. */
  get lacking(): [string, number][] {
    return [...this.#numbers].filter(([, number]) => number < leastSeen);
  }
}

/**
 * Checks a property until every operation was seen often enough. A failure has the seed and the smallest
 * requests that cause it.
 */
async function hold<Ts>(property: fc.IAsyncProperty<Ts>, seen: Sightings): Promise<void> {
  const limits = FUZZ_SECONDS
    ? { numRuns: 1_000_000_000, interruptAfterTimeLimit: (seconds * 1000) / 3 }
    : { numRuns: lists };
  for (let round = 0; round === 0 || (seen.lacking.length > 0 && round < maxRounds); round += 1)
    await fc.assert(property, { ...limits, seed: seed + round, markInterruptAsFailure: false });
  expect(seen.lacking).toEqual([]);
}

const some = (requests: fc.Arbitrary<FuzzedRequest>) =>
  fc.array(requests, { minLength: 1, maxLength: 12, size: 'max' });

/** Statuses of refusals by Node's parser, before the service sees the request. They have no body. */
const refusedByNode = new Set([400, 417, 431]);

/** Expects an answer that docs/openapi.yaml describes, and an error of the catalogue. */
function expectDescribed(request: FuzzedRequest, { status, headers, text }: FuzzedAnswer): void {
  if (!text && refusedByNode.has(status) && !headers['content-type']) return;
  // A request with a foreign host name reaches no operation.
  const operation = status === errors.host_not_allowed.status ? undefined : meantBy(request);
  const seen = [request, status, text];
  if (operation) {
    // An error may have `Vary` too (RFC 9110, section 12.5.5).
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
  // The store is healthy, so no answer is stale.
  expect([seen, headers['x-stale']]).toEqual([seen, undefined]);
  if (status < 400 || text === undefined) return;
  expect(headers['content-type']).toMatch(/^application\/json/);
  const body = JSON.parse(text) as { error: { code: ErrorCode } };
  const validate = validatorOf('#/components/schemas/Error');
  validate(body);
  expect([seen, validate.errors ?? []]).toEqual([seen, []]);
  expect([seen, errors[body.error.code]?.status]).toEqual([seen, status]);
  expect([seen, body.error.code]).not.toEqual([seen, 'store_unavailable']);
}

/** With `CORS_ORIGINS` every answer varies by `Origin` (Fetch standard). */
function withoutOrigin(vary: string | undefined): string | undefined {
  const rest = (vary ?? '').split(/, */).filter((name) => name && name !== 'Origin');
  return rest.length > 0 ? rest.join(', ') : undefined;
}

/** Sends them together, and compares the answers with the description. */
async function sendAll(url: string, requests: readonly FuzzedRequest[]): Promise<FuzzedAnswer[]> {
  const answers = await Promise.all(requests.map((each) => sendFuzzed(url, each)));
  requests.forEach((each, i) => {
    const answer = answers[i];
    if (answer) expectDescribed(each, answer);
  });
  return answers;
}

const token = 'a-token-that-nobody-guesses';

/** Odd room names in the store. */
const stored = [
  'r',
  'a/b',
  '__proto__',
  'x\r\nX-Injected: 1\r\n\r\n',
  '%2f..%2f',
  '\u2028<script>',
  ...Array.from({ length: 40 }, (_, i) => `room ${i}`),
];
/** Half of them `r`, whose document a server has. */
const oftenHeld = stored.flatMap((room) => ['r', room]);
const oddAddresses = ['169.254.169.254', '127.0.0.1:9', 'no address', '[::1]:1', '0x7f.1:80'];

/** Writes these rooms as held by these addresses, and a connection to each. */
async function fill({ store, putRoom }: TestTables, addresses: readonly string[]): Promise<void> {
  const timestamp = new Date().toISOString();
  const held = addresses.length > 0 && { remoteDocs: { SS: [...addresses] } };
  await Promise.all(
    stored.flatMap((room) => [
      putRoom(room, { bytes: { N: '1.5' }, ...held }),
      store.connections.put({ id: randomUUID(), roomName: room as RoomName, timestamp }),
    ]),
  );
}

/** Whether an answer is a success with a body. */
const isServed = ({ method }: FuzzedRequest, { status }: FuzzedAnswer) =>
  status < 300 && method !== 'OPTIONS' && method !== 'HEAD';

/** Valid values of parameters for a service with these rooms and this double. */
async function knownTo(
  service: { url: string },
  {
    rooms,
    double,
    viewerToken = '',
    tokens = [],
  }: {
    rooms: readonly string[];
    double: { port: number };
    viewerToken?: string;
    tokens?: string[];
  },
): Promise<Known> {
  const headers = viewerToken ? { Authorization: `Bearer ${viewerToken}` } : {};
  const page = (await get(service, '/')).body.toString();
  const first = '/api/rooms?limit=2';
  const next = nextOf(await get(service, first, headers), first) ?? '';
  const parameters = {
    name: rooms,
    room: rooms,
    prefix: ['', 'r', 'room '],
    id: charts.map(({ id }) => id),
    file: [...page.matchAll(/assets\/([\w.-]+)/g)].map(([, file = '']) => file),
    cursor: [new URLSearchParams(next.replace(/^.*\?/, '')).get('cursor') ?? ''],
    types: ['t:map', 'a%2Cb:text,x:xml'],
    'Last-Event-ID': ['0-1', 'x'],
    port: [`${double.port}`, '9', 'none'],
    token: tokens,
  };
  const unknown = Object.entries(parameters).filter(([, values]) => values.includes(''));
  expect(unknown.map(([name]) => name)).toEqual(['prefix']);
  return { parameters, viewerToken };
}

/** The status that the description requires for the body of a post. */
function statusOfPost(body: string): number {
  const pointer = `#/paths/${escaped('/api/events')}/post/requestBody/content/${escaped('application/json')}/schema`;
  try {
    return validatorOf(pointer)(JSON.parse(body)) ? 204 : 400;
  } catch {
    return 400;
  }
}

test(
  'no request to any route breaks the service, ends it, or changes the counts of other servers',
  async () => {
    const env = {
      ...calm,
      MAX_VIEWERS: '50',
      INSPECT: 'true',
      DYNAMODB_TABLE: 'given',
    };
    const own = await tables();
    await fill(own, []);
    const openStore = async () => own.store;
    const { double, other, service, viewer } = await startWatched(env, { openStore });
    const tokens = [new URL(other.eventsUrl ?? '').searchParams.get('token') ?? ''];
    const known = await knownTo(service, { rooms: oftenHeld, double, tokens });
    const served = new Sightings(operations);
    const posted = { 204: 0, 400: 0 };
    await hold(
      fc.asyncProperty(
        some(requestsTo(operations, known)),
        fc.array(posts, { maxLength: 3 }),
        async (requests, bodies) => {
          const answers = await sendAll(service.url, requests);
          requests.forEach((each, i) => {
            const answer = answers[i];
            if (answer && isServed(each, answer)) served.note(meantBy(each));
          });
          // Posts under a server's own token may change that server's counts.
          for (const body of bodies) {
            const { status } = await post(other.eventsUrl ?? '', body);
            expect([body, status]).toEqual([body, statusOfPost(body)]);
            posted[status as keyof typeof posted] += 1;
          }
        },
      ),
      served,
    );
    for (const number of Object.values(posted)) expect(number).toBeGreaterThan(lists / 4);
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

test(
  'no request without the token succeeds where one is required',
  async () => {
    const env = { ...calm, DASHBOARD_TOKEN: token, INSPECT: 'true' };
    const own = await tables();
    await fill(own, []);
    const openStore = async () => own.store;
    const guarded = await startStaged([], env, { isHurried: true, openStore });
    const closed = operations.filter(({ isOpen }) => !isOpen);
    expect(closed.length).toBeGreaterThan(5);
    const known = await knownTo(guarded, {
      rooms: stored,
      double: { port: 9 },
      viewerToken: token,
    });
    const refused = new Sightings(closed);
    await hold(
      fc.asyncProperty(some(requestsTo(closed, known)), async (requests) => {
        const answers = await sendAll(guarded.url, requests);
        requests.forEach((each, i) => {
          const status = answers[i]?.status ?? 0;
          // `OPTIONS` is answered without a token.
          if (each.method !== 'OPTIONS')
            expect([answers[i], status >= 400]).toEqual([answers[i], true]);
          if (status === errors.unauthorized.status) refused.note(meantBy(each));
        });
      }),
      refused,
    );
    expect(await getJson(`${guarded.url}/health`)).toEqual({ status: 'ok' });
    const headers = { Authorization: `Bearer ${token}` };
    const stranger = await fetch(`${guarded.url}/api/state`, { headers });
    // The requests may have guessed tokens, and then the right one is refused for a while.
    expect([200, 429]).toContain(stranger.status);
  },
  testMs,
);

test(
  'no request with the token, to a service with everything switched on, breaks it or has an undescribed answer',
  async () => {
    const double = await startDouble();
    for (const room of stored) double.rooms.set(room, 1);
    const own = await tables();
    await fill(own, [double.id, ...oddAddresses]);
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
      openStore: async () => own.store,
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

    const known = await knownTo(service, { rooms: oftenHeld, double, viewerToken: token });
    // Posts under the double's own token have their own test. Here its counts must not change.
    const others = operations.filter(({ name }) => name !== 'postDeltas');
    // Requests with the token that succeeded.
    const served = new Sightings(others);
    const ways = ['neither', 'bearer', 'bearer', 'cookie', 'cookie'] as const;
    const givenBy = (way: (typeof ways)[number]): Record<string, string> => {
      if (way === 'bearer') return { Authorization: `Bearer ${token}` };
      return way === 'cookie' ? { Cookie: way } : {};
    };
    const trusted = fc
      .tuple(requestsTo(others, known), fc.constantFrom(...ways), fc.ipV4())
      .map(([request, way, address]) => ({
        ...request,
        // An address that guessed is refused for a while, so nearly every request has its own address.
        headers: { 'X-Forwarded-For': address, ...request.headers, ...givenBy(way) },
      }));
    await hold(
      fc.asyncProperty(some(trusted), async (requests) => {
        // Each has its own session, as requests may sign out.
        const sent = requests.map((each) =>
          each.headers.Cookie === 'cookie'
            ? { ...each, headers: { ...each.headers, Cookie: cookie().cookie } }
            : each,
        );
        const answers = await sendAll(service.url, sent);
        sent.forEach((each, i) => {
          const answer = answers[i];
          const { Authorization, Cookie } = each.headers;
          const isTrusted = Authorization?.endsWith(token) || Cookie?.includes('.');
          if (answer && isTrusted && isServed(each, answer)) served.note(meantBy(each));
        });
        expectOneLineEach(lines.splice(0));
      }),
      served,
    );
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
