import { fstatSync, write as writeFd } from 'node:fs';
import process from 'node:process';
import { withDeadline } from './timing/withDeadline.js';

/** Writes some of the bytes, and says how many; calls back once, or never if whoever reads is stuck. */
export type Write = (bytes: Buffer, done: (error: Error | null, written: number) => void) => void;

/** Characters that wait to be written; lines beyond are lost, and counted. */
const maxWaiting = 1024 * 1024;
const roomToTell = 4096;
/** Characters of one write. */
const maxWritten = 64 * 1024;
/** How long a write that failed is not tried again: a full file system stays full for a while. */
const retryMs = 1000;
const busyRetryMs = 50;

/**
 * Writes lines to standard output or standard error, whatever becomes of those. The disk behind them may
 * be full, whoever reads them may be stuck or gone: this never blocks, never throws, and keeps at most
 * 1 MiB. What finds no room is lost, and told of by `onLost` when there is room again.
 */
export class LogOutput {
  readonly #write: Write;
  /** Told how many lines were lost since the last call, when lines can be written again. */
  onLost: (lines: number) => void = () => {};
  #lines: string[] = [];
  #waiting = 0;
  /** What a write left over. */
  #rest: Buffer | undefined;
  #lost = 0;
  #isWriting = false;
  #retry: NodeJS.Timeout | undefined;
  #onIdle: (() => void) | undefined;

  constructor(write: Write) {
    this.#write = write;
  }

  /** Takes a line, with its line end. */
  write(line: string): void {
    if (this.#waiting + line.length > maxWaiting) {
      this.#lost += 1;
      return;
    }
    this.#lines.push(line);
    this.#waiting += line.length;
    if (!this.#retry) this.#next();
  }

  /** Resolves when all is written, when that is not possible, or after so many ms. */
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

  /** A write that failed is waited for no longer than one that is done. */
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
      this.#tellLost();
    }
    if (this.#isIdle) this.#onIdle?.();
  }

  /** As many lines as go into one write. */
  #take(): Buffer | undefined {
    let length = 0;
    let count = 0;
    for (const line of this.#lines) {
      if (count > 0 && length + line.length > maxWritten) break;
      length += line.length;
      count += 1;
    }
    if (count === 0) return undefined;
    this.#waiting -= length;
    return Buffer.from(this.#lines.splice(0, count).join(''));
  }

  /** Once there is room: the line that tells of it must not be lost itself. */
  #tellLost(): void {
    if (this.#lost === 0 || this.#waiting > maxWaiting - roomToTell) return;
    const lost = this.#lost;
    this.#lost = 0;
    this.onLost(lost);
  }
}

/**
 * How standard output (1) or standard error (2) is written to without blocking: by an event loop's means
 * where there are some (pipes, sockets), else in the thread pool (files, terminals).
 */
export function writerTo(fd: 1 | 2): Write {
  const stats = fstatSync(fd);
  if (!stats.isFIFO() && !stats.isSocket())
    return (bytes, done) => writeFd(fd, bytes, 0, bytes.length, null, done);
  const stream = fd === 1 ? process.stdout : process.stderr;
  const write = stream.write.bind(stream);
  // The callback is told the same; without a listener it would be the end of the process.
  stream.on('error', () => {});
  return (bytes, done) =>
    void write(bytes, (error) => done(error ?? null, error ? 0 : bytes.length));
}

/** Has everything that is printed on a stream (by libraries, threads, Node.js itself) take the same way. */
export function redirect(stream: NodeJS.WriteStream, output: LogOutput): void {
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    output.write(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
    const callback = rest.find((it) => typeof it === 'function') as (() => void) | undefined;
    if (callback) process.nextTick(callback);
    return true;
  };
}
