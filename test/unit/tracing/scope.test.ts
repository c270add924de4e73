import { describe, expect, test } from '@jest/globals';
import { createLog } from '../../../server/log.js';
import { scopes, traceFields, traceHeaders } from '../../../server/tracing/scope.js';
import { fakeTracing } from '../../support/fakeTracing.js';

/** The lines that a log writes. */
function stage() {
  const lines: Record<string, unknown>[] = [];
  const log = createLog('info', { write: (line) => void lines.push(JSON.parse(line)) });
  return { log, lines, ...fakeTracing() };
}

describe('a log line', () => {
  test('has the ids of the span that it is written in, across timers and promises', async () => {
    const { log, lines, tracing } = stage();
    const span = tracing.begin('x');
    await scopes.run({ span }, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      log.info('inside');
    });
    log.info('outside');
    expect(lines[0]).toMatchObject({ trace_id: span.ids?.traceId, span_id: span.ids?.spanId });
    expect(lines[1]).not.toHaveProperty('trace_id');
  });

  test('has none after the span has ended, and none of a span that is not recorded', () => {
    const { tracing } = stage();
    const span = tracing.begin('x');
    const ignored = { ...tracing.begin('y'), ids: undefined };
    expect(scopes.run({ span: ignored }, traceFields)).toEqual({});
    scopes.run({ span }, () => {
      span.end();
      expect(traceFields()).toEqual({});
      expect(traceHeaders()).toEqual({});
    });
  });
});

test('requests to other instances continue the trace', () => {
  const { tracing } = stage();
  const span = tracing.begin('x');
  expect(scopes.run({ span }, traceHeaders)).toEqual(span.headers());
  expect(traceHeaders()).toEqual({});
});
