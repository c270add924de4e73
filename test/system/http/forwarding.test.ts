import type { IncomingMessage, RequestListener } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import type { Leader } from '../../../machines/ports.js';
import { InstanceSignatures } from '../../../server/cluster/instanceSignatures.js';
import { createApp } from '../../../server/http/app.js';
import { traceRequests } from '../../../server/tracing/traceRequests.js';
import { type AppOverrides, appNeeds } from '../../support/appNeeds.js';
import { clusterNeeds, clusterSecret } from '../../support/clusterNeeds.js';
import { eventually } from '../../support/eventually.js';
import { fakeTracing } from '../../support/fakeTracing.js';
import { useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';

const harness = useHarness();
const leaderId = 'leader';
const signatures = () => new InstanceSignatures(clusterSecret, leaderId);
const leaderAt = (url: string): Leader => ({ instance: leaderId, term: 1, url, isActive: true });

/** A leader whose routes answer what the test says. */
async function startLeader(overrides: AppOverrides = {}): Promise<string> {
  const cluster = clusterNeeds(signatures(), { isLeading: () => true });
  const fleet = { discovery: () => [], ...overrides.fleet };
  return (await harness.app(createApp(appNeeds({ cluster, ...overrides, fleet })))).url;
}

/** A follower of the leader at this URL. */
async function startFollower(
  leader: () => Leader | undefined,
  { timeoutMs = 10_000, ...overrides }: AppOverrides & { timeoutMs?: number } = {},
): Promise<string> {
  const own = new InstanceSignatures(clusterSecret, 'follower');
  const cluster = clusterNeeds(own, { leader, timeoutMs });
  return (await harness.app(createApp(appNeeds({ cluster, ...overrides })))).url;
}

/** A leader that is any listener. */
async function startRaw(listener: RequestListener) {
  const { url } = await harness.app(listener);
  return () => leaderAt(url);
}

const withoutDate = ({ date: _, ...headers }: IncomingMessage['headers']) => headers;

describe('a question that needs the leader', () => {
  test('goes on there in the trace of its request', async () => {
    const seen: unknown[] = [];
    const leader = await startRaw((req, res) => {
      seen.push(req.headers.traceparent);
      res.end('[]');
    });
    const { tracing, spans } = fakeTracing();
    const cluster = clusterNeeds(new InstanceSignatures(clusterSecret, 'follower'), { leader });
    const app = createApp(appNeeds({ cluster })).callback();
    const { url } = await harness.app(traceRequests(app, tracing));
    await ask(`${url}/api/servers`);
    expect(seen).toEqual([spans[0]?.headers().traceparent]);
  });

  test.each([
    ['/api/servers', 200],
    ['/api/counts?room=a%2Fb&room=', 200],
    ['/api/counts', 400],
    ['/api/machines/none?limit=0', 400],
    ['/inspect', 404],
  ])('is answered by a follower as by the leader: %s', async (path, status) => {
    const url = await startLeader({
      fleet: { servers: () => [{ id: 'grüße' } as never], discovery: () => [] },
      counts: { countsOf: (room: string) => ({ room }) as never },
      machines: { ids: [] } as never,
      inspector: undefined,
    });
    const follower = await startFollower(() => leaderAt(url));
    const [there, here] = [await ask(url + path), await ask(follower + path)];
    expect(here.status).toBe(status);
    expect(withoutDate(here.headers)).toEqual(withoutDate(there.headers));
    const withoutId = (text: string) => text.replace(/"requestId":"[^"]*"/, '');
    expect(withoutId(here.text)).toBe(withoutId(there.text));
  });

  test('keeps its headers, and the answer keeps its own', async () => {
    const asked: IncomingMessage[] = [];
    const leader = await startRaw((req, res) => {
      asked.push(req);
      res.writeHead(200, { 'X-Discovery-Failed': 'dns:a', 'Set-Cookie': 'a=b', ETag: '"1"' });
      res.end('[]');
    });
    const url = await startFollower(leader, { viewerToken: 'secret' });
    const headers = { Accept: 'application/json', Authorization: 'Bearer secret', Cookie: 'c=d' };
    const answer = await ask(`${url}/api/servers?x=%41`, { headers });
    expect(answer.headers).toMatchObject({ 'x-discovery-failed': 'dns:a', etag: '"1"' });
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(asked[0]?.url).toBe('/api/servers?x=%41');
    expect(asked[0]?.headers).toMatchObject({ accept: 'application/json' });
    for (const secret of ['authorization', 'cookie'])
      expect(asked[0]?.headers).not.toHaveProperty(secret);
  });

  test('requires the token at the follower', async () => {
    const leader = await startRaw((_req, res) => res.end('secret'));
    const url = await startFollower(leader, { viewerToken: 'secret' });
    expect(await ask(`${url}/api/servers`)).toMatchObject({ code: 'unauthorized' });
  });

  test('can be a HEAD request', async () => {
    const url = await startFollower(await startLeaderUrl());
    const answer = await ask(`${url}/api/servers`, { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(answer.headers['content-length']).toBe('2');
  });

  async function startLeaderUrl() {
    const url = await startLeader();
    return () => leaderAt(url);
  }

  test('streams, and ends at the leader when the viewer leaves', async () => {
    let theirs: IncomingMessage['socket'] | undefined;
    const leader = await startRaw((req, res) => {
      theirs = req.socket;
      res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n');
    });
    const connection = harness.socket({ url: await startFollower(leader) });
    connection.send('GET /inspect/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await eventually(() => expect(connection.text()).toContain('data: 1'));
    expect(theirs?.destroyed).toBe(false);
    connection.socket.destroy();
    await eventually(() => expect(theirs?.destroyed).toBe(true));
  });

  test('is cut when the leader cuts its answer', async () => {
    const logged: string[] = [];
    const leader = await startRaw((_req, res) => {
      res.writeHead(200, { 'Content-Length': 100 }).write('[', () => res.destroy());
    });
    const url = await startFollower(leader, { onLog: (line) => logged.push(line) });
    await expect(ask(`${url}/api/servers`)).rejects.toThrow();
    expect(logged.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
  });
});

describe('without a leader', () => {
  const refusal = { status: 503, code: 'no_leader', headers: { 'retry-after': '2' } };

  test('it is refused', async () => {
    const url = await startFollower(() => undefined);
    expect(await ask(`${url}/api/servers`)).toMatchObject(refusal);
  });

  test.each(['/api/activity', '/API/Activity'])(
    'this instance tells of itself: %s',
    async (path) => {
      const url = await startFollower(() => undefined);
      expect((await ask(url + path)).status).toBe(200);
    },
  );

  test('an event stream only says when to try again', async () => {
    const url = await startFollower(() => undefined);
    const headers = { Accept: 'text/event-stream' };
    const answer = await ask(`${url}/inspect/events`, { headers });
    expect(answer).toMatchObject({ status: 200, text: expect.stringMatching(/^retry: \d+\n\n$/) });
    expect(answer.headers['content-type']).toMatch(/^text\/event-stream/);
  });

  test.each<[string, RequestListener]>([
    ['does not listen', (req) => req.socket.destroy()],
    ['is silent', () => {}],
    ['is another run', createApp(appNeeds({ cluster: clusterNeeds() })).callback()],
    ['no longer leads', createApp(appNeeds({ cluster: clusterNeeds(signatures()) })).callback()],
  ])('it is refused when that one %s', async (_, listener) => {
    const url = await startFollower(await startRaw(listener), { timeoutMs: 100 });
    expect(await ask(`${url}/api/servers`)).toMatchObject(refusal);
  });

  test('it is refused as soon as that one no longer leads', async () => {
    let leader: Leader | undefined;
    const arrived = new Promise<void>((resolve) => {
      void startRaw(() => resolve()).then((known) => {
        leader = known();
      });
    });
    await eventually(() => expect(leader).toBeDefined());
    const url = await startFollower(() => leader, { timeoutMs: 600_000 });
    const answer = ask(`${url}/api/servers`);
    await arrived;
    leader = undefined;
    expect(await answer).toMatchObject(refusal);
  });

  test('it is never passed on twice', async () => {
    let second = 0;
    const wrong = await startRaw((_req, res) => {
      second += 1;
      res.end();
    });
    const cluster = clusterNeeds(signatures(), { leader: wrong });
    const between = await harness.app(createApp(appNeeds({ cluster })));
    const url = await startFollower(() => leaderAt(between.url));
    expect(await ask(`${url}/api/servers`)).toMatchObject(refusal);
    expect(second).toBe(0);
  });
});

test('a route of other instances is there for them only', async () => {
  const cluster = clusterNeeds(signatures(), {
    addRoutes: (router) =>
      router.get('/api/instances/test', (ctx) => {
        ctx.body = 'here';
      }),
  });
  const { url } = await harness.app(createApp(appNeeds({ cluster })));
  const path = '/api/instances/test';
  expect(await ask(url + path)).toMatchObject({ code: 'not_found' });
  const follower = new InstanceSignatures(clusterSecret, 'follower');
  const signature = follower.sign({ method: 'GET', target: path }, leaderId);
  const headers = { 'Instance-Signature': signature };
  expect(await ask(url + path, { headers })).toMatchObject({ status: 200, text: 'here' });
});
