import { type ChildProcess, fork } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { within } from '../../../server/demo/childProcess.js';
import { forkOptions, moduleBeside } from '../../../server/moduleBeside.js';

/** The settings of an instance. */
export interface InstanceOptions {
  /** Where it listens. */
  host: string;
  port: number;
  env: Record<string, string>;
  /** The file that its log goes to. */
  logFile: string;
  /** The network namespace that it runs in. Default: that of this process. */
  namespace?: string | undefined;
}

const listenWithinMs = 60_000;
const stopWithinMs = 30_000;
const cuttable = new URL('cuttable.js', import.meta.url).href;
const demo = new URL('../../../server/demo/childProcess.ts', import.meta.url).href;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** One instance in a process of its own, which can be started again and again. The caller kills it. */
export class Instance {
  readonly url: string;
  /** What was done to it, with times. */
  readonly happened: string[] = [];
  readonly #options: InstanceOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();

  constructor(options: InstanceOptions) {
    this.#options = options;
    this.url = `http://${options.host}:${options.port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const { host, port, env, logFile, namespace } = this.#options;
    const node = [process.execPath, '--import', cuttable, ...forkOptions()];
    const inside = namespace === undefined ? node : ['ip', 'netns', 'exec', namespace, ...node];
    const [execPath = '', ...execArgv] = inside;
    const child = fork(fileURLToPath(moduleBeside(demo, 'serviceProcess')), [], {
      execPath,
      execArgv,
      env: { ...process.env, NODE_OPTIONS: '', HOST: host, PORT: `${port}`, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    running.add(child);
    const log = createWriteStream(logFile, { flags: 'a' });
    for (const stream of [child.stdout, child.stderr]) stream?.pipe(log, { end: false });
    this.#exited = new Promise((resolve) =>
      child.once('exit', (code, signal) => {
        running.delete(child);
        log.write(`exited: ${code ?? signal}\n`);
        if (this.#child === child) this.#child = undefined;
        resolve(code ?? signal);
      }),
    );
    await within(listenWithinMs, `${this.url} did not listen: ${logFile}`, listening(child));
    this.#note(`process ${child.pid} listens`);
  }

  /** SIGKILL. Resolves when it has exited. */
  async kill(): Promise<void> {
    this.#note('killed');
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  /** SIGTERM. Resolves with its exit code. */
  async terminate(): Promise<unknown> {
    this.#note('told to end');
    this.#child?.kill('SIGTERM');
    return within(stopWithinMs, `${this.url} did not stop`, this.#exited);
  }

  /** Cannot connect to these ports any longer. None: it can connect to all again. */
  cutOff(ports: readonly number[]): void {
    this.#child?.send({ type: 'cut', ports });
  }

  /** SIGSTOP. */
  suspend(): void {
    this.#note('suspended');
    this.#child?.kill('SIGSTOP');
  }

  /** SIGCONT. */
  resume(): void {
    this.#note('resumed');
    this.#child?.kill('SIGCONT');
  }

  #note(what: string): void {
    this.happened.push(`${what} at ${Math.round(performance.now())}`);
  }
}

function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`an instance did not start: ${code}`)));
  });
}
