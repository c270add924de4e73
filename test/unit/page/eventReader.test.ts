import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { steadyNow } from '../../../server/page/steadyNow.js';
import { EventReader } from '../../../server/page/stream/eventReader.js';
import type { StreamEvent, StreamStatus } from '../../../server/page/stream/messages.js';
import { eventually } from '../../support/eventually.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

type Answer = (response: ServerResponse, request: IncomingMessage, attempt: number) => void;

/** A service with scripted responses. */
async function serve(answer: Answer): Promise<string> {
  let attempt = 0;
  const server = createServer((request, response) => {
    attempt += 1;
    answer(response, request, attempt);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A reader with short timeouts, and what it reports. */
function read(url: string, timing: ConstructorParameters<typeof EventReader>[2] = {}) {
  const events: StreamEvent[] = [];
  const statuses: StreamStatus[] = [];
  const reader = new EventReader(
    url,
    { onEvent: (event) => events.push(event), onStatus: (status) => statuses.push(status) },
    { firstRetryMs: 10, maxRetryMs: 40, watchMs: 10, ...timing },
  );
  ends.push(() => reader.close());
  return { reader, events, statuses, kinds: () => statuses.map(({ kind }) => kind) };
}

const unauthorized = JSON.stringify({ error: { code: 'unauthorized', message: 'no token' } });

const begin = (response: ServerResponse) =>
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });

test('a reader resumes an interrupted stream after the last event id', async () => {
  const lastIds: unknown[] = [];
  const url = await serve((response, { headers }, attempt) => {
    lastIds.push(headers['last-event-id']);
    begin(response).write(`event: changes\nid: a-${attempt}\ndata: ${attempt}\n\n`);
    if (attempt < 3) response.end();
  });
  const { events, kinds } = read(url);
  await eventually(() => expect(events.map(({ data }) => data)).toEqual(['1', '2', '3']));
  expect(lastIds).toEqual([undefined, 'a-1', 'a-2']);
  expect(kinds()).toEqual(['live', 'reconnecting', 'live', 'reconnecting', 'live']);
});

test('a reader retries after an error response with growing delays, and reports the reason', async () => {
  const at: number[] = [];
  const body = JSON.stringify({ error: { code: 'draining', message: 'it is shutting down' } });
  const url = await serve((response, _, attempt) => {
    at.push(performance.now());
    if (attempt < 5) response.writeHead(503).end(body);
    else begin(response).write(':\n\n');
  });
  const { statuses } = read(url, { firstRetryMs: 20, maxRetryMs: 1000 });
  await eventually(() => expect(statuses.at(-1)).toEqual({ kind: 'live' }));
  const [first] = statuses;
  expect(first).toMatchObject({ kind: 'reconnecting', reason: 'it is shutting down' });
  const waits = at.slice(1).map((time, i) => time - (at[i] ?? 0));
  // 20, 40, 80 and 160 ms, minus jitter of a fifth. A busy machine only adds.
  waits.forEach((wait, i) => {
    expect(wait).toBeGreaterThanOrEqual(0.8 * 20 * 2 ** i - 2);
  });
});

test('a reader reports the time of the first failure during all retries', async () => {
  const url = await serve((response) => response.destroy());
  const { statuses } = read(url);
  await eventually(() => expect(statuses.length).toBeGreaterThan(3));
  const since = statuses.map((status) => status.kind === 'reconnecting' && status.sinceMs);
  expect(new Set(since).size).toBe(1);
  expect(statuses[0]).toMatchObject({ reason: 'The service cannot be reached' });
});

test('a reader waits as long as a full service asks', async () => {
  const url = await serve((response, _, attempt) => {
    begin(response);
    if (attempt === 1) response.end('retry: 123456\n\n');
    else response.write(':\n\n');
  });
  const { reader, statuses } = read(url);
  await eventually(() => expect(statuses.at(-1)?.kind).toBe('reconnecting'));
  const last = statuses.at(-1);
  const waitMs = last?.kind === 'reconnecting' ? last.retryAtMs - steadyNow() : 0;
  expect(waitMs).toBeGreaterThan(100_000);
  expect(last).toMatchObject({ reason: expect.stringContaining('accepts no viewers') });
  reader.retry();
  await eventually(() => expect(statuses.at(-1)).toEqual({ kind: 'live' }));
});

test('a stream turns stale without heartbeats, and the reader then reconnects', async () => {
  const url = await serve((response) => begin(response).write(':\n\n'));
  const { kinds, statuses } = read(url, { staleMs: 50, deadMs: 800 });
  // A machine that stands still for long lets it reconnect at once. It does all this again and again.
  await eventually(() => expect(kinds().join()).toContain('live,stale,reconnecting,live'));
  const at = statuses.findIndex(
    ({ kind }, i) => kind === 'stale' && statuses[i + 1]?.kind === 'reconnecting',
  );
  expect(statuses[at + 1]).toMatchObject({ reason: 'The stream timed out' });
  // What it told last is as old as before.
  const [stale, reconnecting] = statuses
    .slice(at, at + 2)
    .map((status) => 'sinceMs' in status && status.sinceMs);
  expect(reconnecting).toBe(stale);
});

test('a stream stays live with heartbeats alone', async () => {
  let beats = 0;
  const url = await serve((response) => {
    begin(response);
    const timer = setInterval(() => {
      beats += 1;
      response.write(':\n\n');
    }, 20);
    response.on('close', () => clearInterval(timer));
  });
  // Long enough for a busy machine, and shorter than this many heartbeats take.
  const { kinds } = read(url, { staleMs: 2000, deadMs: 5000 });
  await eventually(() => expect(beats).toBeGreaterThan(125));
  expect(kinds()).toEqual(['live']);
});

test('a reader rejects an HTML page in place of a stream', async () => {
  const url = await serve((response, _, attempt) => {
    if (attempt > 1) begin(response).write(':\n\n');
    else response.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>Sign in</h1>');
  });
  const { statuses } = read(url);
  await eventually(() => expect(statuses.at(-1)).toEqual({ kind: 'live' }));
  expect(statuses[0]).toMatchObject({ reason: 'The response is not from this service' });
});

test('a reader gives up a response without headers', async () => {
  const url = await serve((response, _, attempt) => {
    if (attempt > 1) begin(response).write(':\n\n');
  });
  const { statuses } = read(url, { connectMs: 50 });
  await eventually(() => expect(statuses.at(-1)).toEqual({ kind: 'live' }));
  expect(statuses[0]).toMatchObject({ reason: 'The service did not answer' });
});

test('a reader does not retry while signed out', async () => {
  const attempts = { signedOut: 0, refused: 0 };
  const url = await serve((response, request) => {
    const isSignedOut = request.url === '/signed-out';
    attempts[isSignedOut ? 'signedOut' : 'refused'] += 1;
    // Only a 401 with the service's own code means signed out.
    response.writeHead(isSignedOut ? 401 : 503).end(isSignedOut ? unauthorized : undefined);
  });
  const { reader, kinds } = read(`${url}signed-out`);
  await eventually(() => expect(kinds()).toEqual(['signedOut']));
  // Measures time by another reader, which keeps retrying.
  read(`${url}refused`);
  await eventually(() => expect(attempts.refused).toBeGreaterThan(4));
  expect(attempts.signedOut).toBe(1);
  reader.retry();
  await eventually(() => expect(attempts.signedOut).toBe(2));
});

test.each([
  ['with a page', '<h1>401 Authorization Required</h1>'],
  ['with JSON of its own', '{"error":"login_required"}'],
  ['with null', 'null'],
])('a proxy that answers 401 %s is named, and asked again', async (_, body) => {
  const url = await serve((response, _request, attempt) => {
    if (attempt > 1) begin(response).write(':\n\n');
    else response.writeHead(401).end(body);
  });
  const { statuses } = read(url);
  await eventually(() => expect(statuses.at(-1)).toEqual({ kind: 'live' }));
  expect(statuses[0]).toMatchObject({
    kind: 'reconnecting',
    reason: 'A proxy in front of the service answered 401',
  });
});

test.each([
  [
    'Retry-After',
    (response: ServerResponse) => response.writeHead(503, { 'Retry-After': '2592000' }).end(),
  ],
  ['retry:', (response: ServerResponse) => begin(response).end('retry: 2592000000\n\n')],
])(
  'a wait of a month by %s is limited to five minutes and causes no flood of requests',
  async (_, refuse) => {
    let attempts = 0;
    const url = await serve((response) => {
      attempts += 1;
      refuse(response);
    });
    const { statuses } = read(url);
    await eventually(() => expect(statuses.at(-1)?.kind).toBe('reconnecting'));
    const last = statuses.at(-1);
    const waitMs = last?.kind === 'reconnecting' ? last.retryAtMs - steadyNow() : 0;
    expect(waitMs).toBeGreaterThan(200_000);
    expect(waitMs).toBeLessThanOrEqual(300_000);
    // Measures time by another reader, which keeps retrying.
    let others = 0;
    const other = await serve((response) => {
      others += 1;
      response.writeHead(503).end();
    });
    read(other);
    await eventually(() => expect(others).toBeGreaterThan(4));
    expect(attempts).toBe(1);
  },
);

test.each([
  ['back by an hour', -3_600_000],
  ['forward by an hour', 3_600_000],
])(
  'a system clock set %s changes nothing: only silence makes a stream stale',
  async (_, jumpMs) => {
    let isBeating = true;
    let beats = 0;
    const url = await serve((response) => {
      begin(response);
      const timer = setInterval(() => {
        if (!isBeating) return;
        beats += 1;
        response.write(':\n\n');
      }, 20);
      response.on('close', () => clearInterval(timer));
    });
    const { kinds } = read(url, { staleMs: 700, deadMs: 2000 });
    await eventually(() => expect(kinds()).toEqual(['live']));
    const real = Date.now;
    Date.now = () => real() + jumpMs;
    ends.push(() => {
      Date.now = real;
    });
    const before = beats;
    await eventually(() => expect(beats).toBeGreaterThan(before + 20));
    expect(kinds()).toEqual(['live']);
    isBeating = false;
    Date.now = () => real() + 2 * jumpMs;
    await eventually(() => expect(kinds().slice(1, 3)).toEqual(['stale', 'reconnecting']));
  },
);

test('a reader reads pending data after a sleep before it gives up the stream', async () => {
  let responseOf: ServerResponse | undefined;
  const url = await serve((response) => {
    begin(response).write(':\n\n');
    responseOf = response;
  });
  const { kinds } = read(url, { watchMs: 50, staleMs: 1500, deadMs: 1600 });
  await eventually(() => expect(kinds()).toEqual(['live']));
  for (let naps = 0; naps < 2; naps += 1) {
    await new Promise<void>((resolve) => responseOf?.write(':\n\n', () => resolve()));
    // Blocks the whole thread, including its timers.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1900);
    // Time for at least two checks.
    await new Promise((resolve) => setTimeout(resolve, 120));
  }
  expect(kinds()).toEqual(['live']);
});

test('a closed reader disconnects and reports nothing more', async () => {
  let isGone = false;
  const url = await serve((response) => {
    begin(response).write(':\n\n');
    response.on('close', () => {
      isGone = true;
    });
  });
  const { reader, kinds } = read(url);
  await eventually(() => expect(kinds()).toEqual(['live']));
  reader.close();
  await eventually(() => expect(isGone).toBe(true));
  expect(kinds()).toEqual(['live']);
});
