import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { HostAnswer, HostControl, HostRequest, HostSettings } from './hostControl.js';

/** A Yjs server with the dashboard attached, in a process of its own. The caller must end it. */
export interface HostChild {
  /** Where clients connect. */
  readonly url: string;
  readonly pid: number;
  /** What it has written so far. */
  output(): string;
  ask<Name extends keyof HostControl>(
    name: Name,
    room?: string,
  ): Promise<Awaited<ReturnType<HostControl[Name]>>>;
  /** Ends it in order. Resolves with the exit code, when nothing keeps the process alive any more. */
  stop(): Promise<number | null>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a host. `program`: a file of this folder. */
export async function startHostChild({
  program,
  ...settings
}: HostSettings & { program: string }): Promise<HostChild> {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const child = fork(file, [JSON.stringify(settings)], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  running.add(child);
  const exited = once(child, 'exit').then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const waiting = new Map<number, { resolve(result: unknown): void; reject(cause: Error): void }>();
  let asked = 0;
  const started = new Promise<{ url: string }>((resolve, reject) => {
    child.on('message', (message: HostAnswer & { started?: { url: string } }) => {
      if (message.started) resolve(message.started);
      const asker = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.error === undefined) asker?.resolve(message.result);
      else asker?.reject(new Error(message.error));
    });
    void exited.then((code) => {
      const ended = new Error(`the host ended with ${code}: ${output}`);
      reject(ended);
      for (const asker of waiting.values()) asker.reject(ended);
      waiting.clear();
    });
  });
  const { url } = await started;
  return { url, pid: child.pid ?? -1, output: () => output, ask, stop, kill };

  function ask<Name extends keyof HostControl>(name: Name, room = '') {
    asked += 1;
    const request: HostRequest = { id: asked, name, room };
    return new Promise<Awaited<ReturnType<HostControl[Name]>>>((resolve, reject) => {
      waiting.set(request.id, { resolve: resolve as (result: unknown) => void, reject });
      child.send(request, (cause) => cause && reject(cause));
    });
  }

  async function stop(): Promise<number | null> {
    await ask('stop');
    return exited;
  }

  async function kill(): Promise<void> {
    child.kill('SIGKILL');
    await exited;
  }
}
