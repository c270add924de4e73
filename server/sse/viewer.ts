import type { Context } from 'koa';
import SSETransform from 'koa-sse-stream/lib/sse.js';
import { type Frame, heartbeatFrame, retryFrame } from './frames.js';
import { type Answerer, retryMs } from './retry.js';

/** Bytes that may wait for one viewer; what does not fit is not queued. */
const maxPendingBytes = 1024 * 1024;
/** Waiting comments are no reason to drop a frame: the opening one waits when the first frame comes. */
const commentBytes = 16;

function lengthOf(frame: Frame): number {
  if (Buffer.isBuffer(frame)) return frame.length;
  return frame.reduce((sum, part) => sum + part.length, 0);
}

/** What a request's state says of its stream, for whoever guards it. */
export interface StreamState {
  /** Ends the stream at once. Undefined: the answer is no stream. */
  endStream?: () => void;
}

/**
 * One client of an event stream: the only place that knows koa-sse-stream. Of the library it takes the
 * stream class alone and pushes ready frames past its encoder; docs/decisions/koa-sse-stream.md.
 */
export class Viewer {
  readonly #stream: SSETransform;
  readonly #ctx: Context;
  /** Since when bytes have been waiting without a moment in which none did (performance.now). */
  #pendingSince: number | undefined;
  #isEnded = false;
  #isGone = false;
  readonly #departures: (() => void)[] = [];

  constructor(ctx: Context) {
    this.#ctx = ctx;
    this.#stream = new SSETransform(ctx);
    // The stream lasts as long as its connection: that needs no chunks around every frame.
    ctx.res.useChunkedEncodingByDefault = false;
    ctx.set('Connection', 'close');
    ctx.body = this.#stream;
    (ctx.state as StreamState).endStream = () => this.cut('present');
    // Koa's pipeline alone adds seven, for the time of the stream: no leak that Node.js need warn of.
    ctx.res.setMaxListeners(20);
    this.#awaitDeparture();
  }

  /** Calls back once, when the client is gone for whatever reason. */
  onGone(callback: () => void): void {
    if (this.#isGone) setImmediate(callback);
    else this.#departures.push(callback);
  }

  /** One listener for all who want to know. */
  #awaitDeparture(): void {
    const { req, res } = this.#ctx;
    const { socket } = req;
    const leave = () => {
      if (this.#isGone) return;
      this.#isGone = true;
      res.off('close', leave);
      socket.off('close', leave);
      for (const callback of this.#departures.splice(0)) callback();
    };
    res.once('close', leave);
    // Behind another answer on its connection a stream is not told that the client has left.
    socket.once('close', leave);
    if (socket.destroyed) setImmediate(leave);
  }

  /** Calls back whenever waiting bytes have gone out. */
  onDrain(callback: () => void): void {
    this.#ctx.res.on('drain', callback);
  }

  /** Sends a frame, or answers false when too much is waiting already. One frame may always wait. */
  send(frame: Frame): boolean {
    const waiting = this.pendingBytes;
    if (this.#stream.destroyed || this.#ctx.res.destroyed || this.#isEnded) return true;
    if (waiting === 0) this.#pendingSince = undefined;
    if (waiting > commentBytes && waiting + lengthOf(frame) > maxPendingBytes) return false;
    if (Buffer.isBuffer(frame)) this.#write(frame);
    else for (const part of frame) this.#write(part);
    return true;
  }

  /** By the pipe to the response while anything is in it; then straight, which costs a third less. */
  #write(bytes: Buffer): void {
    const { res } = this.#ctx;
    if (res.headersSent && this.#stream.readableLength === 0) res.write(bytes);
    else this.#stream.push(bytes);
  }

  /** Sends a heartbeat; cuts the client off when bytes have been waiting for too long. */
  beat(maxPendingMs: number): void {
    const now = performance.now();
    if (this.pendingBytes === 0) this.#pendingSince = undefined;
    else this.#pendingSince ??= now;
    if (this.#pendingSince !== undefined && now - this.#pendingSince > maxPendingMs) {
      this.#ctx.req.socket.destroy();
    } else if (this.pendingBytes === 0) {
      this.send(heartbeatFrame);
    }
  }

  /** Ends the stream after what is waiting, and says when to come back: every ending of ours does. */
  end(answerer: Answerer = 'absent'): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#stream.destroyed || this.#ctx.res.destroyed) return;
    this.#write(retryFrame(retryMs(answerer)));
    this.#stream.push(null);
  }

  /** Ends the stream at once: what waits is dropped, and with it the word when to come back. */
  cut(answerer: Answerer): void {
    if (this.pendingBytes > 0) this.#ctx.req.socket.destroy();
    else this.end(answerer);
  }

  get pendingBytes(): number {
    return this.#stream.readableLength + this.#ctx.res.writableLength;
  }
}
