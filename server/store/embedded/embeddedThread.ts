import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { threadBeside } from '../../moduleBeside.js';
import { withDeadline } from '../../timing/withDeadline.js';
import { StoreError } from '../store.js';
import type { EmbeddedWorkerData, EmbeddedWorkerMessage } from './embeddedWorker.js';

/** The thread in which dynalite runs. The caller closes it. */
export interface EmbeddedThread {
  port: number;
  /** Resolves when it has ended, for any reason, such as lack of memory. */
  exited: Promise<void>;
  /** Waits until everything is written. */
  close(): Promise<void>;
}

const startWithinMs = 60_000;
const closeWithinMs = 3000;
const restartMs = 1000;

/** Callbacks of a thread that is kept running. */
export interface KeptThread {
  onFault: (cause: Error) => void;
  /** It runs again on the same port, without the data in memory. If this rejects, it is restarted again. */
  onRestart: () => Promise<void>;
}

/** Starts the thread, and restarts it after a pause when it ends by itself. */
export async function keepEmbeddedThread(
  data: EmbeddedWorkerData,
  { onFault, onRestart }: KeptThread,
): Promise<Pick<EmbeddedThread, 'port' | 'close'>> {
  let thread = await startEmbeddedThread(data, onFault);
  const { port } = thread;
  const closing = new AbortController();
  const restart = async () => {
    thread = await startEmbeddedThread({ ...data, port }, onFault);
    // `close` was called during the restart, and closed the previous thread.
    if (closing.signal.aborted) await thread.close();
    else await onRestart();
  };
  const keep = async () => {
    for (;;) {
      await thread.exited;
      if (closing.signal.aborted) return;
      onFault(new StoreError('the embedded store ended: restarting it'));
      await pause(restartMs, undefined, { ref: false, signal: closing.signal }).catch(() => {});
      if (closing.signal.aborted) return;
      await restart().catch((cause: Error) => {
        onFault(cause);
        return thread.close();
      });
    }
  };
  const kept = keep();
  return {
    port,
    close: async () => {
      closing.abort();
      await thread.close();
      await kept;
    },
  };
}

/** Starts the thread. Resolves when it listens on 127.0.0.1; later errors go to `onFault`. */
export async function startEmbeddedThread(
  data: EmbeddedWorkerData,
  onFault: (cause: Error) => void,
): Promise<EmbeddedThread> {
  const worker = new Worker(threadBeside(import.meta.url, 'embeddedWorker'), {
    workerData: data,
    env: {},
    execArgv: [],
  });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.on('message', (message: EmbeddedWorkerMessage) => {
    if (message.type === 'failed') onFault(new StoreError(`embedded store: ${message.cause}`));
  });
  // Without a listener, an error of the thread would end the process.
  worker.on('error', onFault);

  const close = async () => {
    worker.postMessage('close');
    await withDeadline(exited, closeWithinMs, () => undefined);
    await worker.terminate();
  };
  const listening = new Promise<number>((resolve, reject) => {
    worker.on('message', (message: EmbeddedWorkerMessage) => {
      if (message.type === 'listening') resolve(message.port);
      if (message.type === 'failed') reject(new StoreError(`embedded store: ${message.cause}`));
    });
    worker.once('error', reject);
    void exited.then(() => reject(new StoreError('the embedded store ended while it started')));
  });
  try {
    const port = await withDeadline(listening, startWithinMs, () => {
      throw new StoreError('the embedded store did not start in time');
    });
    return { port, exited, close };
  } catch (cause) {
    await worker.terminate();
    throw cause;
  }
}
