import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { within } from './childProcess.js';
import { freePort } from './serviceChild.js';

/** A redis-server of our own on 127.0.0.1, in memory only; whoever started it stops it. */
export type LocalRedis = {
  /** `redis://127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  /** Of the redis-server itself. */
  readonly pid: number;
  /** Ends it at once. Resolves when it is gone and its port is free. */
  stop(): Promise<void>;
};

const readyWithinMs = 10_000;

// The shell holds the server by its own standard input: when this process is gone, however it went,
// that ends, and so does the server. Its standard output is the server's alone: it ends with it. What
// the shell says of the killed server would have no reader, and be its own end before its last line.
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

/** What a redis-server is to be. */
export type LocalRedisOptions = {
  /** Free unless told. */
  readonly port?: number;
  readonly password?: string;
  /** Further options of its command line. */
  readonly options?: readonly string[];
  /** Lines of a configuration that it may rewrite: it is a Sentinel. */
  readonly sentinel?: readonly string[];
};

/** Starts the `redis-server` of the PATH. Resolves when it answers. */
export const startLocalRedis = async ({
  port: givenPort,
  password,
  options: more = [],
  sentinel,
}: LocalRedisOptions = {}): Promise<LocalRedis> => {
  const port = givenPort ?? (await freePort());
  const dir = await mkdtemp(join(tmpdir(), 'redis-'));
  const options = ['--port', port, '--bind', '127.0.0.1', '--dir', dir].map(String);
  if (sentinel) {
    const path = join(dir, 'sentinel.conf');
    await writeFile(path, sentinel.join('\n'));
    options.unshift(path, '--sentinel');
  } else {
    options.push('--save', '', '--appendonly', 'no', ...more);
  }
  if (password) options.push('--requirepass', password);
  const readyWords = sentinel ? '+monitor master' : 'Ready to accept connections';
  const shell = spawn('/bin/sh', ['-c', script, 'sh', dir, ...options], {
    // In a group of its own: Ctrl-C is for the parent, which decides when to stop it.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '' },
  });
  const exited = new Promise<void>((resolve) => {
    shell.once('close', () => resolve());
    shell.once('error', () => resolve());
  });
  const stop = async () => {
    shell.stdin.end();
    await exited;
    await rm(dir, { recursive: true, force: true }).catch(() => undefined);
  };
  shell.stdin.on('error', () => undefined);

  let said = '';
  shell.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ready = new Promise<number>((resolve, reject) => {
    shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-10_000);
      const pid = /^pid (\d+)$/m.exec(said)?.[1];
      if (pid && said.includes(readyWords)) resolve(Number(pid));
    });
    const fail = async () => {
      await stop();
      // The shell's own line comes before or after what went wrong.
      const lines = said.split('\n').filter((line) => line.trim() && !/^pid \d+$/.test(line));
      const why = lines.slice(-2).join(' ');
      reject(new Error(`redis-server did not start: ${why}`));
    };
    shell.once('error', fail);
    shell.stdout.once('end', fail);
  });
  try {
    const late = `redis-server was not ready within ${readyWithinMs} ms`;
    const pid = await within(readyWithinMs, late, ready);
    return { url: `redis://127.0.0.1:${port}`, port, pid, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
};
