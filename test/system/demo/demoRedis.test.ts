import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { startDemoRedis } from '../../../server/demo/demoRedis.js';
import { startLocalRedis } from '../../../server/demo/localRedis.js';
import { eventually } from '../../support/eventually.js';
import { owns } from './support.js';

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('a local Redis answers, stores nothing on disk, and is gone when it is stopped', async () => {
  const redis = owns(await startLocalRedis(), (it) => it.stop());
  expect(redis.url).toBe(`redis://127.0.0.1:${redis.port}`);
  const client = new Redis(redis.url);
  expect(await client.config('GET', 'save', 'appendonly', 'bind')).toEqual(
    expect.arrayContaining(['save', '', 'appendonly', 'no', 'bind', '127.0.0.1']),
  );
  expect(await client.info('server')).toContain(`process_id:${redis.pid}`);
  const [, dir = ''] = (await client.config('GET', 'dir')) as string[];
  expect(await readdir(dir)).toEqual([]);
  await client.quit();
  await redis.stop();
  expect(isAlive(redis.pid)).toBe(false);
  await expect(readdir(dir)).rejects.toThrow('ENOENT');
});

test('a local Redis ends with its parent process, even when that is killed', async () => {
  const module = fileURLToPath(new URL('../../../server/demo/localRedis.ts', import.meta.url));
  const script = `const { startLocalRedis } = await import(${JSON.stringify(module)});
    const { pid, url } = await startLocalRedis();
    process.stdout.write(JSON.stringify({ pid, url }));`;
  const options = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script];
  const parent = spawn(process.execPath, options, { env: { ...process.env, NODE_OPTIONS: '' } });
  owns(parent, (it) => it.kill('SIGKILL'));
  const { pid, url } = await new Promise<{ pid: number; url: string }>((resolve) =>
    parent.stdout.once('data', (text) => resolve(JSON.parse(text))),
  );
  const client = new Redis(url);
  const [, dir = ''] = (await client.config('GET', 'dir')) as string[];
  await client.quit();
  process.kill(pid, 'SIGSTOP');
  parent.kill('SIGKILL');
  await eventually(() => expect(isAlive(pid)).toBe(false));
  await eventually(() => expect(readdir(dir)).rejects.toThrow('ENOENT'));
});

test('a Redis that cannot listen reports the reason', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  owns(other, (it) => it.close());
  const address = other.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  await expect(startLocalRedis({ port })).rejects.toThrow(/did not start: .*in use/);
});

test('the demo uses the Redis of REDIS_URL', async () => {
  const said: string[] = [];
  const given = 'redis://:secret@127.0.0.1:1';
  const redis = await startDemoRedis(given, (line) => said.push(line));
  expect(redis.url).toBe(given);
  expect(said).toEqual(['Redis: using REDIS_URL']);
  await redis.stop();
});

test('the demo rejects an invalid REDIS_URL without showing it', async () => {
  const refused = startDemoRedis('http://:secret@host', () => undefined);
  await expect(refused).rejects.toThrow(/^REDIS_URL \(not shown\) must be redis:\/\/host/);
  await expect(refused).rejects.not.toThrow(/secret/);
});

test('the demo runs without Redis if there is no redis-server, and tells it once', async () => {
  const { PATH } = process.env;
  owns(PATH, () => {
    process.env.PATH = PATH;
  });
  process.env.PATH = '/nowhere';
  const said: string[] = [];
  const redis = await startDemoRedis(undefined, (line) => said.push(line));
  expect(redis.url).toBeUndefined();
  expect(said).toEqual([
    expect.stringMatching(
      /^Redis: none, so editors on different servers do not see each other. redis-server did not start: .*not found$/,
    ),
  ]);
  await redis.stop();
});
