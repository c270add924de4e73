import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { within } from '../../../server/demo/childProcess.js';

/** What the parent sends to a host process. */
export interface HostRequest {
  readonly id: number;
  readonly ask: string;
  readonly parameters: readonly unknown[];
}

/** What a host process sends: `id` 0 once it listens. Entries, not objects: a room may be `__proto__`. */
export interface HostAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** How a host process ended. */
export interface HostExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A real server of another project, with the agent, in a process of its own. The caller ends it. */
export interface HostProcess<Ready> {
  readonly ready: Ready;
  /** Calls one of the functions that the child gave `answerParent`. */
  ask<T>(name: string, ...parameters: unknown[]): Promise<T>;
  /** Everything it wrote. */
  output(): string;
  /** The child cannot be asked any more; it may live on. */
  disconnect(): void;
  signal(signal: NodeJS.Signals): void;
  readonly exited: Promise<HostExit>;
  kill(): Promise<HostExit>;
}

const answerWithinMs = 120_000;
const maxOutput = 1_000_000;

/** Runs `<module>.ts` of this folder, with its options as JSON. Resolves when it listens. */
export async function startHost<Ready>(
  module: string,
  options: object,
): Promise<HostProcess<Ready>> {
  const path = fileURLToPath(new URL(`${module}.ts`, import.meta.url));
  const child = fork(path, [JSON.stringify(options)], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-maxOutput);
    });
  const waiting = new Map<number, (answer: HostAnswer) => void>();
  const exited = new Promise<HostExit>((resolve) => {
    child.once('exit', (code, signal) => {
      const error = `the host has exited (${code ?? signal}): ${output.slice(-2_000)}`;
      for (const [id, answered] of waiting) answered({ id, error });
      resolve({ code, signal });
    });
  });
  child.on('message', (answer: HostAnswer) => waiting.get(answer.id)?.(answer));
  let newest = 0;

  const answerTo = (id: number, name: string): Promise<unknown> => {
    const answer = new Promise((resolve, reject) => {
      waiting.set(id, ({ result, error }) =>
        error === undefined ? resolve(result) : reject(new Error(`${name}: ${error}`)),
      );
    });
    const late = `the host did not answer "${name}". ${output.slice(-2_000)}`;
    return within(answerWithinMs, late, answer).finally(() => waiting.delete(id));
  };
  const kill = () => {
    child.kill('SIGKILL');
    return exited;
  };
  const ready = (await answerTo(0, 'start').catch(async (cause: unknown) => {
    await kill();
    throw cause;
  })) as Ready;
  return {
    ready,
    ask: async <T>(name: string, ...parameters: unknown[]) => {
      newest += 1;
      const answer = answerTo(newest, name);
      const id = newest;
      const request: HostRequest = { id, ask: name, parameters };
      child.send(request, (cause) => cause && waiting.get(id)?.({ id, error: cause.message }));
      return (await answer) as T;
    },
    output: () => output,
    disconnect: () => child.disconnect(),
    signal: (signal) => void child.kill(signal),
    exited,
    kill,
  };
}
