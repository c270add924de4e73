import { Worker } from 'node:worker_threads';
import { threadBeside } from '../moduleBeside.js';
import { DocumentError } from './documentErrors.js';
import type { DocumentLimits, FromThread, ToThread } from './documentProtocol.js';

/** How to run the thread. The owner ends it. */
export interface DocumentThreadOptions {
  readonly limits: DocumentLimits;
  readonly maxHeapMb: number;
  /** Called with the answer to the last request. */
  readonly onAnswer: (answer: Exclude<FromThread, { type: 'ready' }>) => void;
  /** The thread ended by itself or at a deadline. Called once, never after `end`. */
  readonly onLost: (error: DocumentError) => void;
}

/** Time to load the code, from TypeScript sources too, on a busy machine. */
const startDeadlineMs = 30_000;

/** A deadline is counted in so many timer ticks. */
const deadlineParts = 5;

/** A worker thread that runs `documentWorker`: one request at a time, each with a deadline. */
export class DocumentThread {
  readonly #worker: Worker;
  readonly #onLost: (error: DocumentError) => void;
  #timer: NodeJS.Timeout | undefined;
  #isReady = false;
  /** Deadline of the current request; undefined: there is none. */
  #deadlineMs: number | undefined;
  #hasEnded = false;

  constructor({ limits, maxHeapMb, onAnswer, onLost }: DocumentThreadOptions) {
    this.#onLost = onLost;
    this.#worker = new Worker(threadBeside(import.meta.url, 'documentWorker'), {
      workerData: limits,
      // The thread reads untrusted bytes: it gets no options and no secrets of this process.
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
      name: 'documents',
    });
    this.#watch(startDeadlineMs);
    this.#worker.on('message', (message: FromThread) => {
      if (this.#hasEnded) return;
      clearInterval(this.#timer);
      if (message.type === 'ready') {
        this.#isReady = true;
        if (this.#deadlineMs !== undefined) this.#watch(this.#deadlineMs);
        return;
      }
      this.#deadlineMs = undefined;
      onAnswer(message);
    });
    this.#worker.on('error', (cause) => this.#lose('lost', `the thread failed: ${cause}`));
    this.#worker.on('messageerror', (cause) => this.#lose('lost', `the thread failed: ${cause}`));
    this.#worker.on('exit', (code) => this.#lose('lost', `the thread exited with ${code}`));
  }

  /** Whether the thread ever ran. If not, no request ended it. */
  get hasStarted(): boolean {
    return this.#isReady;
  }

  /** Posts a request. The next one must wait for its answer. */
  request(request: ToThread, transfer: ArrayBuffer[], deadlineMs: number): void {
    this.#deadlineMs = deadlineMs;
    if (this.#isReady) this.#watch(deadlineMs);
    this.#worker.postMessage(request, transfer);
  }

  /** Posts a message that has no answer. */
  post(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  /** Terminates the thread, whatever it is doing. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    clearInterval(this.#timer);
    await this.#worker.terminate();
  }

  #watch(ms: number): void {
    clearInterval(this.#timer);
    // In parts: while the whole process is suspended, no time passes for the thread either.
    let left = deadlineParts;
    this.#timer = setInterval(() => {
      left -= 1;
      if (left === 0) this.#lose('deadline', `no answer within ${ms} ms`);
    }, ms / deadlineParts);
  }

  #lose(code: 'lost' | 'deadline', message: string): void {
    if (this.#hasEnded) return;
    void this.end();
    this.#onLost(new DocumentError(code, message));
  }
}
