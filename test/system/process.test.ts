import process from 'node:process';
import { describe, expect, test } from '@jest/globals';
import { withDeadline } from '../../server/timing/withDeadline.js';
import { eventually } from '../support/eventually.js';
import { puts, toldUrl, useHarness } from '../support/harness.js';
import { ask, post } from '../support/http.js';
import type { ScriptedServer } from '../support/scriptedServer.js';
import { runProcess as run } from '../support/serviceProcess.js';

const harness = useHarness();
const lines = (text: string) => text.split('\n').filter((line) => line !== '');

/** A service that counts on servers, with a viewer. */
async function watching(servers: ScriptedServer[], env: Record<string, string> = {}) {
  const service = run({
    PUBSUB_SERVERS: servers.map(({ id }) => id).join(','),
    DASHBOARD_TOKEN: 'viewer-secret',
    LOG_LEVEL: 'trace',
    PROBE_INTERVAL_MS: '100',
    ...env,
  });
  const url = await service.listening;
  const headers = { Authorization: 'Bearer viewer-secret' };
  const stream = await harness.stream({ url }, { headers });
  await eventually(() => expect(servers.every(({ active }) => active)).toBe(true));
  return { ...service, url, stream };
}

test('invalid configuration is reported at once, without secrets, and stops the start', async () => {
  const { ended, output } = run({
    PORT: 'x',
    HOST: '0.0.0.0',
    AUTH: 'maybe',
    PUBSUB_NETWORKS: '10.0.0.0/99',
    DASHBOARD_TOKEN: 'viewer secret',
  });
  expect(await ended).toBe(1);
  for (const name of ['PORT', 'AUTH', 'PUBSUB_NETWORKS', 'DASHBOARD_TOKEN'])
    expect(lines(output.err).filter((line) => line.includes(`- ${name} is `))).toHaveLength(1);
  expect(output.err).not.toContain('viewer secret');
  expect(output.out).toBe('');
});

test('the process listens, tells its parent the URL, and ends on SIGTERM', async () => {
  const { child, ended, listening, output } = run({});
  const url = await listening;
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect((await ask(`${url}/ready`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  const logged = lines(output.out).map((line) => JSON.parse(line));
  expect(logged).toContainEqual(expect.objectContaining({ msg: 'listening', url }));
  expect(logged).toContainEqual(expect.objectContaining({ msg: 'stopping', signal: 'SIGTERM' }));
});

const failureIn = (out: string) => {
  // Of warnings there may be some before it.
  const [line, ...others] = lines(out).filter((text) => JSON.parse(text).level >= 50);
  expect(others).toEqual([]);
  return JSON.parse(line ?? '');
};

test('a port that is in use ends the process with the reason', async () => {
  const { port } = await harness.server();
  const { ended, output } = run({ PORT: `${port}` });
  expect(await ended).toBe(1);
  expect(failureIn(output.out)).toMatchObject({
    level: 60,
    msg: 'the service could not start',
    err: { code: 'EADDRINUSE', message: expect.stringMatching(`^PORT is ${port}: .*:${port}`) },
  });
});

test.each([
  ['192.0.2.1', 'EADDRNOTAVAIL'],
  ['x86_64-conda-linux-gnu.invalid', 'ENOTFOUND|EAI_AGAIN'],
])('the reason names a HOST that this machine does not have: %s', async (HOST, code) => {
  const { ended, output } = run({ HOST, AUTH: 'none' });
  expect(await ended).toBe(1);
  expect(failureIn(output.out)).toMatchObject({
    msg: 'the service could not start',
    err: {
      code: expect.stringMatching(code),
      message: expect.stringMatching(`^HOST is "${HOST}": this machine has no such address`),
    },
  });
});

test('variables set by a platform are ignored, with a warning in the log', async () => {
  const { child, ended, listening, output } = run({ PUBSUB_PORT: 'tcp://10.43.0.7:8001' });
  await listening;
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  const [first = ''] = lines(output.out);
  expect(JSON.parse(first)).toMatchObject({
    level: 40,
    msg: expect.stringMatching('PUBSUB_PORT is "tcp://10.43.0.7:8001", which is a service link'),
  });
});

describe('the warning of the AWS SDK about old versions of Node.js', () => {
  const warnings = (out: string) =>
    lines(out)
      .map((line) => JSON.parse(line))
      .filter(({ msg }) => msg === 'warning from Node.js');

  /** Runs a service until its store was asked. */
  async function started(env: Record<string, string>) {
    const { child, ended, listening, output } = run(env);
    const url = await listening;
    await eventually(async () => {
      const { status, text } = await ask(`${url}/api/rooms`);
      expect(status === 200 || text.includes('ScanCommand')).toBe(true);
    });
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(output.err).toBe('');
    return output;
  }

  test('is not in the output without AWS', async () => {
    const { out } = await started({});
    expect(warnings(out)).toEqual([]);
    expect(out).not.toContain('AWS SDK');
  });

  test('is one line of the log with a table', async () => {
    const { out } = await started({
      DYNAMODB_TABLE: 'rooms',
      AWS_REGION: 'local',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1',
    });
    const isOld = Number(process.versions.node.split('.')[0]) < 22;
    expect(warnings(out)).toHaveLength(isOld ? 1 : 0);
  });
});

test('streams of a session cause no warning from Node.js', async () => {
  const { child, ended, listening, output } = run({ DASHBOARD_TOKEN: 'viewer-secret' });
  const url = await listening;
  const signIn = { method: 'POST', headers: { 'Content-Type': 'application/json' } };
  const session = await ask(`${url}/api/session`, { ...signIn, body: '{"token":"viewer-secret"}' });
  const Cookie = session.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  for (const path of ['/api/events', '/api/rooms/r/events', '/api/updates'])
    await harness.stream({ url }, { path, headers: { Cookie } });
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(output.out).not.toContain('MaxListeners');
  expect(output.err).toBe('');
});

/** Looks at a service that shuts down, for which it takes seconds. False: it was over too soon for a busy machine. */
async function lookAtShutdown(): Promise<boolean> {
  const servers = [await harness.server(), await harness.server()] as const;
  const [server, slow] = servers;
  const { child, ended, url, stream } = await watching([...servers]);
  const kept = harness.socket({ url });
  const { pathname, search } = new URL(toldUrl(server));
  const delta = '{"room":"r","add":1}';
  const head = `POST ${pathname}${search} HTTP/1.1\r\nHost: a\r\nContent-Length: ${delta.length}`;
  const answers = () => kept.text().match(/^HTTP\/1\.1 .*$/gm);
  kept.send(`${head}\r\n\r\n${delta}`);
  await eventually(() => expect(answers()).toEqual(['HTTP/1.1 204 No Content']));

  slow.respond({ kind: 'hang' });
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  const until = (attempt: () => unknown) => eventually(async () => isOver || attempt());
  const look = async () => {
    await until(async () => {
      expect(await ask(`${url}/ready`)).toMatchObject({ status: 503, code: 'draining' });
    });
    expect((await ask(`${url}/health`)).status).toBe(200);
    await stream.ended;
    expect(stream.isEnded()).toBe(true);
    await until(() => expect(server.active).toBe(false));
    kept.send(`${head}\r\n\r\n${delta}`);
    await until(() => expect(answers()).toHaveLength(2));
    expect(answers()?.[1]).toBe('HTTP/1.1 204 No Content');
    expect((await post(toldUrl(slow), { room: 'r', add: 1 })).status).toBe(204);
    const headers = { Authorization: 'Bearer viewer-secret' };
    expect((await ask(`${url}/api/events`, { headers })).text).toMatch(/^retry: \d{4,5}\n\n$/);
    child.kill('SIGTERM');
    expect((await ask(`${url}/ready`)).status).toBe(503);
  };
  child.kill('SIGTERM');
  try {
    await look();
  } catch (error) {
    const isEnding = await withDeadline(ended, 1000, () => 'goes on' as const);
    if (isEnding === 'goes on') throw error;
    return false;
  }

  slow.respond({ kind: 'normal' });
  slow.release();
  expect(await ended).toBe(0);
  expect(servers.map(({ active }) => active)).toEqual([false, false]);
  return true;
}

test('SIGTERM silences the servers, ends streams, and still answers callbacks', async () => {
  const looks: boolean[] = [];
  while (looks.length < 5 && !looks.at(-1)) looks.push(await lookAtShutdown());
  expect(looks.at(-1)).toBe(true);
});

test('SIGTERM ends the process long before the request to a server that hangs times out', async () => {
  const server = await harness.server();
  // Later than any test: no bound that depends on how fast the machine is.
  const { child, ended } = await watching([server], { REQUEST_TIMEOUT_MS: '3600000' });
  server.respond({ kind: 'hang' });
  child.kill('SIGTERM');
  await eventually(() => expect(puts(server).at(-1)).toBe(false));
  expect(await ended).toBe(0);
});

test('the log is JSON lines without tokens', async () => {
  const server = await harness.server();
  const { child, ended, url, output } = await watching([server]);
  const tokens = new Set(['viewer-secret']);
  const note = () => tokens.add(new URL(toldUrl(server)).searchParams.get('token') ?? '');
  note();
  await post(toldUrl(server), 'no json');
  await post(`${toldUrl(server)}junk`, { room: 'r', add: 1 });
  await ask(`${url}/api/events?token=viewer-secret`);
  await ask(`${url}/api/state`, { headers: { Authorization: 'Bearer viewer-secretjunk' } });
  const { eventsUrl } = await server.askAtStartup(url, { port: server.port });
  tokens.add(new URL(eventsUrl ?? '').searchParams.get('token') ?? '');
  server.respond({ kind: 'reset', times: 2 });
  await server.open('r', { url: `${url}/api/events?token=of-another-run` });
  await eventually(() => expect(puts(server).length).toBeGreaterThan(3));
  note();
  server.restart();
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  note();

  const logged = lines(output.out).map((line) => JSON.parse(line));
  expect(logged).toContainEqual(expect.objectContaining({ code: 'token_unknown' }));
  expect(tokens.size).toBeGreaterThan(2);
  for (const token of tokens) {
    expect(token).not.toBe('');
    expect(output.out + output.err).not.toContain(token);
  }
});

test('the log of a failed request to an unknown client has no token', async () => {
  const server = await harness.server();
  server.respond({ kind: 'reset' });
  const env = { PUBSUB_PORT: `${server.port}`, LOG_LEVEL: 'trace' };
  const { child, ended, listening, output } = run(env);
  expect((await post(`${await listening}/api/events`, { room: 'r', add: 1 })).status).toBe(404);
  await eventually(() => expect(server.requests.length).toBeGreaterThan(1));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  const [, token] = /token=([^"]+)/.exec(server.requests[0]?.body ?? '') ?? [];
  expect(token).toMatch(/./);
  expect(output.out).not.toContain(token);
});
