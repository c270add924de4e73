import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { forkOptions, moduleBeside } from '../moduleBeside.js';
import { withDeadline } from '../timing/withDeadline.js';

/** Running children. They are killed when this process exits, even if they are suspended. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** How a child process ended: by a code or by a signal. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A child process that runs a module. */
export interface Forked {
  readonly child: ChildProcess;
  /** Resolves when the process has ended. Never rejects. */
  readonly exited: Promise<Exit>;
  /** The end of its output, for error messages. */
  lastWords(): string;
}

const maxLastWords = 2_000;

/** Forks a module of this folder, as TypeScript or as compiled JavaScript. */
export function forkModule(
  name: string,
  { args = [], env = {} }: { args?: string[]; env?: Record<string, string> } = {},
): Forked {
  const child = fork(fileURLToPath(moduleBeside(import.meta.url, name)), args, {
    // Not the options of this process: it may run under a test runner or a debugger.
    execArgv: forkOptions(),
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const exited = exitOf(child);
  running.add(child);
  void exited.then(() => running.delete(child));
  return { child, exited, lastWords: lastWordsOf(child) };
}

/** Always reads the output: a full pipe would block the child. */
function lastWordsOf(child: ChildProcess): () => string {
  let words = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-maxLastWords);
    });
  }
  return () => words.trim();
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.on('error', () => child.pid === undefined && resolve({ code: null, signal: null }));
  });
}

/** Rejects with `message` if the promise does not settle in time. */
export function within<T>(ms: number, message: string, promise: Promise<T>): Promise<T> {
  return withDeadline(promise, ms, () => {
    throw new Error(message);
  });
}
