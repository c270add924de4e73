import { describe, expect, test } from '@jest/globals';
import { awsCause } from '../../../server/dependencies/awsCause.js';
import { plainCause } from '../../../server/dependencies/plainCause.js';

const named = (name: string, message = '', code?: string) =>
  Object.assign(new Error(message), { name, ...(code !== undefined && { code }) });

describe('a cause in plain words', () => {
  test.each([
    ['connect ECONNREFUSED 127.0.0.1:6379', 'connection refused'],
    ['getaddrinfo ENOTFOUND redis.invalid', 'unknown host'],
    ['getaddrinfo EAI_AGAIN redis.invalid', 'the name server does not answer'],
    ['queryA ETIMEOUT pubsub.test', 'the name server does not answer'],
    ['queryAaaa ECONNREFUSED pubsub.test', 'the name server does not answer'],
    ['queryA ESERVFAIL pubsub.test', 'the name server cannot answer'],
    ['queryA ENOTFOUND pubsub.test', 'unknown host'],
    ['read ECONNRESET', 'connection reset'],
    ['connect EHOSTUNREACH 10.0.0.1:6379', 'no route to the host'],
    ['connect ETIMEDOUT', 'no answer in time'],
    ["Socket timeout. Expecting data, but didn't receive any in 4000ms.", 'no answer in time'],
    ['Command timed out', 'no answer in time'],
    ['Connection is closed.', 'connection closed'],
    ['AWS SDK error wrapper for Error: connect ECONNREFUSED 127.0.0.1:1', 'connection refused'],
    ['NOAUTH Authentication required.', 'NOAUTH Authentication required.'],
    ['WRONGPASS invalid username-password pair', 'WRONGPASS invalid username-password pair'],
    [
      'LOADING Redis is loading the dataset in memory',
      'LOADING Redis is loading the dataset in memory',
    ],
    ['unable to verify the first certificate', 'unable to verify the first certificate'],
  ])('%s', (message, cause) => {
    expect(plainCause(new Error(message))).toBe(cause);
    expect(plainCause(message)).toBe(cause);
  });

  test('an AggregateError has no message, but a code', () => {
    expect(plainCause(named('AggregateError', '', 'ECONNREFUSED'))).toBe('connection refused');
  });

  test.each([
    ['CredentialsProviderError', 'no credentials'],
    ['UnrecognizedClientException', 'the credentials are not valid'],
    ['ThrottlingException', 'too many requests: AWS throttles them'],
    ['TimeoutError', 'no answer in time'],
  ])('of AWS: %s', (name, cause) => {
    expect(awsCause(named(name, 'Could not load credentials from any providers'))).toBe(cause);
  });

  test('nothing to go by is a failure', () => {
    expect(plainCause(new Error(''))).toBe('failed');
    expect(awsCause(undefined)).not.toBe('');
  });

  test('of AWS: a missing permission is named', () => {
    const error = named('AccessDeniedException', 'User: arn:x is not authorized');
    expect(awsCause(error)).toBe('access denied: User: arn:x is not authorized');
  });

  test('of AWS: a missing region says what to set', () => {
    expect(awsCause(new Error('Region is missing'))).toBe('no region: set AWS_REGION');
  });
});
