import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { apiError, type ErrorCode, errorBody, errors } from '../../../server/http/errors.js';

const protocol = new URL('../../../docs/protocol.md', import.meta.url);

test('the catalogue and docs/protocol.md name the same codes and statuses', async () => {
  const text = await readFile(protocol, 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith('Errors\n')) ?? '';
  const documented = [...section.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)];
  const catalogued = Object.entries(errors);
  expect(documented.map(([, code, status]) => `${code} ${status}`)).toEqual(
    catalogued.map(([code, { status }]) => `${code} ${status}`),
  );
});

test('an error has its code, status and message', () => {
  const error = apiError('body_too_large');
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: 'ApiError',
    code: 'body_too_large',
    status: 413,
    expose: true,
    message: 'The body is too large',
  });
});

test('a detail follows the message', () => {
  const error = apiError('invalid_parameter', 'stream must be "changes"');
  expect(error.publicMessage).toBe('A parameter is not valid: stream must be "changes"');
});

test('the detail of an internal error is not sent', () => {
  const error = apiError('internal', 'secret');
  expect(error.message).toContain('secret');
  expect(error.expose).toBe(false);
  expect(error.publicMessage).toBe(errors.internal.message);
});

test.each(Object.keys(errors) as ErrorCode[])('%s has an HTTP error status', (code) => {
  expect(apiError(code).status).toBeGreaterThanOrEqual(400);
  expect(apiError(code).status).toBeLessThan(600);
});

test('the body has the same shape for all errors', () => {
  expect(JSON.stringify(errorBody('not_found', 'nothing', 'r1'))).toBe(
    '{"error":{"code":"not_found","message":"nothing","requestId":"r1"}}',
  );
});
