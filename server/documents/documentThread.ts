import { Worker } from 'node:worker_threads';
import { threadBeside } from '../moduleBeside.js';
import { DocumentError } from './documentErrors.js';
import type { DocumentLimits, FromThread, ToThread } from './documentProtocol.js';

/** One run of the thread; whoever starts it ends it. */
export interface DocumentThreadOptions {
  readonly limits: DocumentLimits;
  readonly maxHeapMb: number;
  /** The answer to the request that was posted last. */
  readonly onAnswer: (answer: Exclude<FromThread, { type: 'ready' }>) => void;
  /** It ended by itself or at the deadline; called once, never after `end`. */
  readonly onLost: (error: DocumentError) => void;
}

// Loading the code, from sources too, on a busy machine.
const startDeadlineMs = 30_000;

const deadlineParts = 5;

/** Runs `documentWorker`, one request at a time, each with a deadline. */
export class DocumentThread {
  readonly #worker: Worker;
  readonly #onLost: (error: DocumentError) => void;
  #timer: NodeJS.Timeout | undefined;
  #isReady = false;
  // Of what is asked; undefined: nothing is.
  #deadlineMs: number | undefined;
  #hasEnded = false;

  constructor({ limits, maxHeapMb, onAnswer, onLost }: DocumentThreadOptions) {
    this.#onLost = onLost;
    this.#worker = new Worker(threadBeside(import.meta.url, 'documentWorker'), {
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

  /** Whether it ever ran: if not, nothing that it was asked for ended it. */
  get hasStarted(): boolean {
    return this.#isReady;
  }

  /** Posts a request, which may take so long; the next one only after its answer. */
  ask(request: ToThread, transfer: ArrayBuffer[], deadlineMs: number): void {
    this.#deadlineMs = deadlineMs;
    if (this.#isReady) this.#watch(deadlineMs);
    this.#worker.postMessage(request, transfer);
  }

  /** Posts what has no answer. */
  tell(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  /** Ends it, whatever it is doing. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    clearInterval(this.#timer);
    await this.#worker.terminate();
  }

  #watch(ms: number): void {
    clearInterval(this.#timer);
    // In parts: while the process stands still, no time has passed for the thread either.
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
