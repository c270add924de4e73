import { expect, test } from '@jest/globals';
import { readConfig } from '../../../server/config/config.js';
import { startSummary } from '../../../server/config/startSummary.js';

const summaryOf = (env: Record<string, string>) => startSummary(readConfig(env), 8000);

test('without variables most things are off, and the summary says by which variable', () => {
  expect(summaryOf({})).toEqual({
    auth: 'none: DASHBOARD_TOKEN is unset',
    content: 'shown',
    servers: ['start-up queries'],
    redis: 'off: REDIS_URL is unset',
    store: 'embedded, in memory',
    callbackAddress: 'http://127.0.0.1:8000',
    cluster: 'off: CLUSTER_URL is unset',
    metrics: 'port 8000, for viewers',
    webhooks: 'off: WEBHOOK_URL is unset',
    traces: 'off: OTEL_EXPORTER_OTLP_ENDPOINT is unset',
  });
});

test('everything that is on is named, without secrets', () => {
  const summary = summaryOf({
    HOST: '0.0.0.0',
    DASHBOARD_TOKEN: 's3cret-s3cret-s3cret',
    PUBSUB_SERVERS: '10.0.0.3:1,10.0.0.4:1',
    PUBSUB_DNS: 'pubsub.internal',
    ECS_CLUSTER: 'blue',
    ECS_SERVICE: 'pubsub',
    DISCOVER_FROM_ROOMS: 'true',
    DYNAMODB_TABLE: 'rooms',
    DYNAMODB_SERVERS_TABLE: 'servers',
    REDIS_URL: 'redis+sentinel://:s3cret@a:1,b:2/main',
    CLUSTER_URL: 'redis://me:s3cret@[fd00::1]:6380',
    CLUSTER_SECRET: 's3cret-s3cret-s3cret',
    INSTANCE_PEER_URL: 'http://10.0.0.1:8000',
    METRICS_PORT: '9100',
    METRICS_TOKEN: 's3cret-s3cret-s3cret',
    WEBHOOK_URL: 'https://hooks.example/s3cret',
    WEBHOOK_SECRET: 's3cret-s3cret-s3cret',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example/s3cret',
  });
  expect(summary).toEqual({
    auth: 'token',
    content: 'shown',
    servers: [
      'PUBSUB_SERVERS: 2',
      'DNS: pubsub.internal',
      'ECS: service pubsub in blue',
      'table servers',
      'rooms table',
      'start-up queries',
    ],
    redis: 'main of the Sentinels a:1,b:2',
    store: 'DynamoDB: rooms, servers; other tables: embedded, in memory',
    callbackAddress: 'the local address of the connection to each server, port 8000',
    cluster: '[fd00::1]:6380, as http://10.0.0.1:8000',
    metrics: 'port 9100, with METRICS_TOKEN',
    webhooks: 'hooks.example',
    traces: 'collector.example',
  });
  expect(JSON.stringify(summary)).not.toContain('s3cret');
});

test('AUTH=none, DATA_DIR and PUBLIC_URL are told', () => {
  const env = { AUTH: 'none', DATA_DIR: '/data', PUBLIC_URL: 'https://dash.example/sub' };
  expect(summaryOf(env)).toMatchObject({
    auth: 'none: AUTH is none',
    store: 'embedded, in /data',
    callbackAddress: 'https://dash.example/sub',
  });
});

test('a proxy that signs in, and hidden content, are told', () => {
  const env = {
    DASHBOARD_TOKEN: 's3cret-s3cret-s3cret',
    PROXY_USER_HEADER: 'X-Forwarded-User',
    TRUSTED_PROXIES: '10.0.0.0/8',
    SHOW_CONTENT: 'false',
    REDIS_URL: 'redis://a:1',
  };
  expect(summaryOf(env)).toMatchObject({
    auth: expect.stringMatching(/^token, a trusted proxy, by x-forwarded-user$/i),
    content: 'hidden: SHOW_CONTENT is false',
    redis: 'off: SHOW_CONTENT is false',
  });
});
