import type { Context } from 'koa';
import SSETransform from 'koa-sse-stream/lib/sse.js';
import { type Frame, heartbeatFrame, lengthOf, retryFrame } from './frames.js';
import { type Answerer, retryMs } from './retry.js';
import { StreamCounts } from './streamCounts.js';

/** Limit of the bytes that wait for one viewer. Frames beyond it are dropped. */
const maxPendingBytes = 1024 * 1024;
/** Size of a waiting comment. It must not cause a drop: the opening one still waits at the first frame. */
const commentBytes = 16;

/** The stream in the state of a Koa context, for middleware that must end it. */
export interface StreamState {
  /** Ends the stream at once. Undefined: the answer is not a stream. */
  endStream?: () => void;
}

/**
 * One client of an event stream. The only user of koa-sse-stream: it takes the stream class, and pushes
 * encoded frames past the library's encoder (docs/decisions/koa-sse-stream.md).
 */
export class Viewer {
  readonly #stream: SSETransform;
  readonly #ctx: Context;
  /** Since when bytes have been waiting without interruption, by `performance.now()`. */
  #pendingSince: number | undefined;
  #isEnded = false;
  #isGone = false;
  readonly #onGone: (() => void)[] = [];
  readonly #successor: () => Answerer;
  readonly #counts: StreamCounts;

  /**
   * `successor`: whether another instance can answer when this service ends the stream. `counts`: those of all
   * streams of this kind.
   */
  constructor(
    ctx: Context,
    successor: () => Answerer = () => 'absent',
    counts: StreamCounts = new StreamCounts(),
  ) {
    this.#ctx = ctx;
    this.#successor = successor;
    this.#counts = counts;
    counts.open += 1;
    counts.opened += 1;
    this.#stream = new SSETransform(ctx);
    // The stream ends with its connection, so frames need no chunked encoding.
    ctx.res.useChunkedEncodingByDefault = false;
    ctx.set('Connection', 'close');
    ctx.body = this.#stream;
    (ctx.state as StreamState).endStream = () => this.cut('present');
    // Koa's pipeline adds seven listeners for the time of the stream: not a leak to warn of.
    ctx.res.setMaxListeners(20);
    this.#watchConnection();
  }

  /** Calls back once when the client is gone, for any reason. */
  onGone(callback: () => void): void {
    if (this.#isGone) setImmediate(callback);
    else this.#onGone.push(callback);
  }

  /** One listener calls all callbacks. */
  #watchConnection(): void {
    const { req, res } = this.#ctx;
    const { socket } = req;
    const leave = () => {
      if (this.#isGone) return;
      this.#isGone = true;
      this.#counts.open -= 1;
      res.off('close', leave);
      socket.off('close', leave);
      for (const callback of this.#onGone.splice(0)) callback();
    };
    res.once('close', leave);
    // A pipelined response gets no `close` event when the client leaves.
    socket.once('close', leave);
    if (socket.destroyed) setImmediate(leave);
  }

  /** Calls back whenever waiting bytes have been sent. */
  onDrain(callback: () => void): void {
    this.#ctx.res.on('drain', callback);
  }

  /** Sends a frame; false: dropped, because too much is waiting. One frame may always wait. */
  send(frame: Frame): boolean {
    const waiting = this.pendingBytes;
    if (this.#isOver) return true;
    if (waiting === 0) this.#pendingSince = undefined;
    const bytes = lengthOf(frame);
    if (waiting > commentBytes && waiting + bytes > maxPendingBytes) {
      this.#counts.dropped += 1;
      return false;
    }
    if (Buffer.isBuffer(frame)) this.#write(frame);
    else for (const part of frame) this.#write(part);
    this.#counts.frames += 1;
    this.#counts.bytes += bytes;
    return true;
  }

  /** Writes to the pipe while it holds anything, else to the response, which costs a third less. */
  #write(bytes: Buffer): void {
    const { res } = this.#ctx;
    if (res.headersSent && this.#stream.readableLength === 0) res.write(bytes);
    else this.#stream.push(bytes);
  }

  /** Sends a heartbeat, or disconnects the client if bytes have been waiting for too long. */
  heartbeatOrDisconnect(maxPendingMs: number): void {
    const now = performance.now();
    if (this.pendingBytes === 0) this.#pendingSince = undefined;
    else this.#pendingSince ??= now;
    if (this.#pendingSince !== undefined && now - this.#pendingSince > maxPendingMs) {
      this.#counts.cut += 1;
      this.#ctx.req.socket.destroy();
    } else if (this.pendingBytes === 0) {
      this.#beat();
    }
  }

  #beat(): void {
    if (!this.#isOver) this.#write(heartbeatFrame);
  }

  /** Whether nothing can be sent any more. */
  get #isOver(): boolean {
    return this.#stream.destroyed || this.#ctx.res.destroyed || this.#isEnded;
  }

  /** Ends the stream after the waiting bytes, and tells the client when to reconnect. */
  end(answerer: Answerer = this.#successor()): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#stream.destroyed || this.#ctx.res.destroyed) return;
    this.#write(retryFrame(retryMs(answerer)));
    this.#stream.push(null);
  }

  /** Ends the stream at once. Drops waiting bytes; then the client is not told when to reconnect. */
  cut(answerer: Answerer): void {
    if (this.pendingBytes > 0) this.#ctx.req.socket.destroy();
    else this.end(answerer);
  }

  get pendingBytes(): number {
    return this.#stream.readableLength + this.#ctx.res.writableLength;
  }
}
