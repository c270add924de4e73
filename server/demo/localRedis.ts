import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { within } from './childProcess.js';
import { freePort } from './serviceChild.js';

/** A redis-server on 127.0.0.1 that stores nothing on disk. The caller must stop it. */
export interface LocalRedis {
  /** `redis://127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  /** The process id of the redis-server. */
  readonly pid: number;
  /** Kills it. Resolves when it has exited and its port is free. */
  stop(): Promise<void>;
}

/** The settings of a local Redis. */
export interface LocalRedisOptions {
  /** Default: a free port. */
  readonly port?: number;
  readonly password?: string;
  /** More command-line options. */
  readonly options?: readonly string[];
  /** Lines of a Sentinel configuration. They make it a Sentinel. */
  readonly sentinel?: readonly string[];
}

const readyWithinMs = 60_000;
const maxAttempts = 5;

/**
 * The shell waits on its standard input. When this process dies, the input closes and the shell kills
 * the server. Its standard output is closed first, so that it ends with the server, and standard error
 * is silenced: with no reader, the shell's message about the kill would end it before `rm`.
 */
const script = `
dir=$1; shift
redis-server "$@" & pid=$!
echo "pid $pid"
exec >&-
read -r _
exec 2>/dev/null
kill -9 "$pid"
wait "$pid"
rm -rf -- "$dir"
`;

/** Starts the `redis-server` of the PATH. Resolves when it accepts connections. */
export async function startLocalRedis(options: LocalRedisOptions = {}): Promise<LocalRedis> {
  const { port } = options;
  if (port !== undefined) return startAt(port, options);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startAt(await freePort(), options);
    } catch (cause) {
      if (attempt === maxAttempts || !isPortTaken(cause)) throw cause;
    }
  }
}

/** Somebody else may have taken a free port by the time it is listened on. */
const isPortTaken = (cause: unknown) => /Address already in use/.test(String(cause));

async function startAt(port: number, options: LocalRedisOptions): Promise<LocalRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'redis-'));
  const shell = spawn('/bin/sh', ['-c', script, 'sh', dir, ...(await argsOf(options, port, dir))], {
    // Its own process group: Ctrl-C reaches only the parent, which decides when to stop it.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '' },
  });
  const exited = new Promise<void>((resolve) => {
    shell.once('close', () => resolve());
    shell.once('error', () => resolve());
  });
  shell.stdin.on('error', () => undefined);
  const readyWords = options.sentinel ? '+monitor master' : 'Ready to accept connections';
  try {
    const late = `redis-server was not ready within ${readyWithinMs} ms`;
    const pid = await within(readyWithinMs, late, untilReady(shell, readyWords, stop));
    return { url: `redis://127.0.0.1:${port}`, port, pid, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }

  async function stop(): Promise<void> {
    shell.stdin.end();
    await exited;
    await rm(dir, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function argsOf(
  { password, options = [], sentinel }: LocalRedisOptions,
  port: number,
  dir: string,
): Promise<string[]> {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir];
  if (sentinel) {
    const path = join(dir, 'sentinel.conf');
    await writeFile(path, sentinel.join('\n'));
    args.unshift(path, '--sentinel');
  } else {
    args.push('--save', '', '--appendonly', 'no', ...options);
  }
  if (password) args.push('--requirepass', password);
  return args;
}

/** Resolves with the process id of the server. Rejects with the end of the output if it fails. */
function untilReady(
  shell: ChildProcessWithoutNullStreams,
  readyWords: string,
  stop: () => Promise<void>,
): Promise<number> {
  let output = '';
  shell.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-10_000);
      const pid = /^pid (\d+)$/m.exec(output)?.[1];
      if (pid && output.includes(readyWords)) resolve(Number(pid));
    });
    const fail = async () => {
      await stop();
      // The shell's own line may come before or after the error.
      const lines = output.split('\n').filter((line) => line.trim() && !/^pid \d+$/.test(line));
      reject(new Error(`redis-server did not start: ${lines.slice(-2).join(' ')}`));
    };
    shell.once('error', fail);
    shell.stdout.once('end', fail);
  });
}
