import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { WebSocketServer } from 'ws';
import type { Result } from '../../../server/agent/check/check.js';
import { yWebsocket } from '../../../server/agent/check/opener.js';
import { runChecks } from '../../../server/agent/check/runChecks.js';
import { createAgent } from '../../../server/agent/createAgent.js';
import { freePort } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import { owns } from '../../support/stage.js';
import { type Fault, startBrokenServer } from '../../system/agent/support/brokenServer.js';

const main = fileURLToPath(new URL('../../../server/agent/check/main.ts', import.meta.url));

/** Runs the command to its end. */
function check(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, NODE_OPTIONS: '' } };
    const child = execFile(
      process.execPath,
      ['--import', 'tsx', main, ...args],
      options,
      (_cause, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

async function startServer(fault?: Fault): Promise<string> {
  const server = await startBrokenServer({ dashboard: '', ...(fault && { fault }) });
  owns(server, (it) => it.close());
  return server.url.origin;
}

test('the command prints a line for each check and exits with 0', async () => {
  const { code, out, err } = await check('check', await startServer());
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^pass +MUST +one-instant +\d+ activations amid 200 /m);
  expect(out).toMatch(/^skipped +SHOULD +bad-input +.*--bad-input$/m);
  expect(out).toMatch(/\d+ passed, 0 failed, \d+ skipped\n$/);
});

test('it exits with 1 if a MUST is broken, and says what was expected and where that is written', async () => {
  const { code, out } = await check('check', await startServer('answers a snapshot as text/plain'));
  expect(code).toBe(1);
  expect(out).toMatch(
    /^fail +MUST +answer-type +Content-Type: text\/plain\n +expected: .+\n +see: docs\/protocol.md#put-apidashboard$/m,
  );
});

test('it exits with 0 if only a SHOULD is broken, and prints JSON', async () => {
  const url = await startServer('assigns names in the snapshot');
  const { code, out } = await check('check', url, '--json');
  expect(code).toBe(0);
  const failed = (JSON.parse(out) as Result[]).filter(({ result }) => result === 'fail');
  expect(failed).toEqual([
    expect.objectContaining({ id: 'proto-in-snapshot', level: 'SHOULD', result: 'fail' }),
  ]);
});

test('a command of the user opens connections and is ended to close them', async () => {
  const url = await startServer();
  const open = `exec "${process.execPath}" -e '
    const { WebSocket } = require("ws");
    new WebSocket("${url.replace('http', 'ws')}/" + process.argv[1]).on("error", () => {});' {room}`;
  const { code, out } = await check('check', url, '--within', '60', '--open', open);
  expect({ code, out }).toEqual({ code: 0, out });
  expect(out).toMatch(/^pass +MUST +deltas /m);
  expect(out).toMatch(/^pass +MUST +one-instant +\d+ activations amid 12 /m);
  expect(out).toMatch(/^skipped +MUST +names +a command may encode/m);
});

test('an interrupted check leaves none of its commands running', async () => {
  const folder = owns(await mkdtemp(join(tmpdir(), 'check-')), (it) => rm(it, { recursive: true }));
  const started = join(folder, 'pid');
  const open = `echo $$ > '${started}'; exec sleep 600`;
  const args = ['--import', 'tsx', main, 'check', await startServer(), '--open', open];
  const child = spawn(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '' } });
  owns(child, (it) => it.kill('SIGKILL'));
  const pid = await eventually(async () => {
    const text = await readFile(started, 'utf8');
    expect(text).toMatch(/^\d+\n$/);
    return Number(text);
  });
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([130, null]);
  await eventually(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'));
});

test('a command of the user restarts the server, to check its start-up query', async () => {
  const [port, dashboardPort] = [await freePort(), await freePort()];
  const folder = owns(await mkdtemp(join(tmpdir(), 'check-')), (it) => rm(it, { recursive: true }));
  const pidFile = join(folder, 'pid');
  const server = fileURLToPath(
    new URL('../../../server/demo/pubSubServerProcess.ts', import.meta.url),
  );
  const options = JSON.stringify({ port, dashboardUrl: `http://127.0.0.1:${dashboardPort}` });
  const command = `kill -9 $(cat '${pidFile}' 2>/dev/null) 2>/dev/null; echo $$ > '${pidFile}'
    exec "${process.execPath}" --import tsx "${server}" '${options}'`;
  const first = spawn('/bin/sh', ['-c', command], { env: { ...process.env, NODE_OPTIONS: '' } });
  owns(first, (it) => it.kill('SIGKILL'));
  await once(first.stdout, 'data');
  const listen = `127.0.0.1:${dashboardPort}`;
  const url = `http://127.0.0.1:${port}`;
  const { code, out } = await check(
    'check',
    url,
    '--listen',
    listen,
    '--restart',
    command,
    '--within',
    '30',
  );
  expect({ code, out }).toEqual({ code: 0, out });
  expect(out).toMatch(/^pass +SHOULD +startup-query +\?port=\d+&/m);
  expect(out).toMatch(/^pass +MUST +startup-answer /m);
  expect(out).toMatch(/^pass +MUST +startup-without-answer /m);
  expect(out).toMatch(/ 0 failed,/);
});

test.each([
  [[], 0, /^Usage: npx @pubsub-dashboard\/agent check/],
  [['--help'], 0, /^Usage: /],
  [['look', 'http://127.0.0.1:1'], 2, /There is no command 'look'/],
  [['check'], 2, /Give the address of the server/],
  [['check', 'nowhere'], 2, /'nowhere' is not an address like http:/],
  [['check', 'http://127.0.0.1:1', '--ws', 'http://x'], 2, /not an address like ws:/],
  [['check', 'http://127.0.0.1:1', '--listen', '8000'], 2, /--listen is '8000'/],
  [['check', 'http://127.0.0.1:1', '--within', '-1'], 2, /--within/],
  [['check', 'http://127.0.0.1:1', '--restart', 'true'], 2, /--restart needs --listen/],
  [['check', 'http://127.0.0.1:1', '--protocol', 'yjs'], 2, /--protocol is 'yjs'/],
  [['check', 'http://127.0.0.1:1', '--unknown'], 2, /--unknown/],
  [['check', 'http://127.0.0.1:1'], 2, /ECONNREFUSED/],
])('%j exits with %i and says %s', async (args, code, message) => {
  const { code: seen, out, err } = await check(...args);
  expect({ code: seen, text: out + err }).toEqual({ code, text: expect.stringMatching(message) });
});

/** A server with our agent, which has this secret. Its rooms are the paths of its connections. */
async function startWithSecret(secret: string | undefined) {
  const rooms = new Map<string, number>();
  const encodedState = (room: string) => (rooms.has(room) ? Uint8Array.of(0, 0) : undefined);
  const agent = createAgent({
    url: [],
    documents: { connections: () => rooms, encodedState },
    log: { info: () => undefined, warn: () => undefined },
    ...(secret !== undefined && { secret }),
  });
  const server = createServer();
  new WebSocketServer({ server }).on('connection', (socket, { url = '/' }) => {
    const room = url.slice(1);
    rooms.set(room, (rooms.get(room) ?? 0) + 1);
    agent.opened(room);
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      rooms.set(room, (rooms.get(room) ?? 0) - 1);
      agent.closed(room);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await agent.start({ server });
  owns(server, async (it) => {
    await agent.close();
    it.close();
    it.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return `127.0.0.1:${port}`;
}

async function failuresWith(id: string, secret: string): Promise<string[]> {
  const { open, ...opener } = yWebsocket(new URL(`ws://${id}`), 10_000);
  const results = await runChecks({
    url: new URL(`http://${id}`),
    // The server has no documents to write to.
    opener: { ...opener, open: async (room) => ({ close: (await open(room)).close }) },
    secret,
    watchMs: 100,
  });
  return results.filter(({ result }) => result === 'fail').map((result) => result.id);
}

test('a server with the secret passes, and refuses what is not signed for it', async () => {
  expect(await failuresWith(await startWithSecret('a secret of both'), 'a secret of both')).toEqual(
    [],
  );
});

test('a server that does not know its secret fails', async () => {
  expect(await failuresWith(await startWithSecret(undefined), 'a secret of both')).toEqual([
    'signatures',
  ]);
});
