import { expect, test } from '@jest/globals';
import {
  expectSuccess,
  expectUncompressed,
  isAbsent,
} from '../../../server/pubsub/pubSubAnswers.js';
import type { PubSubAnswer } from '../../../server/pubsub/pubSubHttp.js';

const answerOf = (status: number, body: unknown = '', type = 'application/json'): PubSubAnswer => ({
  status,
  type,
  encoding: undefined,
  agent: undefined,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});
const refusal = (code: unknown, message: unknown) => ({ error: { code, message } });

test.each([
  [true, 'a 404', answerOf(404)],
  [true, 'a 401 without a reason, as of servers without an agent', answerOf(401)],
  [true, 'a 401 for another reason', answerOf(401, refusal('other', ''))],
  [false, 'a 401 to a wrong signature', answerOf(401, refusal('signature_invalid', ''))],
  [false, 'a 200', answerOf(200)],
  [false, 'a 500', answerOf(500)],
])('it is %s that %s says that the room is not there', (isThere, _, answer) => {
  expect(isAbsent(answer)).toBe(isThere);
});

test.each([200, 204, 299])('the status %d is a success', (status) => {
  expect(() => expectSuccess(answerOf(status))).not.toThrow();
});

test.each([199, 300, 404, 500])('the status %d is none', (status) => {
  expect(() => expectSuccess(answerOf(status))).toThrow(new Error(`answered ${status}`));
});

const causeOf = (answer: PubSubAnswer) => {
  try {
    expectSuccess(answer);
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
};

test('an error has the reason that an agent gives, cut to 300 characters', () => {
  expect(causeOf(answerOf(401, refusal('code', 'the clocks differ')))).toBe(
    'answered 401: the clocks differ',
  );
  const long = causeOf(answerOf(401, refusal('code', 'x'.repeat(400))));
  expect(long).toBe(`answered 401: ${'x'.repeat(300)}`);
});

const padded = (bytes: number) => {
  const empty = JSON.stringify({ ...refusal('code', 'why'), more: '' });
  return { ...refusal('code', 'why'), more: 'x'.repeat(bytes - empty.length) };
};

test.each([
  ['an empty reason', answerOf(500, refusal('code', ''))],
  ['a reason that is no text', answerOf(500, refusal('code', 7))],
  ['no error', answerOf(500, {})],
  ['an error that is null', answerOf(500, { error: null })],
  ['null', answerOf(500, 'null')],
  ['what is no JSON', answerOf(500, '{')],
  ['another type', answerOf(500, refusal('code', 'why'), 'text/html')],
  ['more than 8 KiB', answerOf(500, padded(8193))],
])('an answer with %s gives no reason', (_, answer) => {
  expect(causeOf(answer)).toBe('answered 500');
});

test('an answer of 8 KiB gives a reason', () => {
  expect(causeOf(answerOf(500, padded(8192)))).toBe('answered 500: why');
});

test('compressed answers are refused', () => {
  expect(() => expectUncompressed(answerOf(200))).not.toThrow();
  expect(() => expectUncompressed({ ...answerOf(200), encoding: 'identity' })).not.toThrow();
  expect(() => expectUncompressed({ ...answerOf(200), encoding: 'gzip' })).toThrow(
    new Error('answered in the encoding "gzip"'),
  );
});
