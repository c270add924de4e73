import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process of a benchmark, and the conversation with it. */
export interface BenchChild<First> {
  /** What it said when it was ready. */
  ready: First;
  /** Sends a message and resolves with the next answer of the same type. */
  ask: <Answer>(type: string) => Promise<Answer>;
  stop: () => Promise<void>;
}

/** Starts a TypeScript file of this folder in a process of its own. */
export async function startChild<First>(
  file: string,
  { args = [], env = {} }: { args?: string[]; env?: Record<string, string> } = {},
): Promise<BenchChild<First>> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = fork(path, args, {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, ...env },
  });
  const ready = await next<First>(child, 'listening');
  return {
    ready,
    ask: (type) => {
      const answer = next<never>(child, type);
      child.send({ type });
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
    const onMessage = (message: { type: string }) => {
      if (message.type !== type) return;
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve(message as Answer);
    };
    const onExit = (code: number | null) => reject(new Error(`a process ended with ${code}`));
    child.on('message', onMessage);
    child.once('exit', onExit);
  });
}
