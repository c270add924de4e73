/** The service in its own process, as operators run it. */

import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { compiledPath } from './compiledModules.js';
import { owns } from './stage.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** How the process is started. */
export interface RunOptions extends Pick<SpawnOptions, 'uid' | 'gid'> {
  /** Standard output and standard error. Default: they are read. */
  output?: 'read' | 'kept' | number;
  /** URLs of modules that are loaded first. */
  imports?: readonly string[];
  /** More arguments of `node`. */
  nodeArgs?: readonly string[];
  /** `ulimit -n`: descriptors that the process may have. */
  maxFiles?: number;
}

/** Runs the service with only these variables. It is killed when the test is over. */
export function runProcess(
  env: Record<string, string>,
  { output: kind = 'read', imports = [], nodeArgs = [], maxFiles, ...options }: RunOptions = {},
) {
  const stdio = typeof kind === 'number' ? kind : 'pipe';
  const loader = imports.some((url) => url.endsWith('.ts')) ? ['tsx'] : [];
  const preloads = [...loader, ...imports].flatMap((url) => ['--import', url]);
  const node = [process.execPath, ...nodeArgs, ...preloads, compiledPath('server/main.ts')];
  const [command = '', ...args] =
    maxFiles === undefined ? node : ['sh', '-c', `ulimit -n ${maxFiles}; exec "$@"`, 'sh', ...node];
  const child = spawn(command, args, {
    cwd: root,
    env: { PATH: process.env.PATH, PORT: '0', ...env },
    stdio: ['ignore', stdio, stdio, 'ipc'],
    ...options,
  });
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  owns(child, async () => {
    if (!isRunning()) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const output = { out: '', err: '' };
  /** Reads standard output and standard error from now on. */
  const read = () => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output.out += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output.err += text;
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
  return { child, ended, isRunning, listening, output, read };
}
