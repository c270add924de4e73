/** An agent never keeps its process alive. Its deadlines are ten minutes here, but for those of one test. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { withDeadline } from '../../../server/timing/withDeadline.js';
import { eventually } from '../../support/eventually.js';
import { activate, type FakeDashboard, owns, send, startFakeDashboard } from '../demo/support.js';
import type { AgentCommand } from './agentProcess.js';
import { answerOf } from './support.js';

const never = 600_000;
const timings = {
  deadlineMs: never,
  answerMs: never,
  stalledMs: never,
  renewalMs: never,
  renewalJitterMs: 0,
  firstRetryMs: never,
  maxRetryMs: never,
  watchedMs: never,
};

interface Run {
  readonly port: number;
  readonly output: () => string;
  command(command: AgentCommand): void;
  /** Leaves the process with its agent alone. Resolves with the exit code. */
  leave(): Promise<number | null>;
  readonly ended: Promise<number | null>;
}

async function startProcess(
  options: object,
  { rooms = 0, short = {} }: { rooms?: number; short?: Partial<typeof timings> } = {},
): Promise<Run> {
  const argument = JSON.stringify({ options, timings: { ...timings, ...short }, rooms });
  const child = fork(fileURLToPath(new URL('agentProcess.ts', import.meta.url)), [argument], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  owns(child, kill);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (text) => {
      output += text;
    });
  }
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const [{ port }] = (await Promise.race([
    once(child, 'message'),
    ended.then(() => Promise.reject(new Error(output))),
  ])) as [{ port: number }];
  return {
    port,
    output: () => output,
    command: (command) => child.send(command),
    leave: () => {
      child.disconnect();
      return ended;
    },
    ended,
  };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** A port whose system takes no further connection: to connect to it hangs. */
async function startFullPort(): Promise<number> {
  const code = `
    const { parentPort } = require('node:worker_threads');
    const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
    });`;
  const worker = owns(new Worker(code, { eval: true }), (it) => it.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  let isFull = false;
  // Connections that the system accepts, until one hangs.
  while (!isFull) {
    const socket = owns(net.connect(port, '127.0.0.1'), (it) => it.destroy());
    socket.on('error', () => undefined);
    isFull = await Promise.race([
      once(socket, 'connect').then(() => false),
      new Promise<boolean>((resolve) => setTimeout(resolve, 1_000, true)),
    ]);
  }
  return port;
}

let dashboard: FakeDashboard;

beforeEach(async () => {
  dashboard = await startFakeDashboard();
});

test('a process ends with an active agent, posts without answer and a connection to it', async () => {
  const { port, command, leave } = await startProcess({ url: dashboard.url });
  await eventually(() => expect(dashboard.received).toHaveLength(1));
  dashboard.answer = undefined;
  await activate(port, { active: true, eventsUrl: `${dashboard.url}/api/events` });
  const list = JSON.stringify({ rooms: ['a'], eventsUrl: `${dashboard.url}/rooms` });
  await send(port, 'PUT', '/api/dashboard/rooms', list);
  const connection = owns(net.connect(port, '127.0.0.1'), (it) => it.destroy());
  await once(connection, 'connect');
  connection.on('error', () => undefined).write('PUT /api/dashboard HTTP/1.1\r\nHost: x\r\n');
  command({ open: ['a'] });
  await eventually(() => expect(dashboard.received).toHaveLength(2));
  expect(await leave()).toBe(0);
});

test('a process ends while the start-up query has no answer', async () => {
  dashboard.answer = undefined;
  const { leave } = await startProcess({ url: dashboard.url });
  await eventually(() => expect(dashboard.received).toHaveLength(1));
  expect(await leave()).toBe(0);
});

test('a process ends while the agent waits to retry', async () => {
  const { output, leave } = await startProcess({ url: 'http://127.0.0.1:1' });
  await eventually(() => expect(output()).toContain('no answer'));
  expect(await leave()).toBe(0);
});

test('a process ends after close, which posts what is gathered', async () => {
  dashboard.answer = answerOf(true, `${dashboard.url}/api/events`);
  const { command, ended, output } = await startProcess({ url: dashboard.url });
  await eventually(() => expect(dashboard.received).toHaveLength(1));
  command({ open: ['a', 'b'] });
  command({ close: true });
  expect(await ended).toBe(0);
  expect(output()).toContain('closed');
  expect(dashboard.deltas()).toEqual([
    { room: 'a', add: 1 },
    { room: 'b', add: 1 },
  ]);
});

test('a process ends after close although the dashboard does not answer', async () => {
  const { port, command, ended, output } = await startProcess({ url: dashboard.url });
  dashboard.answer = undefined;
  await activate(port, { active: true, eventsUrl: `${dashboard.url}/api/events` });
  command({ open: ['a'] });
  command({ close: true });
  expect(await ended).toBe(0);
  expect(output()).toContain('closed');
});

// The system itself holds a process that connects or writes: for two minutes and for ever.
describe('a process ends at the deadline', () => {
  /** Leaves the process, and rejects after half the time that the system would hold it. */
  const leaveSoon = ({ leave }: Run) =>
    withDeadline(leave(), 60_000, () => {
      throw new Error('the process goes on');
    });

  test('of a start-up query that cannot connect', async () => {
    const url = `http://127.0.0.1:${await startFullPort()}`;
    const run = await startProcess({ url }, { short: { deadlineMs: 500 } });
    expect(await leaveSoon(run)).toBe(0);
  });

  test('of a snapshot that the dashboard does not read', async () => {
    const run = await startProcess({ url: [] }, { rooms: 2_000, short: { stalledMs: 500 } });
    const body = JSON.stringify({ active: true, eventsUrl: 'http://127.0.0.1:1/' });
    const socket = owns(net.connect(run.port, '127.0.0.1'), (it) => it.destroy());
    socket.on('error', () => undefined);
    socket.write(
      `PUT /api/dashboard HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await once(socket, 'readable');
    expect(await leaveSoon(run)).toBe(0);
  });
});
