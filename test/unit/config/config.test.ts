import type { NetworkInterfaceInfo } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readConfig } from '../../../server/config/config.js';
import { publicUrlFor } from '../../../server/config/publicUrlFor.js';
import { variables } from '../../../server/config/variables.js';
import { makeCertificate } from '../../support/certificates.js';
import { problemsOf } from './problemsOf.js';

const certificate = makeCertificate('DNS:a.example');

describe('the configuration', () => {
  test('has the defaults of the table', () => {
    const { pubSubNetworks, ...config } = readConfig({});
    expect(config).toEqual({
      host: '127.0.0.1',
      port: 8000,
      pubSubServers: [],
      pubSubPort: 8001,
      pubSubDns: [],
      pubSubTls: false,
      discoverFromRooms: false,
      redisChannelPrefix: '',
      redisPresenceSuffix: '-presence',
      auth: 'token',
      corsOrigins: [],
      clusterLeaseMs: 3000,
      clusterBeatMs: 1000,
      lingerMs: 5000,
      requestTimeoutMs: 2000,
      probeIntervalMs: 5000,
      showContent: true,
      webhookAllowPrivate: false,
      resyncIntervalMs: 30_000,
      frameIntervalMs: 50,
      maxViewers: 10_000,
      maxViewersPerAddress: 1000,
      maxRoomsPerServer: 250_000,
      maxBodyBytes: 1_048_576,
      maxSnapshotBytes: 67_108_864,
      maxRoomBytes: 33_554_432,
      metricsKeepActive: 0,
      otlpProtocol: 'http/protobuf',
      otelDisabled: false,
      inspect: false,
      logLevel: 'info',
    });
    expect(pubSubNetworks.includes('10.1.2.3')).toBe(true);
    expect(pubSubNetworks.includes('8.8.8.8')).toBe(false);
    expect(config).not.toHaveProperty('publicUrl');
    expect(config).not.toHaveProperty('dashboardToken');
  });

  test('reads every variable', () => {
    const { pubSubNetworks, trustedProxies, ...config } = readConfig({
      HOST: '0.0.0.0',
      PORT: '0',
      PUBLIC_URL: 'https://dash.example/sub/path/',
      PUBSUB_SERVERS: 'B.example:8001, 192.0.2.1:1,b.example:8001,[::FFFF:192.0.2.1]:1,',
      PUBSUB_PORT: '9',
      PUBSUB_NETWORKS: '192.0.2.0/24',
      PUBSUB_SECRET: 'sixteen letters!, s3cret s3cret s3cret',
      PUBSUB_TLS: 'true',
      PUBSUB_CA_FILE: certificate.file,
      CORS_ORIGINS: 'https://a.example, http://127.0.0.1:5173',
      PUBSUB_DNS: 'PubSub.internal, a.example.:9000,b',
      PUBSUB_DNS_SERVER: '127.0.0.1:8600',
      ECS_CLUSTER: 'blue',
      ECS_SERVICE: 'pubsub ',
      DISCOVER_FROM_ROOMS: 'true',
      DYNAMODB_TABLE: 'rooms',
      DYNAMODB_SERVERS_TABLE: 'servers',
      DYNAMODB_CONNECTIONS_TABLE: 'connections',
      DATA_DIR: '/data',
      DASHBOARD_TOKEN: 's3cret==',
      AUTH: 'token',
      PROXY_USER_HEADER: 'X-Forwarded-User',
      SIGN_OUT_URL: '/oauth2/sign_out',
      SHOW_CONTENT: 'false',
      WEBHOOK_URL: 'https://hooks.example/a?b=c',
      WEBHOOK_SECRET: 'a secret of many letters',
      WEBHOOK_ALLOW_PRIVATE: 'true',
      LINGER_MS: '0',
      REQUEST_TIMEOUT_MS: '10',
      PROBE_INTERVAL_MS: '86400000',
      RESYNC_INTERVAL_MS: ' 60000 ',
      FRAME_INTERVAL_MS: '0',
      MAX_VIEWERS: '1',
      MAX_VIEWERS_PER_ADDRESS: '2',
      MAX_ROOMS_PER_SERVER: '3',
      ALLOWED_HOSTS: 'Dash.Example, other.example.',
      TRUSTED_PROXIES: '10.9.0.0/16',
      MAX_BODY_BYTES: '2KiB',
      MAX_SNAPSHOT_BYTES: '1 GiB',
      MAX_ROOM_BYTES: '1 MiB',
      METRICS_TOKEN: 'scrap==',
      METRICS_PORT: '9000',
      METRICS_KEEP_ACTIVE: '90s',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_SDK_DISABLED: 'true',
      INSPECT: 'true',
      REDIS_URL: 'redis://127.0.0.1:6379',
      REDIS_SENTINEL_PASSWORD: 's3cret',
      REDIS_CHANNEL_PREFIX: 'doc:',
      REDIS_PRESENCE_SUFFIX: ':who',
      LOG_LEVEL: 'silent',
    });
    expect(config).toEqual({
      redisUrl: 'redis://127.0.0.1:6379',
      redisSentinelPassword: 's3cret',
      redisChannelPrefix: 'doc:',
      redisPresenceSuffix: ':who',
      host: '0.0.0.0',
      port: 0,
      publicUrl: 'https://dash.example/sub/path',
      pubSubServers: ['b.example:8001', '192.0.2.1:1'],
      pubSubPort: 9,
      pubSubDns: [{ name: 'pubsub.internal' }, { name: 'a.example.', port: 9000 }, { name: 'b' }],
      pubSubDnsServer: '127.0.0.1:8600',
      pubSubSecrets: ['sixteen letters!', 's3cret s3cret s3cret'],
      pubSubTls: true,
      pubSubCa: certificate.cert,
      ecsCluster: 'blue',
      ecsService: 'pubsub',
      discoverFromRooms: true,
      dynamodbTable: 'rooms',
      dynamodbServersTable: 'servers',
      dynamodbConnectionsTable: 'connections',
      dataDir: '/data',
      dashboardToken: 's3cret==',
      auth: 'token',
      proxyUserHeader: 'x-forwarded-user',
      signOutUrl: '/oauth2/sign_out',
      showContent: false,
      webhookUrl: 'https://hooks.example/a?b=c',
      webhookSecret: 'a secret of many letters',
      webhookAllowPrivate: true,
      corsOrigins: ['https://a.example', 'http://127.0.0.1:5173'],
      allowedHosts: ['dash.example', 'other.example'],
      clusterLeaseMs: 3000,
      clusterBeatMs: 1000,
      lingerMs: 0,
      requestTimeoutMs: 10,
      probeIntervalMs: 86_400_000,
      resyncIntervalMs: 60_000,
      frameIntervalMs: 0,
      maxViewers: 1,
      maxViewersPerAddress: 2,
      maxRoomsPerServer: 3,
      maxBodyBytes: 2048,
      maxSnapshotBytes: 1_073_741_824,
      maxRoomBytes: 1_048_576,
      metricsToken: 'scrap==',
      metricsPort: 9000,
      metricsKeepActive: 90_000,
      otlpEndpoint: 'http://collector:4318/otlp',
      otlpProtocol: 'http/json',
      otelDisabled: true,
      inspect: true,
      logLevel: 'silent',
    });
    expect(pubSubNetworks.includes('10.1.2.3')).toBe(false);
    expect(trustedProxies?.includes('10.9.1.1')).toBe(true);
  });

  test.each([
    ['true', 60_000],
    ['false', 0],
    ['90s', 90_000],
    ['5m', 300_000],
    ['1440m', 86_400_000],
  ])('reads METRICS_KEEP_ACTIVE=%s', (METRICS_KEEP_ACTIVE, ms) => {
    expect(readConfig({ METRICS_KEEP_ACTIVE }).metricsKeepActive).toBe(ms);
  });

  test('treats an empty variable as unset, and ignores unknown ones', () => {
    const empty = Object.fromEntries(variables.map(({ name }) => [name, '']));
    const config = readConfig({ ...empty, LOG_LEVEL: undefined, LINGER: 'x', path: 'y' });
    expect(JSON.stringify(config)).toBe(JSON.stringify(readConfig({})));
  });

  test.each([
    ['HOST', 'a b'],
    ['HOST', '127.1'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '8e3'],
    ['PUBLIC_URL', 'dash.example'],
    ['PUBLIC_URL', 'ftp://dash.example'],
    ['PUBLIC_URL', 'http://dash.example/#'],
    ['PUBLIC_URL', 'http://dash.example/?'],
    ['PUBLIC_URL', 'http:dash.example'],
    ['PUBSUB_SERVERS', 'host'],
    ['PUBSUB_SERVERS', '10.0.0.1:0'],
    ['PUBSUB_SERVERS', '8.8.8.8:8001'],
    ['PUBSUB_SERVERS', '169.254.169.254:80'],
    ['PUBSUB_SERVERS', '0.0.0.0:8001'],
    ['PUBSUB_PORT', '0'],
    ['PUBSUB_NETWORKS', '10/8'],
    ['CORS_ORIGINS', 'a.example'],
    ['CORS_ORIGINS', 'https://a.example/'],
    ['CORS_ORIGINS', 'https://a.example/path'],
    ['CORS_ORIGINS', 'null'],
    ['ALLOWED_HOSTS', 'https://a.example'],
    ['ALLOWED_HOSTS', 'a.example:8000'],
    ['ALLOWED_HOSTS', '*.example'],
    ['TRUSTED_PROXIES', 'proxy.example'],
    ['PUBSUB_DNS', '10.0.0.1'],
    ['PUBSUB_DNS', '10.0.0.1:8001'],
    ['PUBSUB_DNS', '[::1]:8001'],
    ['PUBSUB_DNS', 'a.example:0'],
    ['PUBSUB_DNS', 'a b'],
    ['PUBSUB_DNS', '127.1'],
    ['PUBSUB_DNS_SERVER', 'ns.example:53'],
    ['PUBSUB_DNS_SERVER', '127.0.0.1:65536'],
    ['PUBSUB_TLS', 'yes'],
    ['PUBSUB_CA_FILE', '/nowhere/ca.pem'],
    ['PUBSUB_CA_FILE', fileURLToPath(import.meta.url)],
    ['DISCOVER_FROM_ROOMS', 'yes'],
    ['AUTH', 'None'],
    ['LINGER_MS', '86400001'],
    ['LINGER_MS', '1.5'],
    ['REQUEST_TIMEOUT_MS', '9'],
    ['PROBE_INTERVAL_MS', '0'],
    ['RESYNC_INTERVAL_MS', '5s'],
    ['FRAME_INTERVAL_MS', '60001'],
    ['METRICS_PORT', '65536'],
    ['METRICS_KEEP_ACTIVE', 'yes'],
    ['METRICS_KEEP_ACTIVE', '60'],
    ['METRICS_KEEP_ACTIVE', '0s'],
    ['METRICS_KEEP_ACTIVE', '1441m'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://collector:4318/?token=x'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['MAX_VIEWERS', '0'],
    ['MAX_BODY_BYTES', '1MB'],
    ['MAX_BODY_BYTES', '0'],
    ['MAX_SNAPSHOT_BYTES', '2GiB'],
    ['MAX_SNAPSHOT_BYTES', '1.5MiB'],
    ['MAX_ROOM_BYTES', '65MiB'],
    ['LOG_LEVEL', 'verbose'],
  ])('rejects %s=%s, and names both', (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name} (is|has) "`));
    expect(problems[0]).toContain(value);
    expect(problems[0]).not.toMatch(/Invalid|expected/);
  });

  test.each([
    ['127.0.0.1', '127.0.0.1:53'],
    ['::1', '[::1]:53'],
    ['[::1]:5353', '[::1]:5353'],
  ])('reads the name server %s as %s', (text, address) => {
    expect(readConfig({ PUBSUB_DNS_SERVER: text }).pubSubDnsServer).toBe(address);
  });

  test.each(['too short', 'sixteen letters!,short', `${'x'.repeat(16)},`, 'a,b,c'.repeat(16)])(
    'rejects the secrets %j without showing them',
    (text) => {
      const problem =
        'PUBSUB_SECRET is set (not shown): must be one or two secrets of at least 16 characters: new,old';
      expect(problemsOf({ PUBSUB_SECRET: text })).toEqual([problem]);
    },
  );

  test('requires https to servers for a file of certificates', () => {
    expect(problemsOf({ PUBSUB_CA_FILE: certificate.file })).toEqual([
      'PUBSUB_TLS is "false": PUBSUB_CA_FILE requires it',
    ]);
  });

  test('requires both cluster and service, or neither', () => {
    const unset = 'is unset: ECS_';
    expect(problemsOf({ ECS_CLUSTER: 'blue' })).toEqual([
      `ECS_SERVICE ${unset}CLUSTER requires it`,
    ]);
    expect(problemsOf({ ECS_SERVICE: 'pubsub' })).toEqual([
      `ECS_CLUSTER ${unset}SERVICE requires it`,
    ]);
  });

  test('reports every problem at once', () => {
    const problems = problemsOf({
      HOST: '0.0.0.0',
      PORT: 'eighty',
      PUBSUB_SERVERS: '8.8.8.8:1,9.9.9.9:2,10.0.0.1:3',
      LOG_LEVEL: 'loud',
    });
    expect(problems).toEqual([
      'PORT is "eighty": must be a whole number from 0 to 65535',
      'LOG_LEVEL is "loud": must be one of fatal, error, warn, info, debug, trace, silent',
      'DASHBOARD_TOKEN is unset: HOST is "0.0.0.0", and listening beyond loopback requires a token, PROXY_USER_HEADER, or AUTH=none',
      expect.stringContaining(
        'PUBSUB_SERVERS has "8.8.8.8:1": addresses must lie in PUBSUB_NETWORKS',
      ),
      expect.stringContaining('PUBSUB_SERVERS has "9.9.9.9:2"'),
    ]);
    expect(() => readConfig({ PORT: 'x', AUTH: 'y' })).toThrow(/2 problem.*\n- PORT.*\n- AUTH/);
  });

  test('reports every invalid server of a list', () => {
    expect(problemsOf({ PUBSUB_SERVERS: 'a,10.0.0.1:1,b:0' })).toEqual([
      'PUBSUB_SERVERS is "a,10.0.0.1:1,b:0": must be host:port,host:port; "a" is not host:port (IPv6: [address]:port); port 0 is not a whole number from 1 to 65535',
    ]);
  });

  test('never shows a token or a password', () => {
    const secrets = { DASHBOARD_TOKEN: 'hunter 2', PUBLIC_URL: 'http://me:pass/hunter@2@host' };
    const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://me:pass@collector' };
    const problems = problemsOf({ HOST: '::', ...secrets, ...collector });
    expect(problems).toEqual([
      'PUBLIC_URL is "http://***@host": must be an http or https URL without credentials, query or fragment',
      'DASHBOARD_TOKEN is set (not shown): must be visible ASCII characters without spaces',
      'OTEL_EXPORTER_OTLP_ENDPOINT is "https://***@collector": must be an http or https URL without credentials and query; send credentials by OTEL_EXPORTER_OTLP_HEADERS',
    ]);
  });

  test.each([
    ['redis://127.0.0.1:6379', 'redis://127.0.0.1:6379'],
    ['rediss://user:p%40ss@cache.example:6380/1', 'rediss://user:p%40ss@cache.example:6380/1'],
    ['REDIS://[::1]', 'redis://[::1]'],
    ['redis://:pw@a:1,b:2,c', 'redis://:pw@a:1,b:2,c'],
    ['redis+sentinel://a:1,b:2/main', 'redis+sentinel://a:1,b:2/main'],
  ])('accepts the Redis URL %s', (REDIS_URL, url) => {
    expect(readConfig({ REDIS_URL }).redisUrl).toBe(url);
  });

  test.each([
    'http://:hunter2@host',
    'redis:hunter2@host',
    'redis://:hunter2@',
    'redis://:hunter%@host',
    'redis://:hun/ter2@host',
    'redis://host?password=hunter2',
    'redis://host/hunter2',
    'hunter2',
    'redis://a:1,',
    'redis://a:1,b:hunter2',
    'redis://a:1,b:1/2',
    'redis://me:hunter2@a:1,redis://me:hunter3@b:1',
    'redis+sentinel://:hunter2@a:1',
    'redis+sentinel://:hunter2@a:1/na me',
  ])('rejects the Redis URL %s, and does not show it', (REDIS_URL) => {
    expect(problemsOf({ REDIS_URL })).toEqual([
      expect.stringMatching(/^REDIS_URL is set \(not shown\): must be redis:\/\/host:port or/),
    ]);
    expect(problemsOf({ REDIS_URL }).join()).not.toContain('hun');
  });

  test('does not check host names', () => {
    expect(readConfig({ PUBSUB_SERVERS: 'anything.example:1' }).pubSubServers).toHaveLength(1);
  });

  test('is read, or rejected with a ConfigError, for any values', () => {
    const value = fc.option(fc.oneof(fc.string(), fc.nat().map(String)), { nil: undefined });
    const env = fc.record(Object.fromEntries(variables.map(({ name }) => [name, value])));
    fc.assert(
      fc.property(env, (text) => {
        for (const problem of problemsOf(text)) expect(problem).toMatch(/^[A-Z_]+ (is|has) /);
      }),
    );
  });
});

describe('an environment written by people and platforms', () => {
  /** A value of each variable that it accepts. */
  const values: Record<string, string> = {
    HOST: '127.0.0.2',
    PORT: '0',
    PUBLIC_URL: 'http://dash.example',
    PUBSUB_SERVERS: '127.0.0.1:1,127.0.0.1:2',
    PUBSUB_PORT: '9',
    PUBSUB_NETWORKS: '127.0.0.0/8',
    PUBSUB_SECRET: 'a secret of sixteen letters',
    PUBSUB_TLS: 'true',
    PUBSUB_CA_FILE: certificate.file,
    PUBSUB_DNS: 'a.example',
    PUBSUB_DNS_SERVER: '127.0.0.1:8600',
    ECS_CLUSTER: 'blue',
    ECS_SERVICE: 'pubsub',
    DISCOVER_FROM_ROOMS: 'true',
    DYNAMODB_TABLE: 'rooms',
    DYNAMODB_SERVERS_TABLE: 'servers',
    DYNAMODB_CONNECTIONS_TABLE: 'connections',
    STATE_DIR: '/state',
    CLUSTER_URL: 'redis://127.0.0.1:6379',
    CLUSTER_SECRET: 's3cret of sixteen letters',
    INSTANCE_URL: 'http://10.0.0.1:8000',
    INSTANCE_PEER_URL: 'http://10.0.0.1:8000',
    LINGER_MS: '6000',
    REDIS_URL: 'redis://127.0.0.1:6379',
    REDIS_SENTINEL_PASSWORD: 's3cret',
    REDIS_CHANNEL_PREFIX: 'doc:',
    REDIS_PRESENCE_SUFFIX: ':who',
    DASHBOARD_TOKEN: 's3cret-of-sixteen-letters',
    METRICS_TOKEN: 's3cret-of-sixteen-letters',
    AUTH: 'token',
    PROXY_USER_HEADER: 'X-Forwarded-User',
    WEBHOOK_URL: 'https://hooks.example/a?b=c',
    WEBHOOK_SECRET: 'a secret of many letters',
    SIGN_OUT_URL: '/oauth2/sign_out',
    CORS_ORIGINS: 'https://a.example',
    ALLOWED_HOSTS: 'a.example',
    TRUSTED_PROXIES: '10.9.0.0/16',
    METRICS_PORT: '0',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
    INSPECT: 'true',
    LOG_LEVEL: 'silent',
  };
  const accepted = (name: string, shown: string) => values[name] ?? shown;
  // A cluster refuses `DATA_DIR`.
  const all = variables.filter(({ name }) => name !== 'DATA_DIR');
  const written = (write: (value: string) => string) =>
    Object.fromEntries(all.map((it) => [it.name, write(accepted(it.name, it.shown))]));
  const read = (env: Record<string, string>) => {
    const warnings: string[] = [];
    return { config: readConfig(env, (warning) => warnings.push(warning)), warnings };
  };
  const asJson = (config: object) => JSON.stringify(config, (_key, value) => value);

  test('is read without Windows line ends', () => {
    const { config, warnings } = read(written((value) => `${value}\r`));
    expect(asJson(config)).toBe(asJson(readConfig(written((value) => value))));
    expect(warnings).toEqual([]);
  });

  test.each(['"', "'"])('is read without %s around values, and warns', (mark) => {
    const { config, warnings } = read(written((value) => `${mark}${value}${mark}\r`));
    expect(asJson(config)).toBe(asJson(readConfig(written((value) => value))));
    expect(warnings).toHaveLength(all.length);
    expect(warnings).toContain(
      `PORT is ${JSON.stringify(`${mark}0${mark}\r`)}, which is quoted; the quotes are removed`,
    );
    expect(warnings.join()).not.toMatch(/s3cret|6379/);
  });

  test('is read without service links, and warns', () => {
    const { config, warnings } = read(written(() => 'tcp://10.43.0.7:8001'));
    expect(asJson(config)).toBe(asJson(readConfig({})));
    const links = warnings.filter((warning) => warning.includes('service link'));
    expect(links).toHaveLength(all.length);
    for (const { name } of all)
      expect(warnings).toContainEqual(expect.stringMatching(`^${name} is .* service link`));
  });

  test('leaves a variable unset if there is nothing between its quotes', () => {
    expect(asJson(read(written(() => '""')).config)).toBe(asJson(readConfig({})));
  });

  test('keeps a quote that is part of a value', () => {
    expect(readConfig({ DASHBOARD_TOKEN: '"a' }).dashboardToken).toBe('"a');
    expect(readConfig({ DASHBOARD_TOKEN: '"a\'' }).dashboardToken).toBe('"a\'');
  });
});

describe('listening beyond loopback', () => {
  test.each(['127.0.0.1', '127.8.8.8', '::1', '[::1]', 'localhost', '::ffff:127.0.0.1'])(
    'does not happen with HOST=%s',
    (HOST) => expect(problemsOf({ HOST })).toEqual([]),
  );

  test.each(['0.0.0.0', '::', '10.0.0.1', 'dash.example'])(
    'requires a token with HOST=%s',
    (HOST) => {
      expect(problemsOf({ HOST })).toEqual([expect.stringContaining('DASHBOARD_TOKEN is unset')]);
      expect(problemsOf({ HOST, DASHBOARD_TOKEN: ' ' })).toHaveLength(1);
      expect(problemsOf({ HOST, DASHBOARD_TOKEN: 't' })).toEqual([]);
      expect(problemsOf({ HOST, AUTH: 'none' })).toEqual([]);
    },
  );
});

describe('the public URL', () => {
  const address = (text: string, family: 'IPv4' | 'IPv6', internal: boolean) =>
    ({ address: text, family, internal }) as NetworkInterfaceInfo;
  const interfaces = () => ({
    lo: [address('127.0.0.1', 'IPv4', true)],
    eth0: [address('169.254.3.4', 'IPv4', false)],
    eth1: [address('fe80::1', 'IPv6', false), address('172.17.0.2', 'IPv4', false)],
    eth2: [address('10.0.0.2', 'IPv4', false)],
  });

  test.each([
    ['http://dash.example', 'http://dash.example'],
    ['https://Dash.example:8443/', 'https://dash.example:8443'],
    ['http://dash.example/a/b//', 'http://dash.example/a/b'],
    ['http://[::1]:8000/', 'http://[::1]:8000'],
  ])('%s is read as %s', (PUBLIC_URL, url) => {
    expect(publicUrlFor(readConfig({ PUBLIC_URL, HOST: '::1' }), 1, interfaces)).toBe(url);
  });

  test.each([
    ['127.0.0.1', 'http://127.0.0.1:4321'],
    ['::1', 'http://[::1]:4321'],
    ['localhost', 'http://localhost:4321'],
    ['0.0.0.0', 'http://172.17.0.2:4321'],
    ['::', 'http://172.17.0.2:4321'],
    ['::ffff:0.0.0.0', 'http://172.17.0.2:4321'],
  ])('with HOST=%s is %s by default', (HOST, url) => {
    expect(publicUrlFor(readConfig({ HOST, AUTH: 'none' }), 4321, interfaces)).toBe(url);
  });

  test('is an IPv6 address on a machine without IPv4', () => {
    const eth0 = [address('fe80::1', 'IPv6', false), address('2001:db8::5', 'IPv6', false)];
    expect(publicUrlFor({ host: '::' }, 80, () => ({ eth0 }))).toBe('http://[2001:db8::5]:80');
  });

  test('is loopback on a machine without a network', () => {
    expect(publicUrlFor({ host: '::' }, 80, () => ({}))).toBe('http://127.0.0.1:80');
  });
});

describe('the state directory', () => {
  const of = (env: Record<string, string>) => readConfig(env).stateDir;

  test('is STATE_DIR, else the one of systemd, else the one of the user, else none', () => {
    const HOME = '/home/anna';
    const XDG_STATE_HOME = '/state';
    const STATE_DIRECTORY = '/var/lib/dashboard:/var/lib/other';
    expect(of({ HOME })).toBe('/home/anna/.local/state/pubsub-dashboard');
    expect(of({ HOME, XDG_STATE_HOME })).toBe('/state/pubsub-dashboard');
    expect(of({ HOME, XDG_STATE_HOME, STATE_DIRECTORY })).toBe('/var/lib/dashboard');
    expect(of({ HOME, XDG_STATE_HOME, STATE_DIRECTORY, STATE_DIR: '/mine' })).toBe('/mine');
    expect(of({})).toBeUndefined();
  });

  test('is none with STATE_DIR=none, and relative only in STATE_DIR', () => {
    expect(of({ HOME: '/home/anna', STATE_DIR: 'none' })).toBeUndefined();
    expect(of({ HOME: 'here', XDG_STATE_HOME: '.', STATE_DIRECTORY: 'x' })).toBeUndefined();
    expect(of({ STATE_DIR: 'here' })).toBe(resolve('here'));
  });

  test.each<[Record<string, string>, boolean]>([
    [{}, true],
    [{ STATE_DIR: 'none', HOME: '/home/anna' }, true],
    [{ HOME: '/home/anna', PORT: '0' }, true],
    [{ HOME: '/home/anna' }, false],
    [{ PUBSUB_SERVERS: '10.0.0.1:8001' }, false],
    [{ PUBSUB_DNS: 'pubsub.internal' }, false],
    [{ DISCOVER_FROM_ROOMS: 'true' }, false],
    [{ DATA_DIR: '/data' }, false],
    [{ ECS_CLUSTER: 'a', ECS_SERVICE: 'b' }, false],
    [{ DYNAMODB_TABLE: 'rooms', DYNAMODB_SERVERS_TABLE: 'servers' }, false],
  ])('%j: warns that a restart forgets servers: %s', (env, isWarned) => {
    const warnings: string[] = [];
    readConfig(env, (warning) => warnings.push(warning));
    expect(warnings.some((warning) => warning.includes('STATE_DIR'))).toBe(isWarned);
  });
});

describe('variables of the service that this one replaces', () => {
  const warningsOf = (env: Record<string, string>) => {
    const warnings: string[] = [];
    readConfig({ PUBSUB_SERVERS: '127.0.0.1:1', ...env }, (warning) => warnings.push(warning));
    return warnings;
  };

  test.each([
    ['WS_CLUSTER', 'ECS_CLUSTER'],
    ['WS_SERVICE', 'ECS_SERVICE'],
    ['WS_PORT', 'PUBSUB_PORT'],
    ['REGION', 'AWS_REGION'],
  ])('%s causes a warning, unless %s is set', (old, ours) => {
    const others = { ECS_CLUSTER: 'a', ECS_SERVICE: 'b', PUBSUB_PORT: '3', AWS_REGION: 'c' };
    const without = Object.fromEntries(Object.entries(others).filter(([name]) => name !== ours));
    // Of the two names of the ECS service none goes without the other.
    const rest = ours.startsWith('ECS') ? {} : without;
    expect(warningsOf({ ...rest, [old]: '7' })).toEqual([
      expect.stringMatching(`^${old} is "7", .* set ${ours} `),
    ]);
    expect(warningsOf({ ...others, [old]: '7' })).toEqual([]);
    // As Kubernetes sets it for a Service called `ws`.
    expect(warningsOf({ ...rest, [old]: 'tcp://10.0.0.1:80' })).toEqual([]);
  });

  test('REGION causes no warning if AWS_DEFAULT_REGION is set', () => {
    expect(warningsOf({ REGION: 'eu', AWS_DEFAULT_REGION: 'eu' })).toEqual([]);
  });
});
