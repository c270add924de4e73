import type { Context } from 'koa';
import { isLoopback, type Networks, subscriberOf } from '../../addresses.js';
import { retryFrame } from '../../sse/frames.js';
import { retryMs } from '../../sse/retry.js';
import { Viewer } from '../../sse/viewer.js';
import { apiError } from '../errors.js';
import { viewerAddress } from '../remoteAddress.js';

/** Whether another event stream may be opened. */
export interface Admission {
  maxViewers: number;
  /** Event streams that are open, of every kind. */
  viewers: () => number;
  isDraining: () => boolean;
  addresses: ViewerAddresses;
  /** Proxies whose word is taken for the address of a viewer. */
  trustedProxies: Networks | undefined;
}

/** How many viewers there are by address: one stranger is not to take every place. */
export class ViewerAddresses {
  readonly #max: number;
  readonly #viewers = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  isFull(address: string): boolean {
    return (this.#viewers.get(subscriberOf(address)) ?? 0) >= this.#max;
  }

  /** Counts a viewer until it is gone. Programs of this machine, and proxies on it, are not counted. */
  enter(address: string, viewer: Viewer): void {
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

/** Why a viewer is not let in. */
type Refusal = 'draining' | 'too_many_viewers';

/**
 * The viewer of a new event stream; undefined: there is none, and the request is answered. `isFull`:
 * this kind of stream takes no more, whatever the others do.
 */
export function admitViewer(ctx: Context, needs: Admission, isFull = false): Viewer | undefined {
  const address = viewerAddress(ctx, needs.trustedProxies);
  const isOver = isFull || needs.addresses.isFull(address);
  const refusal = refusalOf(needs) ?? (isOver ? 'too_many_viewers' : undefined);
  if (refusal) {
    refuse(ctx, refusal);
  } else if (ctx.method === 'HEAD') {
    ctx.status = 200;
    ctx.type = 'text/event-stream';
  } else {
    const viewer = new Viewer(ctx);
    needs.addresses.enter(address, viewer);
    return viewer;
  }
  return undefined;
}

/** Undefined: one more viewer is welcome. */
function refusalOf({ maxViewers, viewers, isDraining }: Admission): Refusal | undefined {
  if (isDraining()) return 'draining';
  return viewers() >= maxViewers ? 'too_many_viewers' : undefined;
}

/** An EventSource that meets an error status never comes back: it is told when to try again instead. */
function refuse(ctx: Context, refusal: Refusal): void {
  if (!ctx.accepts('text/event-stream')) throw apiError(refusal);
  ctx.set('Cache-Control', 'no-store');
  ctx.type = 'text/event-stream';
  ctx.body = retryFrame(retryMs('absent'));
}
