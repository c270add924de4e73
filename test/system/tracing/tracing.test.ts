import process from 'node:process';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openConfiguredStore } from '../../../server/service.js';
import { eventually } from '../../support/eventually.js';
import { toldUrl, useHarness } from '../../support/harness.js';
import { ask, post } from '../../support/http.js';
import {
  type OtlpReceiver,
  type ReceivedSpan,
  startOtlpReceiver,
} from '../../support/otlpReceiver.js';

// The SDK reads these itself.
process.env.OTEL_BSP_SCHEDULE_DELAY = '20';
process.env.OTEL_EXPORTER_OTLP_TIMEOUT = '60000';
process.env.OTEL_BSP_EXPORT_TIMEOUT = '60000';
process.env.OTEL_SERVICE_NAME = 'dashboard of the tests';

const harness = useHarness();
const traceId = '0af7651916cd43dd8448eb211c80319c';
const parentId = 'b7ad6b7169203331';
const trace = { traceparent: `00-${traceId}-${parentId}-01`, tracestate: 'vendor=x' };
const secret = 'secret-room';

let collector: OtlpReceiver;
const collectors: OtlpReceiver[] = [];
beforeEach(async () => {
  collector = await startOtlpReceiver();
  collectors.push(collector);
});
afterAll(() => {
  for (const each of collectors) each.stop();
});

const otlp = () => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
});
const traced = (env: Record<string, string> = {}) => harness.service({ ...otlp(), ...env });

/** The newest span of this name that the collector got, when there is one. */
async function spanNamed(
  name: string,
  isMeant: (span: ReceivedSpan) => boolean = () => true,
): Promise<ReceivedSpan> {
  let found: ReceivedSpan | undefined;
  await eventually(() => {
    found = collector.spans().findLast((span) => span.name === name && isMeant(span));
    expect([name, found]).toEqual([name, expect.anything()]);
  });
  return found as ReceivedSpan;
}

const isInTrace = (span: ReceivedSpan) => span.traceId === traceId;

describe('with OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  test('a request goes on in the trace that it brings', async () => {
    const service = await traced();
    await ask(`${service.url}/api/state`, { headers: trace });
    const span = await spanNamed('GET /api/state');
    expect(span).toMatchObject({
      traceId,
      parentSpanId: parentId,
      traceState: 'vendor=x',
      kind: 2,
    });
    expect(span.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/api/state',
      'url.path': '/api/state',
      'http.response.status_code': 200,
    });
    expect(span.resource).toMatchObject({
      'service.name': 'dashboard of the tests',
      'service.version': expect.stringMatching(/^\d/),
    });
    expect(collector.requests[0]).toMatchObject({ path: '/v1/traces' });
  });

  test('a viewer is followed to the servers that it makes post', async () => {
    const server = await harness.server();
    const service = await traced();
    const viewer = await harness.watch(service, { headers: trace });
    // The stream is still open.
    const opened = await spanNamed('GET /api/events', isInTrace);
    expect(opened.attributes).toMatchObject({ 'pubsubdash.stream': true });
    const broadcast = await spanNamed('activate fleet');
    expect(broadcast).toMatchObject({ traceId, parentSpanId: opened.spanId });
    expect(broadcast.attributes).toMatchObject({
      'pubsubdash.servers': 1,
      'pubsubdash.servers_answered': 1,
    });
    const request = await spanNamed('PUT /api/dashboard', isInTrace);
    expect(request).toMatchObject({ parentSpanId: broadcast.spanId, kind: 3 });
    expect(request.attributes).toMatchObject({
      'server.port': server.port,
      'url.full': `http://${server.id}/api/dashboard`,
      'http.response.status_code': 200,
      'pubsubdash.reason': 'activation',
    });
    expect(server.requests.at(-1)?.headers).toMatchObject({
      traceparent: `00-${traceId}-${request.spanId}-01`,
      tracestate: 'vendor=x',
    });
    await viewer.close();
  });

  test('retries are in the trace of the first attempt', async () => {
    const server = await harness.server();
    const service = await traced();
    server.respond({ kind: 'status', status: 503, times: 1 });
    const viewer = await harness.stream(service, { headers: trace });
    const first = await spanNamed('PUT /api/dashboard', (span) => span.status.code === 2);
    expect(first).toMatchObject({ traceId, attributes: { 'error.type': '503' } });
    const retry = await spanNamed(
      'PUT /api/dashboard',
      ({ attributes }) => attributes['http.request.resend_count'] === 1,
    );
    expect(retry).toMatchObject({ traceId, parentSpanId: first.parentSpanId });
    await viewer.close();
  });

  test('posts are traced only as a part of the trace of their sender', async () => {
    const server = await harness.server();
    const service = await traced();
    await harness.watch(service);
    await server.open('a');
    const body = JSON.stringify({ room: 'a', delta: -1 });
    const headers = { 'Content-Type': 'application/json', ...trace };
    const { status } = await ask(toldUrl(server), { method: 'POST', body, headers });
    const span = await spanNamed('POST /api/events');
    expect(span).toMatchObject({ traceId, attributes: { 'http.response.status_code': status } });
    expect(collector.spans().filter(({ name }) => name === 'POST /api/events')).toHaveLength(1);
  });

  test('no name of a room, token or address of a client is in a span', async () => {
    const server = await harness.server();
    server.rooms.set(secret, 1);
    const service = await traced({ DASHBOARD_TOKEN: 'a-token-of-viewers' });
    const headers = { Authorization: 'Bearer a-token-of-viewers', 'User-Agent': 'secret-agent' };
    const paths = [
      `/api/room?room=${secret}`,
      `/api/rooms/${secret}`,
      `/api/rooms/${secret}/servers`,
      `/api/counts?room=${secret}`,
      `/api/rooms?prefix=${secret}`,
      `/api/${secret}?token=secret-token`,
    ];
    for (const path of paths) await ask(`${service.url}${path}`, { headers });
    await post(`${service.url}/api/session`, { token: 'secret-token' });
    await spanNamed('GET /api/rooms/{name}/servers');
    await spanNamed('GET /api/room', ({ kind }) => kind === 3);
    await spanNamed('GET');
    await spanNamed('POST /api/session');
    const all = collector.requests.map(({ body }) => body.toString()).join();
    expect(all).not.toMatch(/secret-|a-token-of-viewers/);
  });

  test('what a request asks DynamoDB is a part of it', async () => {
    const service = await harness.service(otlp(), { openStore: openConfiguredStore });
    // The store opens while the service already answers.
    const room = `${service.url}/api/room?room=${secret}`;
    await eventually(async () => expect((await ask(room)).code).toBe('room_not_found'));
    const question = await spanNamed('GetItem rooms');
    const isParent = ({ spanId }: ReceivedSpan) => spanId === question.parentSpanId;
    expect(await spanNamed('GET /api/room', isParent)).toMatchObject({ kind: 2 });
    expect(question).toMatchObject({ kind: 3 });
    expect(question.attributes).toEqual({
      'db.system.name': 'aws.dynamodb',
      'db.operation.name': 'GetItem',
      'db.collection.name': 'rooms',
    });
  });

  test('spans are sent as protobuf by default', async () => {
    const service = await traced({ OTEL_EXPORTER_OTLP_PROTOCOL: '' });
    await ask(`${service.url}/api/state`);
    await eventually(() => {
      const [sent] = collector.requests.filter(({ body }) => body.includes('GET /api/state'));
      expect(sent?.headers['content-type']).toBe('application/x-protobuf');
    });
  });

  test('what was not sent yet is sent at the end', async () => {
    const delay = process.env.OTEL_BSP_SCHEDULE_DELAY;
    process.env.OTEL_BSP_SCHEDULE_DELAY = '600000';
    const service = await traced();
    process.env.OTEL_BSP_SCHEDULE_DELAY = delay;
    await ask(`${service.url}/api/state`);
    expect(collector.requests).toEqual([]);
    await service.stop();
    expect(collector.spans().map(({ name }) => name)).toContain('GET /api/state');
  });

  test.each([503, 'hang'] as const)('a collector that answers %s costs nothing', async (answer) => {
    collector.answer = answer;
    const before = { ...process.env };
    process.env.OTEL_EXPORTER_OTLP_TIMEOUT = '500';
    process.env.OTEL_BSP_EXPORT_TIMEOUT = '500';
    const service = await traced();
    process.env = before;
    await eventually(async () => {
      expect((await ask(`${service.url}/api/state`)).status).toBe(200);
      expect(collector.requests).not.toEqual([]);
    });
    expect((await ask(`${service.url}/api/state`)).status).toBe(200);
    await service.stop();
  });
});

test('OTEL_SDK_DISABLED turns it off', async () => {
  const server = await harness.server();
  const service = await traced({ OTEL_SDK_DISABLED: 'true' });
  await harness.watch(service, { headers: trace });
  expect(server.requests.at(-1)?.headers).not.toHaveProperty('traceparent');
});
