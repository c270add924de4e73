import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../../server/demo/serviceChild.js';
import { eventually } from '../../../support/eventually.js';
import { owns } from '../../../support/stage.js';

/** How a proxy is run. */
export interface ProxyProgram {
  program: string;
  /** What its configuration file is called. */
  file: string;
  configuration: (at: { port: number; folder: string }) => string | Promise<string>;
  arguments: (at: { folder: string; file: string; port: number }) => string[];
}

/** A proxy that runs for one test. */
export interface RunningProxy {
  port: number;
  /** `http://127.0.0.1:port`. */
  url: string;
}

// The shell that starts the program ends it when its own standard input ends: with `stop`, or with this
// process, however that ends. When the program ends by itself so does the shell.
const script = `
exec 3<&0
"$@" </dev/null 3<&- & pid=$!
( read -r _ <&3; kill "$pid" ) >/dev/null 2>&1 &
exec 3<&-
wait "$pid"
`;

const readyWithinMs = 30_000;

/** Starts a proxy on a free port of loopback, with a folder of its own. Ends it with the test. */
export async function startProxy(program: ProxyProgram): Promise<RunningProxy> {
  const folder = await mkdtemp(join(tmpdir(), `${program.program}-`));
  const port = await freePort();
  const file = join(folder, program.file);
  await writeFile(file, await program.configuration({ port, folder }));
  const shell = spawn(
    '/bin/sh',
    ['-c', script, 'sh', program.program, ...program.arguments({ folder, file, port })],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      // Debian keeps daemons where only root's PATH leads; Caddy writes to its HOME.
      env: { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, HOME: folder },
    },
  );
  const said = wordsOf(shell);
  const exited = once(shell, 'exit');
  owns(shell, async () => {
    shell.stdin.end();
    await exited;
    await rm(folder, { recursive: true });
  });
  await eventually(
    async () => {
      await tryToConnect(port).catch(() => {
        throw new Error(`${program.program} does not listen: ${said()}`);
      });
    },
    { withinMs: readyWithinMs },
  );
  return { port, url: `http://127.0.0.1:${port}` };
}

/** The last that it wrote. */
function wordsOf({ stdout, stderr }: ChildProcess): () => string {
  let words = '';
  for (const stream of [stdout, stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-2000);
    });
  return () => words.trim();
}

async function tryToConnect(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
