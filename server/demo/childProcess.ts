import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { forkOptions, moduleBeside } from '../moduleBeside.js';
import { withDeadline } from '../timing/withDeadline.js';

// Children that this process has to end when it ends itself, suspended ones included.
const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** How a child process ended: by a code or by a signal. */
export type Exit = { code: number | null; signal: NodeJS.Signals | null };

/** A forked module, how it ended, and what it said last. */
export type Forked = {
  readonly child: ChildProcess;
  /** Resolves when the process has ended. Never rejects. */
  readonly exited: Promise<Exit>;
  /** The end of what it wrote, to show when it fails. */
  lastWords(): string;
};

const maxLastWords = 2_000;

// Reads what the child writes even when nobody asks: a full pipe would stop it.
const lastWordsOf = (child: ChildProcess): (() => string) => {
  let words = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-maxLastWords);
    });
  }
  return () => words.trim();
};

const exitOf = (child: ChildProcess): Promise<Exit> =>
  new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.on('error', () => child.pid === undefined && resolve({ code: null, signal: null }));
  });

/** Forks a module beside this file, from sources and from compiled code alike. */
export const forkModule = (
  name: string,
  { args = [], env = {} }: { args?: string[]; env?: Record<string, string> } = {},
): Forked => {
  const child = fork(fileURLToPath(moduleBeside(import.meta.url, name)), args, {
    // What started this process (a test runner, a debugger) is no business of the child's.
    execArgv: forkOptions(),
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const exited = exitOf(child);
  living.add(child);
  void exited.then(() => living.delete(child));
  return { child, exited, lastWords: lastWordsOf(child) };
};

/** Rejects with `message` when the promise is not settled within the deadline. */
export const within = async <T>(ms: number, message: string, promise: Promise<T>): Promise<T> => {
  return withDeadline(promise, ms, () => {
    throw new Error(message);
  });
};
