/** The service in its own process, as operators run it. */

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterEach } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** How the process is started. */
export interface RunOptions extends Pick<SpawnOptions, 'uid' | 'gid'> {
  /** Standard output and standard error. Default: they are read. */
  output?: 'read' | 'kept' | number;
  /** URLs of modules that are loaded first. */
  imports?: string[];
}

/** Runs the service with only these variables. It is killed when the test is over. */
export function runProcess(
  env: Record<string, string>,
  { output: kind = 'read', imports = [], ...options }: RunOptions = {},
) {
  const stdio = typeof kind === 'number' ? kind : 'pipe';
  const preloads = ['tsx', ...imports].flatMap((url) => ['--import', url]);
  const child = spawn(process.execPath, [...preloads, 'server/main.ts'], {
    cwd: root,
    env: { PATH: process.env.PATH, PORT: '0', ...env },
    stdio: ['ignore', stdio, stdio, 'ipc'],
    ...options,
  });
  children.push(child);
  const output = { out: '', err: '' };
  /** Reads standard output and standard error from now on. */
  const read = () => {
    child.stdout?.on('data', (chunk) => {
      output.out += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      output.err += chunk;
    });
  };
  if (kind === 'read') read();
  const exited = once(child, 'exit').then(() => child.exitCode);
  const ended = kind === 'read' ? once(child, 'close').then(() => child.exitCode) : exited;
  const listening = new Promise<string>((resolve, reject) => {
    child.on('message', (message) => resolve((message as { url: string }).url));
    ended.then(() => reject(new Error(`ended instead: ${output.out}${output.err}`)), reject);
  });
  listening.catch(() => {});
  return { child, ended, listening, output, read };
}
