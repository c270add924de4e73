import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { openSpan } from '../../../server/tracing/scope.js';
import { templateOf, traceRequests } from '../../../server/tracing/traceRequests.js';
import { fakeTracing } from '../../support/fakeTracing.js';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test.each([
  ['/api/state', '/api/state'],
  [/^\/api\/rooms$/, '/api/rooms'],
  [/^\/api\/rooms\/([^/]*)\/servers$/, '/api/rooms/{name}/servers'],
  [/^\/api\/rooms\/[^/]*\/events$/, '/api/rooms/{name}/events'],
  [/^\/api\/rooms\/.*$/s, '/api/rooms/{name}'],
  [/^\/assets\/[\w-][\w.-]*$/, '/assets/{name}'],
])('the route of %s is %s', (route, template) => {
  expect(templateOf(route)).toBe(template);
});

/** Sends a request to a listener that answers nothing. Returns what happens to it. */
function send(method: string, url: string, headers: Record<string, string> = {}) {
  const { tracing, spans } = fakeTracing();
  let inside: unknown;
  const listener = traceRequests(() => {
    inside = openSpan();
  }, tracing);
  const req = { method, url, headers, socket: {}, httpVersion: '1.1' } as unknown;
  const res = Object.assign(new EventEmitter(), {
    statusCode: 200,
    headersSent: false,
    writableFinished: false,
    type: 'application/json',
    getHeader: () => res.type,
    writeHead: () => {
      res.headersSent = true;
    },
  });
  listener(req as IncomingMessage, res as unknown as ServerResponse);
  return { span: spans[0], inside, res };
}

describe('a request', () => {
  test.each([
    ['GET', '/api/state'],
    ['GET', '/api/events/clients?port=8001'],
    ['POST', '/api/session'],
  ])('is traced if it asks the API: %s %s', (method, url) => {
    const { span, inside } = send(method, url);
    expect(span).toMatchObject({ name: method, kind: 'server' });
    expect(inside).toBe(span);
  });

  test.each([
    ['POST', '/api/events?token=x'],
    ['GET', '/health'],
    ['GET', '/metrics'],
    ['GET', '/assets/x.js'],
    ['POST', '/api/instances/posts'],
  ])('is traced only if it brings a trace: %s %s', (method, url) => {
    expect(send(method, url).span).toBeUndefined();
    expect(send(method, url, { traceparent }).span).toMatchObject({ name: method });
  });

  test('ends its span with its answer', () => {
    const { span, res } = send('GET', '/api/state');
    res.writeHead();
    expect(span?.isOpen).toBe(true);
    res.writableFinished = true;
    res.emit('close');
    expect(span).toMatchObject({ isOpen: false, error: undefined });
    expect(span?.attributes).toMatchObject({ 'http.response.status_code': 200 });
    expect(span?.attributes).not.toHaveProperty(['pubsubdash.client_gone']);
  });

  test('for a stream ends its span with the headers', () => {
    const { span, res } = send('GET', '/api/events');
    res.type = 'text/event-stream; charset=utf-8';
    res.writeHead();
    expect(span).toMatchObject({ isOpen: false });
    expect(span?.attributes).toMatchObject({ 'pubsubdash.stream': true });
    res.emit('close');
    expect(span?.attributes).toMatchObject({ 'http.response.status_code': 200 });
  });

  test('that is refused is not an error of the service, and one that fails is', () => {
    for (const [status, error] of [
      [404, undefined],
      [503, '503'],
    ] as const) {
      const { span, res } = send('GET', '/api/state');
      res.statusCode = status;
      res.writeHead();
      res.emit('close');
      expect(span?.error).toBe(error);
    }
  });

  test('says that its client left before it was answered', () => {
    const { span, res } = send('GET', '/api/state');
    res.emit('close');
    expect(span?.attributes).toMatchObject({ 'pubsubdash.client_gone': true });
    expect(span?.attributes).not.toHaveProperty(['http.response.status_code']);
  });

  test('with an unknown method has a name with few values', () => {
    expect(send('PROPFIND', '/api/state').span?.name).toBe('_OTHER');
  });
});
