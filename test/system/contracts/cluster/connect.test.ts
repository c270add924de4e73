import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { ServerId } from '../../../../machines/ports.js';
import type { LeaseRecord } from '../../../../server/cluster/clusterStore.js';
import { ClusterConnection } from '../../../../server/cluster/connect.js';
import { EvictingRedis } from '../../../../server/cluster/evictionPolicy.js';
import { RedisClusterStore } from '../../../../server/cluster/redisClusterStore.js';
import { redisServersTable } from '../../../../server/cluster/redisServersTable.js';
import { makeCertificate } from '../../../support/certificates.js';
import { eventually } from '../../../support/eventually.js';
import { infoOf } from '../../../support/infoOf.js';
import { startRedis } from '../../../support/redisServer.js';

const { key, cert } = makeCertificate('IP:127.0.0.1');
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function connect(url: string, deadlineMs = 5000) {
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(line) });
  const connection = new ClusterConnection({ url, log, deadlineMs });
  ends.push(() => connection.close());
  return { connection, lines };
}

async function start(options: Parameters<typeof startRedis>[0] = {}) {
  const redis = await startRedis(options);
  ends.push(() => redis.stop());
  return redis;
}

test('it connects with a password, which it never logs', async () => {
  const redis = await start({ password: 'p@ss,word' });
  const { connection, lines } = connect(`redis://:p%40ss%2Cword@127.0.0.1:${redis.port}`);
  await connection.connected(60_000);
  expect(await connection.client.ping()).toBe('PONG');
  const wrong = connect(`redis://:hunter%402@127.0.0.1:${redis.port}`);
  await eventually(() =>
    expect(() => wrong.connection.client).toThrow('Redis is unreachable: WRONGPASS'),
  );
  for (const line of [...lines, ...wrong.lines]) expect(line).not.toMatch(/p@ss|p%40ss|hunter/);
});

test.each(['allkeys-lru', 'volatile-ttl'])(
  'a Redis with the policy %s is refused',
  async (policy) => {
    const redis = await start({ options: ['--maxmemory-policy', policy] });
    const { connection } = connect(redis.url);
    await expect(connection.connected(60_000)).rejects.toThrow(EvictingRedis);
    await expect(connection.connected(60_000)).rejects.toThrow(
      `The Redis of CLUSTER_URL has maxmemory-policy '${policy}', so it may delete the lease. Set it to 'noeviction', or use a Redis of its own.`,
    );
    expect(() => connection.client).toThrow(EvictingRedis);
  },
);

const user = (...rules: string[]) => [
  '--user',
  'dashboard',
  'on',
  '>secret',
  '~*',
  '&*',
  '+@all',
  ...rules,
];

test('the policy is read by CONFIG where INFO is not allowed', async () => {
  const redis = await start({
    options: ['--maxmemory-policy', 'allkeys-lru', ...user('-info')],
  });
  const { connection } = connect(`redis://dashboard:secret@127.0.0.1:${redis.port}`);
  await expect(connection.connected(60_000)).rejects.toThrow(EvictingRedis);
});

test('a Redis that does not tell its policy is accepted with a warning', async () => {
  const redis = await start({ options: user('-info', '-config') });
  const { connection, lines } = connect(`redis://dashboard:secret@127.0.0.1:${redis.port}`);
  await connection.connected(60_000);
  expect(await connection.client.ping()).toBe('PONG');
  expect(lines.filter((line) => line.includes('does not tell its maxmemory-policy'))).toHaveLength(
    1,
  );
});

test('a Redis that asks for a password does not count as one that answers, until it stops asking', async () => {
  const redis = await start({ password: 'secret' });
  const { connection, lines } = connect(redis.url);
  await eventually(() => expect(lines.join()).toContain('NOAUTH'));
  expect(() => connection.client).toThrow('NOAUTH');
  await redis.call('CONFIG', 'SET', 'requirepass', '');
  await eventually(async () => expect(await connection.client.ping()).toBe('PONG'));
});

test('a Redis that is away does not hinder the start, and is used when it is there', async () => {
  const redis = await start();
  await redis.stop();
  const { connection, lines } = connect(redis.url);
  await connection.connected(200);
  await eventually(() => expect(() => connection.client).toThrow('Redis is unreachable'));
  await redis.restart();
  await eventually(async () => expect(await connection.client.ping()).toBe('PONG'));
  const texts = lines.map((line) => JSON.parse(line).msg);
  expect(texts).toEqual([
    'the Redis of the cluster is unreachable; retrying',
    'connected to the Redis of the cluster',
  ]);
});

test('a Redis that hung for long is used when it goes on', async () => {
  const redis = await start();
  const { connection, lines } = connect(redis.url, 100);
  await connection.connected(60_000);
  redis.suspend();
  ends.push(() => redis.resume());
  // It is connected to again, and the check of its policy fails.
  await eventually(() => {
    connection.uncheckedClient.ping().catch(() => undefined);
    expect(lines.join()).toContain('is unreachable');
  });
  const isReady = () => connection.uncheckedClient.status === 'ready';
  await eventually(() => expect(isReady()).toBe(true));
  await expect(connection.uncheckedClient.ping()).rejects.toThrow();
  redis.resume();
  await eventually(async () => expect(await connection.client.ping()).toBe('PONG'));
});

test('a normal end is not logged as a loss', async () => {
  const { connection, lines } = connect((await start()).url);
  await connection.connected(60_000);
  connection.close();
  await eventually(() => expect(connection.uncheckedClient.status).toBe('end'));
  expect(lines.join()).not.toContain('unreachable');
});

test('the policy is checked again when Redis was restarted', async () => {
  const redis = await start();
  const { connection } = connect(redis.url);
  await connection.connected(60_000);
  await redis.stop();
  const other = await start({
    port: redis.port,
    options: ['--maxmemory-policy', 'allkeys-lru'],
  });
  await eventually(() => expect(() => connection.client).toThrow(EvictingRedis));
  await other.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  await other.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await eventually(async () => expect(await connection.client.ping()).toBe('PONG'));
});

test('a command that is open when the connection is lost fails, and is not sent again', async () => {
  const redis = await start();
  const { connection } = connect(redis.url, 500);
  await connection.connected(60_000);
  redis.suspend();
  const pending = connection.client.incr('counter');
  await expect(pending).rejects.toThrow();
  // It was in the socket of the Redis that hung: it may be executed once.
  redis.resume();
  await eventually(async () => expect(await connection.client.ping()).toBe('PONG'));
  await redis.restart();
  await eventually(async () => expect(await connection.client.ping()).toBe('PONG'));
  await eventually(async () => expect(await connection.client.get('counter')).toBeNull());
});

test('a user with the permissions of docs/deploy.md may do all that a cluster needs', async () => {
  const text = await readFile(new URL('../../../../docs/deploy.md', import.meta.url), 'utf8');
  const [, keys = '', rules = ''] = /to `(~\{[^`]+)`, with `(\+@[^`]+)`/.exec(text) ?? [];
  const acl = ['--user', 'dashboard', 'on', '>secret', keys, ...rules.split(' ')];
  const redis = await start({ options: acl });
  const { connection, lines } = connect(`redis://dashboard:secret@127.0.0.1:${redis.port}`);
  await connection.connected(60_000);
  expect(lines.join()).not.toContain('maxmemory-policy');
  const store = new RedisClusterStore(connection);
  const errors: unknown[] = [];
  const note = (error: Error | undefined) => void errors.push(error?.message);
  const info = infoOf('a');
  const lease = await new Promise<LeaseRecord>((resolve, reject) =>
    store.beat({ info, beats: 1, isCandidate: true, highestTerm: 0 }, (error, result) =>
      result ? resolve(result.lease) : reject(error),
    ),
  );
  const taken = await new Promise<LeaseRecord>((resolve, reject) =>
    store.acquire({ info, seen: lease, highestTerm: 0, requestId: '1' }, (error, result) =>
      result && 'taken' in result ? resolve(result.taken) : reject(error),
    ),
  );
  const held = { term: taken.term, instance: 'a' };
  store.pushInbox(['one'], note);
  store.takeInbox({ ...held, requestId: '2', confirmed: undefined }, note);
  store.takeInbox({ ...held, requestId: '3', confirmed: '2' }, note);
  store.release({ ...held, isActive: false, wasForgotten: true }, note);
  store.leave('a', note);
  await eventually(() => expect(errors).toEqual(Array(5).fill(undefined)));
  const servers = redisServersTable(connection);
  const server = 'server:1' as ServerId;
  await servers.put({ server, origin: 'remembered', expiresAt: Date.now() + 60_000 });
  expect(await servers.list()).toHaveLength(1);
  await servers.remove(server);
});

test('an idle instance sends Redis less than ten commands a second', async () => {
  const redis = await start();
  const { connection } = connect(redis.url);
  await connection.connected(60_000);
  const store = new RedisClusterStore(connection);
  const commands = async () =>
    Number(/total_commands_processed:(\d+)/.exec(String(await redis.call('INFO', 'stats')))?.[1]);
  const beat = (beats: number, lease?: { term: number; isActive: boolean }) =>
    new Promise((resolve, reject) =>
      store.beat(
        { info: infoOf('a'), beats, isCandidate: true, highestTerm: 0, lease },
        (error, result) => (result ? resolve(result) : reject(error)),
      ),
    );
  await beat(1);
  const before = await commands();
  for (let beats = 2; beats <= 11; beats += 1) await beat(beats, { term: 1, isActive: true });
  // The one that counts is counted, too.
  expect((await commands()) - before - 1).toBeLessThanOrEqual(80);
});

test('with rediss, a certificate of an unknown authority is refused', async () => {
  const server = createTlsServer({ key, cert });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => server.close());
  const { port } = server.address() as { port: number };
  const { connection } = connect(`rediss://127.0.0.1:${port}`);
  await eventually(() => expect(() => connection.client).toThrow(/certificate/));
});
