import type { Context } from 'koa';
import type { Networks } from '../../addresses.js';
import type { Answerer } from '../../sse/retry.js';
import { Viewer } from '../../sse/viewer.js';
import { apiError } from '../errors.js';
import { viewerAddress } from '../remoteAddress.js';
import { sendRetry } from '../sendRetry.js';
import { OpenBySubscriber } from './openBySubscriber.js';

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
  /**
   * Whether another instance can answer when this one ends its streams or is full. Default: `absent`, none
   * can.
   */
  successor?: () => Answerer;
}

/** Lets viewers open event streams, up to the limits. */
export class Admission {
  readonly #needs: AdmissionNeeds;
  readonly #open = new OpenBySubscriber();

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
    const { successor } = this.#needs;
    if (refusal) {
      refuse(ctx, refusal, successor?.());
    } else if (ctx.method === 'HEAD') {
      ctx.status = 200;
      ctx.type = 'text/event-stream';
    } else {
      const viewer = new Viewer(ctx, successor);
      viewer.onGone(this.#open.add(address));
      return viewer;
    }
    return undefined;
  }

  #refusalFor(address: string, isFull: boolean): 'draining' | 'too_many_viewers' | undefined {
    const { maxViewers, maxViewersPerAddress, viewers, isDraining } = this.#needs;
    if (isDraining()) return 'draining';
    const isOver =
      isFull || viewers() >= maxViewers || this.#open.of(address) >= maxViewersPerAddress;
    return isOver ? 'too_many_viewers' : undefined;
  }
}

function refuse(
  ctx: Context,
  refusal: 'draining' | 'too_many_viewers',
  answerer: Answerer = 'absent',
): void {
  if (!ctx.accepts('text/event-stream')) throw apiError(refusal);
  sendRetry(ctx, answerer);
}
