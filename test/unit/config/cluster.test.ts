import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../../server/config/config.js';
import { peerUrlFor } from '../../../server/config/peerUrlFor.js';
import { problemsOf } from './problemsOf.js';

const cluster = {
  CLUSTER_URL: 'redis://:hunter2@127.0.0.1:6379',
  CLUSTER_SECRET: 'sixteen letters!',
};

describe('the configuration of a cluster', () => {
  test('reads every variable', () => {
    const config = readConfig({
      ...cluster,
      INSTANCE_URL: 'http://10.0.0.1:8000/',
      INSTANCE_PEER_URL: 'https://one.example/sub/',
      CLUSTER_LEASE_MS: '6000',
      CLUSTER_BEAT_MS: '2000',
      LINGER_MS: '9000',
    });
    expect(config).toMatchObject({
      clusterUrl: 'redis://:hunter2@127.0.0.1:6379',
      clusterSecret: 'sixteen letters!',
      instanceUrl: 'http://10.0.0.1:8000',
      instancePeerUrl: 'https://one.example/sub',
      clusterLeaseMs: 6000,
      clusterBeatMs: 2000,
      lingerMs: 9000,
    });
  });

  test('lingers for a lease and a reconnection, if nothing else is set', () => {
    const lingerMs = (env: Record<string, string>) => readConfig({ ...cluster, ...env }).lingerMs;
    expect(lingerMs({})).toBe(6000);
    expect(lingerMs({ CLUSTER_LEASE_MS: '10000' })).toBe(13_000);
    expect(lingerMs({ CLUSTER_LEASE_MS: '1000', CLUSTER_BEAT_MS: '300' })).toBe(5000);
    expect(lingerMs({ LINGER_MS: '7000' })).toBe(7000);
    expect(readConfig({}).lingerMs).toBe(5000);
  });

  test('uses no state directory, and does not warn that servers are forgotten', () => {
    const warnings: string[] = [];
    const config = readConfig({ ...cluster, STATE_DIR: '/state' }, (line) => warnings.push(line));
    expect(config).not.toHaveProperty('stateDir');
    expect(warnings).toEqual([]);
  });

  test('requires a secret, of at least 16 characters, and does not show it', () => {
    const { CLUSTER_URL } = cluster;
    expect(problemsOf({ CLUSTER_URL })).toEqual([
      'CLUSTER_SECRET is unset: CLUSTER_URL requires it, the same at every instance',
    ]);
    expect(problemsOf({ CLUSTER_URL, CLUSTER_SECRET: 'fifteen letters' })).toEqual([
      'CLUSTER_SECRET is set (not shown): must have at least 16 characters',
    ]);
  });

  test('requires a Redis URL, and does not show it', () => {
    expect(problemsOf({ ...cluster, CLUSTER_URL: 'http://:hunter2@host' })).toEqual([
      expect.stringMatching(/^CLUSTER_URL is set \(not shown\): must be redis:\/\/host:port or/),
    ]);
  });

  test.each([
    ['CLUSTER_SECRET', 'sixteen letters!'],
    ['CLUSTER_LEASE_MS', '3000'],
    ['CLUSTER_BEAT_MS', '1000'],
    ['INSTANCE_URL', 'http://a.example'],
    ['INSTANCE_PEER_URL', 'http://a.example'],
  ])('refuses %s without CLUSTER_URL', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([`CLUSTER_URL is unset: ${name} requires it`]);
  });

  test('refuses a folder for tables', () => {
    expect(problemsOf({ ...cluster, DATA_DIR: '/data' })).toEqual([
      'DATA_DIR is "/data": the instances of a cluster have no common folder. Unset DATA_DIR or CLUSTER_URL',
    ]);
  });

  test('refuses a linger time shorter than a lease and a reconnection', () => {
    expect(problemsOf({ ...cluster, LINGER_MS: '5999' })).toEqual([
      'LINGER_MS is 5999: in a cluster it must be at least 6000, which is CLUSTER_LEASE_MS and 3000 ms for viewers to reconnect',
    ]);
    expect(problemsOf({ ...cluster, LINGER_MS: '6000' })).toEqual([]);
  });

  test('refuses beats that are longer than a third of the lease', () => {
    expect(problemsOf({ ...cluster, CLUSTER_BEAT_MS: '1001' })).toEqual([
      'CLUSTER_BEAT_MS is 1001: it must be at most a third of CLUSTER_LEASE_MS, which is 3000',
    ]);
  });
});

describe('the URL for other instances', () => {
  const host = '192.0.2.1';

  test('is INSTANCE_PEER_URL, else INSTANCE_URL, else the address of this instance', () => {
    const urls = { instanceUrl: 'http://servers', instancePeerUrl: 'http://instances' };
    expect(peerUrlFor({ host, ...urls }, 8000)).toBe('http://instances');
    expect(peerUrlFor({ host, instanceUrl: urls.instanceUrl }, 8000)).toBe('http://servers');
    expect(peerUrlFor({ host }, 8000)).toBe('http://192.0.2.1:8000');
    expect(peerUrlFor({ host: '::1' }, 8000)).toBe('http://[::1]:8000');
  });
});
