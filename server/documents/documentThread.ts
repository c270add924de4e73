import { Worker } from 'node:worker_threads';
import { DocumentError } from './documentErrors.js';
import type { DocumentLimits, FromThread, ToThread } from './documentProtocol.js';

/** One run of the thread; whoever starts it ends it. */
export type DocumentThreadOptions = {
  readonly limits: DocumentLimits;
  readonly maxHeapMb: number;
  /** The most that one request may take. */
  readonly deadlineMs: number;
  /** The answer to the request that was posted last. */
  readonly onAnswer: (answer: Exclude<FromThread, { type: 'ready' }>) => void;
  /** It ended by itself or at the deadline; called once, never after `end`. */
  readonly onLost: (error: DocumentError) => void;
};

// Loading the code, from sources too, on a busy machine.
const startDeadlineMs = 30_000;

const isSource = import.meta.url.endsWith('.ts');

// A thread does not inherit the loader of sources, and `--import` does not reach it: it has to load it itself.
const entry = (): URL => {
  const module = new URL(`documentWorker.${isSource ? 'ts' : 'js'}`, import.meta.url);
  if (!isSource) return module;
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const code = `import { register } from ${loader}; register(); await import(${JSON.stringify(module.href)});`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
};

/** Runs `documentWorker`, one request at a time, each with a deadline. */
export class DocumentThread {
  readonly #worker: Worker;
  readonly #deadlineMs: number;
  readonly #onLost: (error: DocumentError) => void;
  #timer: NodeJS.Timeout | undefined;
  #isReady = false;
  #isAsked = false;
  #hasEnded = false;

  constructor({ limits, maxHeapMb, deadlineMs, onAnswer, onLost }: DocumentThreadOptions) {
    this.#deadlineMs = deadlineMs;
    this.#onLost = onLost;
    this.#worker = new Worker(entry(), {
      workerData: limits,
      // Nothing of what started this process, and none of its secrets, for what reads strangers' bytes.
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
      name: 'documents',
    });
    this.#watch(startDeadlineMs);
    this.#worker.on('message', (message: FromThread) => {
      if (this.#hasEnded) return;
      clearTimeout(this.#timer);
      if (message.type === 'ready') {
        this.#isReady = true;
        if (this.#isAsked) this.#watch(deadlineMs);
        return;
      }
      this.#isAsked = false;
      onAnswer(message);
    });
    this.#worker.on('error', (cause) => this.#lose('lost', `the thread failed: ${cause}`));
    this.#worker.on('messageerror', (cause) => this.#lose('lost', `the thread failed: ${cause}`));
    this.#worker.on('exit', (code) => this.#lose('lost', `the thread exited with ${code}`));
  }

  /** Whether it ever ran: if not, nothing that it was asked for ended it. */
  get hasStarted(): boolean {
    return this.#isReady;
  }

  /** Posts a request; the next one only after its answer. */
  ask(request: ToThread, transfer: ArrayBuffer[]): void {
    this.#isAsked = true;
    if (this.#isReady) this.#watch(this.#deadlineMs);
    this.#worker.postMessage(request, transfer);
  }

  /** Posts what has no answer. */
  tell(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  /** Ends it, whatever it is doing. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    await this.#worker.terminate();
  }

  #watch(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lose('deadline', `no answer within ${ms} ms`), ms);
  }

  #lose(code: 'lost' | 'deadline', message: string): void {
    if (this.#hasEnded) return;
    void this.end();
    this.#onLost(new DocumentError(code, message));
  }
}
