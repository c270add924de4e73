import { describe, expect, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import { scopes } from '../../../server/tracing/scope.js';
import { type Exchange, traceExchange } from '../../../server/tracing/traceExchange.js';
import { fakeTracing } from '../../support/fakeTracing.js';

const exchange: Exchange = {
  server: '10.0.0.3:8001' as ServerId,
  method: 'GET',
  path: '/api/room?name=secret',
  isSecure: false,
};

describe('a request to a server', () => {
  test('has a span that goes on in the server, without the query', async () => {
    const { tracing, spans } = fakeTracing();
    let sent = {};
    await traceExchange(tracing, exchange, async (headers) => {
      sent = headers;
      return { status: 200 };
    });
    const [span] = spans;
    expect(span).toMatchObject({ name: 'GET /api/room', kind: 'client', isOpen: false });
    expect(span?.error).toBeUndefined();
    expect(span?.attributes).toEqual({
      'http.request.method': 'GET',
      'server.address': '10.0.0.3',
      'server.port': 8001,
      'url.full': 'http://10.0.0.3:8001/api/room',
      'url.template': '/api/room',
      'http.response.status_code': 200,
    });
    expect(sent).toEqual(span?.headers());
  });

  test('that is refused is an error', async () => {
    const { tracing, spans } = fakeTracing();
    await traceExchange(tracing, exchange, async () => ({ status: 404 }));
    expect(spans[0]?.error).toBe('404');
  });

  test.each([
    ["Timeout awaiting 'request' for 2000ms", 'timeout'],
    ['connect ECONNREFUSED 10.0.0.3:8001', 'ECONNREFUSED'],
    ['stopped', 'cancelled'],
    ['address not allowed', '_OTHER'],
  ])('that fails says why: %s', async (message, type) => {
    const { tracing, spans } = fakeTracing();
    const failed = traceExchange(tracing, exchange, () => Promise.reject(new Error(message)));
    await expect(failed).rejects.toThrow(message);
    expect(spans[0]).toMatchObject({ error: type, attributes: { 'error.message': message } });
  });

  test('belongs to the request that it is made for, until that has ended', async () => {
    const { tracing, spans } = fakeTracing();
    const span = tracing.begin('GET /api/room');
    const send = () => traceExchange(tracing, exchange, async () => ({ status: 200 }));
    await scopes.run({ span }, send);
    span.end();
    await scopes.run({ span }, send);
    await scopes.run({ span, isKept: true, attributes: { x: 1 } }, send);
    expect(spans.slice(1).map(({ parent }) => parent)).toEqual([span, undefined, span]);
    expect(spans[3]?.attributes).toMatchObject({ x: 1 });
  });
});
