import { once } from 'node:events';
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { expect, jest, test } from '@jest/globals';
import type { Service } from '../../../server/service.js';
import { eventually } from '../../support/eventually.js';
import { operations } from '../../support/openapi.js';
import { Cluster } from '../../support/testCluster.js';

jest.setTimeout(120_000);

/** A request that every instance must answer alike. */
interface Sample {
  operation: string;
  path: string;
  headers?: OutgoingHttpHeaders;
  body?: string;
}

const json = { Accept: 'application/json' };
const posted = { 'Content-Type': 'application/json' };

/** Requests to every route, with their errors. `SERVER`: the id of a server. */
const samples: Sample[] = [
  ...each('get /api/servers', ['/api/servers', '/api/servers/']),
  ...each('get /api/servers/rooms', ['/api/servers/rooms?server=SERVER', '/api/servers/rooms']),
  ...each('get /api/servers/requests', [
    '/api/servers/requests?server=SERVER',
    '/api/servers/requests?server=none',
  ]),
  ...each('get /api/watched', ['/api/watched']),
  ...each('get /api/state', ['/api/state', '/api/%73tate']),
  ...each('get /api/counts', ['/api/counts?room=a&room=x%2Fy&room=', '/api/counts']),
  ...each('get /api/machines', ['/api/machines']),
  ...each('get /api/machines/{id}', [
    '/api/machines/activation',
    '/api/machines/pubSubServer?limit=1&search=%31',
    '/api/machines/none',
    '/api/machines/room?limit=0',
  ]),
  ...each('get /api/rooms', ['/api/rooms', '/api/rooms?limit=1&active=true', '/api/rooms?limit=0']),
  ...each('get /api/room', ['/api/room?room=a', '/api/room?room=none', '/api/room']),
  ...each('get /api/room', ['/api/room?room=a', '/api/room?room=none'], json),
  ...each('get /api/room/servers', ['/api/room/servers?room=a', '/api/room/servers?room=']),
  ...each('get /api/room/log', ['/api/room/log?room=a', '/api/room/log']),
  ...each('get /api/rooms/{name}', ['/api/rooms/a', "/api/rooms/x/y'%41%2F", '/api/rooms/'], json),
  ...each('get /api/rooms/{name}/servers', ['/api/rooms/a/servers', '/api/rooms/none/servers']),
  ...each('get /api/rooms/{name}/log', ['/api/rooms/a/log']),
  ...each('get /api/connections/latest', ['/api/connections/latest']),
  ...each('get /api/connections/since_yesterday/{hour}', [
    '/api/connections/since_yesterday/0',
    '/api/connections/since_yesterday/24',
  ]),
  ...each('get /api/observations', ['/api/observations']),
  ...each('get /api/activity', ['/api/activity', '/api/activity?after=x']),
  ...each('get /api/history', ['/api/history', '/api/history?step=30', '/api/history?room=a']),
  ...each('get /api/history/rooms', ['/api/history/rooms?room=a&room=', '/api/history/rooms']),
  ...each('get /api/instances', ['/api/instances']),
  ...each('get /api/session', ['/api/session']),
  ...each('post /api/session', ['/api/session'], posted, '{"token":""}'),
  ...each('post /api/session', ['/api/session'], posted, '{'),
  ...each('delete /api/session', ['/api/session']),
  ...each('get /health', ['/health']),
  ...each('get /ready', ['/ready']),
  ...each('get /openapi.json', ['/openapi.json']),
  ...each('get /', ['/']),
  ...each('get /assets/{file}', ['/assets/none.js']),
  ...each('get /inspect', ['/inspect', '/inspect/']),
  ...each('get /inspect/relay.js', ['/inspect/relay.js']),
  ...each('get /api/events/clients', ['/api/events/clients?port=9']),
  ...each('post /api/events', ['/api/events?token=x', '/api/events'], posted, '{"room":"a"}'),
  ...each('get /api/none', ['/api/none']),
];

/** Streams are read up to their first message. */
const streams: Sample[] = [
  ...each('get /api/events', ['/api/events', '/api/events?stream=changes', '/api/events?stream=x']),
  ...each('get /api/updates', ['/api/updates', '/api/updates?as=x']),
  ...each('get /api/room/events', ['/api/room/events?room=a', '/api/room/events']),
  ...each('get /api/rooms/{name}/events', ['/api/rooms/a/events']),
  ...each('get /inspect/events', ['/inspect/events', '/inspect/events?events=x']),
];

function each(
  operation: string,
  paths: readonly string[],
  headers: OutgoingHttpHeaders = {},
  body?: string,
): Sample[] {
  return paths.map((path) => ({ operation, path, headers, ...(body !== undefined && { body }) }));
}

/** Sends a path as it is. */
async function send(service: Service, { operation, path, headers = {}, body }: Sample) {
  const { hostname, port } = new URL(service.url);
  const [method = ''] = operation.split(' ');
  const sent = request({ hostname, port, path, headers, method, agent: false });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return answer;
}

/** Without what differs from one request to the next. */
function shapeOf({ statusCode, headers }: IncomingMessage, text: string) {
  const { date: _, ...others } = headers;
  const body = text
    .replace(/"requestId":"[^"]*"/, '"requestId":""')
    .replace(/"lagMs":[\d.]+/g, '"lagMs":0')
    // 48 hours ago.
    .replace(/"since":"[^"]*","gaps":\[{"from":"[^"]*"/, '"gaps":[{')
    // Without INSTANCE_URL it is the instance's own, which passes posts on. Two tokens are never the same.
    .replace(/http:[^"]*\/api\/events\?token=[^"]*/g, 'http://instance/api/events?token=token');
  return { status: statusCode, headers: { ...others, 'content-length': '' }, body };
}

async function answerOf(service: Service, sample: Sample) {
  const answer = await send(service, sample);
  return shapeOf(answer, await readText(answer));
}

/** Status, headers and first message of a stream; or the whole answer. */
async function beginningOf(service: Service, sample: Sample) {
  const answer = await send(service, sample);
  if (!String(answer.headers['content-type']).startsWith('text/event-stream'))
    return shapeOf(answer, await readText(answer));
  answer.destroy();
  return shapeOf(answer, '');
}

test('every route answers the same at every instance', async () => {
  const calm = { PROBE_INTERVAL_MS: '600000', RESYNC_INTERVAL_MS: '600000', INSPECT: 'true' };
  const cluster = await Cluster.start(3, 2, calm);
  const leader = await cluster.leading();
  const followers = await cluster.followers();
  expect(followers).toHaveLength(2);
  for (const service of cluster.services) {
    const stream = await cluster.watch(service);
    await eventually(() => expect(stream.seen().complete).toBe(true));
  }
  const answered = new Set<string | undefined>();
  const [server] = cluster.servers;
  for (const { path, ...sample } of samples) {
    const asked = { ...sample, path: path.replace('SERVER', server?.id ?? '') };
    // An answer may have a second in it, and the number of viewers comes with the beats.
    await eventually(
      async () => {
        const expected = await answerOf(leader, asked);
        for (const follower of followers) {
          const answer = await answerOf(follower, asked);
          expect([path, answer]).toEqual([path, expected]);
        }
        answered.add(`${expected.status}`);
      },
      { withinMs: 10_000 },
    );
  }
  for (const sample of streams) {
    const expected = await beginningOf(leader, sample);
    for (const follower of followers)
      expect([sample.path, await beginningOf(follower, sample)]).toEqual([sample.path, expected]);
  }
  expect([...answered].sort()).toEqual(['200', '204', '400', '404']);
});

/** What an instance tells of itself. */
const aboutThisInstance = ['/api/dependencies', '/metrics'];

test('every route of the description is compared', () => {
  const compared = new Set([...samples, ...streams].map(({ operation }) => operation));
  const all = operations
    .filter(({ path }) => !aboutThisInstance.includes(path))
    .map(({ method, path }) => `${method} ${path}`);
  expect(all.filter((operation) => !compared.has(operation))).toEqual([]);
});
