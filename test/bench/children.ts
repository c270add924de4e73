import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process of a benchmark, and the conversation with it. */
export interface BenchChild<First> {
  /** What it said when it was ready. */
  ready: First;
  /** Sends a message and resolves with the next answer of the same type; rejects when the process ends. */
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

/** Starts a compiled file of this folder in a process of its own; `file` has no extension. */
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
  const ready = await next<First>(child, 'listening');
  return {
    ready,
    ask: (type, more = {}) => {
      const answer = next<never>(child, type);
      child.send({ type, ...more });
      return answer;
    },
    stop: async () => {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

function next<Answer>(child: ChildProcess, type: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const over = () => {
      child.off('message', onMessage);
      child.off('exit', onExit);
    };
    const onMessage = (message: { type: string }) => {
      if (message.type !== type) return;
      over();
      resolve(message as Answer);
    };
    const onExit = (code: number | null) => {
      over();
      reject(new Error(`a process ended with ${code}`));
    };
    child.on('message', onMessage);
    child.once('exit', onExit);
  });
}
