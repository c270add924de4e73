import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { within } from './within.js';

/** A process of a benchmark, and the conversation with it. */
export interface BenchChild<First> {
  /** What it said when it was ready. */
  ready: First;
  /** Sends a message and resolves with the next answer of the same type; rejects when none comes in time. */
  ask: <Answer>(type: string, options?: object) => Promise<Answer>;
  stop: () => Promise<void>;
}

export interface ChildOptions {
  /** Its one argument, as JSON. */
  options?: object | string;
  env?: Record<string, string>;
  /** Further options of Node. */
  node?: string[];
}

const answerMs = 120_000;
const endMs = 10_000;

const running = new Set<ChildProcess>();
// Most end when their channel closes; one that hangs does not.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a compiled file of this folder in a process of its own; `file` has no extension. The run ends with it. */
export async function startChild<First>(
  file: string,
  { options, env = {}, node = [] }: ChildOptions = {},
): Promise<BenchChild<First>> {
  const path = fileURLToPath(new URL(`${file}.js`, import.meta.url));
  const argument = typeof options === 'string' ? options : JSON.stringify(options ?? {});
  const child = fork(path, [argument], {
    execArgv: node,
    env: { ...process.env, ...env },
  });
  const name = `${file} (process ${child.pid})`;
  let isStopping = false;
  running.add(child);
  child.once('exit', (code, signal) => {
    running.delete(child);
    if (!isStopping || code !== 0) failRun(`${name} ended with ${signal ?? code}`);
  });
  const ready = await within(`${name} is ready`, next<First>(child, 'listening'), answerMs);
  return {
    ready,
    ask: (type, more = {}) => {
      const answer = next<never>(child, type);
      // To one that has just ended nothing can be sent: its end fails the run.
      child.send({ type, ...more }, () => {});
      return within(`${name} answers "${type}"`, answer, answerMs);
    },
    stop: async () => {
      isStopping = true;
      const exited = once(child, 'exit');
      child.disconnect();
      await within(`${name} ends`, exited, endMs);
    },
  };
}

/** Stops several, one after the other. */
export async function stopAll(...children: BenchChild<object>[]): Promise<void> {
  for (const child of children) await child.stop();
}

function failRun(why: string): never {
  process.stderr.write(`FAILED ${why}\n`);
  process.exit(1);
}

function next<Answer>(child: ChildProcess, type: string): Promise<Answer> {
  return new Promise((resolve) => {
    const onMessage = (message: { type: string }) => {
      if (message.type !== type) return;
      child.off('message', onMessage);
      resolve(message as Answer);
    };
    child.on('message', onMessage);
  });
}
