import { fstatSync, write as writeFd } from 'node:fs';
import process from 'node:process';
import { withDeadline } from './timing/withDeadline.js';

/** Writes some of the bytes. Calls `done` once with their number, or never if the reader hangs. */
export type Write = (bytes: Buffer, done: (error: Error | null, written: number) => void) => void;

/** Characters in the queue. Lines beyond are dropped and counted. */
const maxQueued = 1024 * 1024;
/** Free space that the line about dropped lines needs. */
const reservedForReport = 4096;
/** Characters in one write. */
const maxWritten = 64 * 1024;
/** Wait after a failed write: a full file system stays full for a while. */
const retryMs = 1000;
const busyRetryMs = 50;

/**
 * Writes lines to standard output or standard error without ever blocking or throwing, even if the disk is
 * full or the reader hangs or is gone. Queues at most 1 MiB, and drops lines beyond. `onLost` gets their
 * number when there is space again.
 */
export class LogOutput {
  readonly #write: Write;
  /** Gets the number of lines dropped since the last call. */
  onLost: (lines: number) => void = () => {};
  #lines: string[] = [];
  #queued = 0;
  /** The part that the last write did not write. */
  #rest: Buffer | undefined;
  #lost = 0;
  #isWriting = false;
  #retry: NodeJS.Timeout | undefined;
  #onIdle: (() => void) | undefined;

  constructor(write: Write) {
    this.#write = write;
  }

  /** Queues a line, with its line end. */
  write(line: string): void {
    if (this.#queued + line.length > maxQueued) {
      this.#lost += 1;
      return;
    }
    this.#lines.push(line);
    this.#queued += line.length;
    if (!this.#retry) this.#next();
  }

  /** Resolves when everything is written, when writing fails, or after `withinMs`. */
  async flush(withinMs: number): Promise<void> {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#next();
    if (this.#isIdle) return;
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    await withDeadline(idle, withinMs, () => undefined);
  }

  /** True while a failed write waits for its retry, too: nobody should wait for that. */
  get #isIdle(): boolean {
    return !this.#isWriting && (this.#retry !== undefined || (!this.#rest && !this.#lines.length));
  }

  #next(): void {
    if (this.#isWriting || this.#retry) return;
    const bytes = this.#rest ?? this.#take();
    if (!bytes) return;
    this.#isWriting = true;
    try {
      this.#write(bytes, (error, written) => this.#done(bytes, error, written));
    } catch (error) {
      this.#done(bytes, error as Error, 0);
    }
  }

  #done(bytes: Buffer, error: NodeJS.ErrnoException | null, written: number): void {
    this.#isWriting = false;
    this.#rest = written < bytes.length ? bytes.subarray(written) : undefined;
    if (error) {
      const waitMs = error.code === 'EAGAIN' ? busyRetryMs : retryMs;
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        this.#next();
      }, waitMs).unref();
    } else {
      this.#next();
      this.#reportLost();
    }
    if (this.#isIdle) this.#onIdle?.();
  }

  /** Takes as many lines from the queue as fit into one write. */
  #take(): Buffer | undefined {
    let length = 0;
    let count = 0;
    for (const line of this.#lines) {
      if (count > 0 && length + line.length > maxWritten) break;
      length += line.length;
      count += 1;
    }
    if (count === 0) return undefined;
    this.#queued -= length;
    return Buffer.from(this.#lines.splice(0, count).join(''));
  }

  /** Reports dropped lines once there is space, because the report must not be dropped itself. */
  #reportLost(): void {
    if (this.#lost === 0 || this.#queued > maxQueued - reservedForReport) return;
    const lost = this.#lost;
    this.#lost = 0;
    this.onLost(lost);
  }
}

/**
 * Writes to standard output (1) or standard error (2) without blocking: pipes and sockets in the event
 * loop, files and terminals in the thread pool.
 */
export function writerTo(fd: 1 | 2): Write {
  const stats = fstatSync(fd);
  if (!stats.isFIFO() && !stats.isSocket())
    return (bytes, done) => writeFd(fd, bytes, 0, bytes.length, null, done);
  const stream = fd === 1 ? process.stdout : process.stderr;
  const write = stream.write.bind(stream);
  // The callback gets the error too. Without a listener, the error would end the process.
  stream.on('error', () => {});
  return (bytes, done) =>
    void write(bytes, (error) => done(error ?? null, error ? 0 : bytes.length));
}

/** Sends everything that libraries, threads and Node.js print on a stream to `output`. */
export function redirect(stream: NodeJS.WriteStream, output: LogOutput): void {
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    output.write(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
    const callback = rest.find((it) => typeof it === 'function') as (() => void) | undefined;
    if (callback) process.nextTick(callback);
    return true;
  };
}
