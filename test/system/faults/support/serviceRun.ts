/** The service in its own process, as operators run it, under conditions that a test chooses. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { within } from '../../../../server/demo/childProcess.js';
import { owns, quick } from '../../../support/stage.js';

/** Conditions of one run. */
export interface RunOptions {
  /** Variables. They override the short intervals of tests. */
  env?: Record<string, string>;
  /** Modules that are loaded before the service: of this folder, or by URL. */
  imports?: readonly string[];
  /** More arguments of `node`. */
  nodeArgs?: readonly string[];
  /** `ulimit -n`: descriptors that the process may have. */
  maxFiles?: number;
}

/** A running service. It ends with its test. */
export interface ServiceRun {
  readonly url: string;
  readonly pid: number;
  /** What it has logged so far. */
  log(): string;
  isRunning(): boolean;
  /** Sends a question to the preloaded modules. Resolves with the answer. */
  ask<T>(question: Record<string, unknown>): Promise<T>;
}

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const listenWithinMs = 30_000;
const answerWithinMs = 60_000;

/** Starts the service with these servers. Resolves when it listens. */
export async function runService(
  servers: readonly { id: string }[],
  options: RunOptions = {},
): Promise<ServiceRun> {
  const child = start(servers, options);
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  owns(child, () => end(child, isRunning));
  const listening = answerOf<{ url: string }>(child, ({ type }) => type === 'listening');
  const late = `the service did not listen within ${listenWithinMs} ms`;
  const { url } = await within(listenWithinMs, late, listening).catch((cause: Error) => {
    throw new Error(`${cause.message}: ${log}`);
  });
  return {
    url,
    pid: child.pid ?? -1,
    log: () => log,
    isRunning,
    ask: async <T>(question: Record<string, unknown>) => {
      const answer = answerOf<{ value: T }>(child, ({ type }) => type === 'answer');
      child.send(question);
      return (await within(answerWithinMs, 'the process did not answer', answer)).value;
    },
  };
}

function start(servers: readonly { id: string }[], options: RunOptions): ChildProcess {
  const { env = {}, imports = [], nodeArgs = [], maxFiles } = options;
  const preloaded = imports.flatMap((name) => ['--import', new URL(name, import.meta.url).href]);
  const node = [process.execPath, ...nodeArgs, '--import', 'tsx', ...preloaded, 'server/main.ts'];
  const [command = '', ...args] =
    maxFiles === undefined ? node : ['sh', '-c', `ulimit -n ${maxFiles}; exec "$@"`, 'sh', ...node];
  return spawn(command, args, {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      PUBSUB_SERVERS: servers.map(({ id }) => id).join(','),
      ...quick,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

type Message = { type?: string };

function answerOf<T>(child: ChildProcess, isIt: (message: Message) => boolean): Promise<T> {
  return new Promise((resolve, reject) => {
    const take = (message: Message) => {
      if (!isIt(message)) return;
      child.off('message', take);
      child.off('exit', fail);
      resolve(message as T);
    };
    const fail = () => reject(new Error('the service has ended'));
    child.on('message', take).once('exit', fail);
  });
}

async function end(child: ChildProcess, isRunning: () => boolean): Promise<void> {
  if (!isRunning()) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
