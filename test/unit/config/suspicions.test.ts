import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../../server/config/config.js';

function warningsOf(env: Record<string, string>): string[] {
  const warnings: string[] = [];
  readConfig({ STATE_DIR: '/tmp', PORT: '1', ...env }, (warning) => warnings.push(warning));
  return warnings;
}

const didYouMean = (written: string, meant: string) =>
  `${written} is not a variable of this service: did you mean ${meant}?`;

describe('a misspelt variable', () => {
  test.each([
    ['PUBSUB_SERVER', 'PUBSUB_SERVERS'],
    ['PUBSUBSERVERS', 'PUBSUB_SERVERS'],
    ['PUB_SUB_SERVERS', 'PUBSUB_SERVERS'],
    ['PUBSUP_SERVERS', 'PUBSUB_SERVERS'],
    ['pubsub_servers', 'PUBSUB_SERVERS'],
    ['PUB_SUB_PORT', 'PUBSUB_PORT'],
    ['REDIS_URI', 'REDIS_URL'],
    ['DASHBOARD_TOKENS', 'DASHBOARD_TOKEN'],
    ['TRUSTED_PROXY', 'TRUSTED_PROXIES'],
    ['CORS_ORIGIN', 'CORS_ORIGINS'],
    ['LOGLEVEL', 'LOG_LEVEL'],
  ])('%s means %s', (written, meant) => {
    expect(warningsOf({ [written]: 'x' })).toEqual([didYouMean(written, meant)]);
  });

  test('is not suspected when the one that it looks like is set', () => {
    expect(warningsOf({ REDIS_URI: 'x', REDIS_URL: 'redis://a' })).toEqual([]);
  });

  test('is not suspected when it is empty', () => {
    expect(warningsOf({ PUBSUB_SERVER: ' ' })).toEqual([]);
  });

  test.each([
    'HOSTNAME',
    'HOSTS',
    'PORTS',
    'HOME',
    'PATH',
    'NODE_ENV',
    'NODE_OPTIONS',
    'AWS_REGION',
    'DATABASE_URL',
    'REDIS_PORT',
    'WS_PORT',
    'PUBSUB_SERVICE_HOST',
    'PUBSUB_SERVICE_PORT',
    'PUBSUB_PORT_8001_TCP',
    'PUBSUB_PORT_8001_TCP_ADDR',
    'XDG_STATE_HOME',
    'STATE_DIRECTORY',
  ])('is not %s', (name) => {
    expect(warningsOf({ [name]: 'x' }).filter((warning) => warning.includes('mean'))).toEqual([]);
  });

  test('is told without its value', () => {
    expect(warningsOf({ DASHBOARD_TOKN: 's3cret' }).join()).not.toContain('s3cret');
  });
});

describe('a token', () => {
  test.each(['DASHBOARD_TOKEN', 'METRICS_TOKEN'])(
    'in %s under 16 characters is a warning, without the token',
    (name) => {
      const warnings = warningsOf({ [name]: '123456789012345' });
      expect(warnings).toEqual([expect.stringContaining(`${name} has fewer than 16`)]);
      expect(warnings.join()).not.toContain('123456789012345');
      expect(warningsOf({ [name]: '1234567890123456' })).toEqual([]);
    },
  );
});

describe('a quote', () => {
  test.each(['"10.0.0.3', "10.0.0.3'", '\u201c10.0.0.3\u201d'])('of %s is told', (text) => {
    expect(warningsOf({ REDIS_CHANNEL_PREFIX: text })).toEqual([
      `REDIS_CHANNEL_PREFIX is ${JSON.stringify(text)}, which begins or ends with a quote; the quote is kept as a part of it`,
    ]);
  });

  test('of a secret is told without the secret', () => {
    const warnings = warningsOf({ DASHBOARD_TOKEN: '"1234567890123456' });
    expect(warnings).toEqual([expect.stringContaining('begins or ends with a quote')]);
    expect(warnings.join()).not.toContain('1234567890123456');
  });
});
