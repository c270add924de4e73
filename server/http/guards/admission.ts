import type { Context } from 'koa';
import { isLoopback, type Networks, subscriberOf } from '../../addresses.js';
import { retryFrame } from '../../sse/frames.js';
import { retryMs } from '../../sse/retry.js';
import { Viewer } from '../../sse/viewer.js';
import { apiError } from '../errors.js';
import { viewerAddress } from '../remoteAddress.js';

/** Limits of event streams, and what they depend on. */
export interface AdmissionNeeds {
  maxViewers: number;
  /** From one address, or one /64 of IPv6. Loopback is not counted. */
  maxViewersPerAddress: number;
  /** Open event streams of every kind. */
  viewers: () => number;
  /** Whether the service is shutting down. */
  isDraining: () => boolean;
  /** Proxies whose `X-Forwarded-For` is trusted. */
  trustedProxies: Networks | undefined;
}

/** Lets viewers open event streams, up to the limits. */
export class Admission {
  readonly #needs: AdmissionNeeds;
  /** Open event streams by address. */
  readonly #viewers = new Map<string, number>();

  constructor(needs: AdmissionNeeds) {
    this.#needs = needs;
  }

  /**
   * Opens an event stream. Undefined: the request was refused or is a HEAD request, and has its answer.
   * `isFull`: this kind of stream has reached a limit of its own.
   */
  admit(ctx: Context, isFull = false): Viewer | undefined {
    const address = viewerAddress(ctx, this.#needs.trustedProxies);
    const refusal = this.#refusalFor(address, isFull);
    if (refusal) {
      refuse(ctx, refusal);
    } else if (ctx.method === 'HEAD') {
      ctx.status = 200;
      ctx.type = 'text/event-stream';
    } else {
      const viewer = new Viewer(ctx);
      this.#count(address, viewer);
      return viewer;
    }
    return undefined;
  }

  #refusalFor(address: string, isFull: boolean): 'draining' | 'too_many_viewers' | undefined {
    const { maxViewers, maxViewersPerAddress, viewers, isDraining } = this.#needs;
    if (isDraining()) return 'draining';
    const fromAddress = this.#viewers.get(subscriberOf(address)) ?? 0;
    const isOver = isFull || viewers() >= maxViewers || fromAddress >= maxViewersPerAddress;
    return isOver ? 'too_many_viewers' : undefined;
  }

  /** Counts a viewer until it is gone. */
  #count(address: string, viewer: Viewer): void {
    if (isLoopback(address)) return;
    const subscriber = subscriberOf(address);
    this.#add(subscriber, 1);
    viewer.onGone(() => this.#add(subscriber, -1));
  }

  #add(subscriber: string, change: number): void {
    const viewers = (this.#viewers.get(subscriber) ?? 0) + change;
    if (viewers === 0) this.#viewers.delete(subscriber);
    else this.#viewers.set(subscriber, viewers);
  }
}

/** An EventSource never retries after an error status. So it gets a stream that only says when to retry. */
function refuse(ctx: Context, refusal: 'draining' | 'too_many_viewers'): void {
  if (!ctx.accepts('text/event-stream')) throw apiError(refusal);
  ctx.set('Cache-Control', 'no-store');
  ctx.type = 'text/event-stream';
  ctx.body = retryFrame(retryMs('absent'));
}
