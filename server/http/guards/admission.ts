import type { Context } from 'koa';
import type { Networks } from '../../addresses.js';
import type { Answerer } from '../../sse/retry.js';
import { Viewer } from '../../sse/viewer.js';
import { apiError } from '../errors.js';
import { viewerAddress } from '../remoteAddress.js';
import { sendRetry } from '../sendRetry.js';
import { OpenBySubscriber } from './openBySubscriber.js';
import { ViewerCounts, type ViewerStream } from './viewerCounts.js';

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
  /** Is told of what was opened and refused. */
  counts?: ViewerCounts;
}

type Refusal = keyof ViewerCounts['refused'];

/** Lets viewers open event streams, up to the limits. */
export class Admission {
  readonly #needs: AdmissionNeeds;
  readonly #open = new OpenBySubscriber();
  readonly #counts: ViewerCounts;

  constructor(needs: AdmissionNeeds) {
    this.#needs = needs;
    this.#counts = needs.counts ?? new ViewerCounts();
  }

  /**
   * Opens an event stream. Undefined: the request was refused or is a HEAD request, and has its answer.
   * `isFull`: this kind of stream has reached a limit of its own.
   */
  admit(ctx: Context, stream: ViewerStream, isFull = false): Viewer | undefined {
    const address = viewerAddress(ctx, this.#needs.trustedProxies);
    const refusal = this.#refusalFor(address, isFull);
    const { successor } = this.#needs;
    if (refusal) {
      this.#counts.refused[refusal] += 1;
      refuse(ctx, refusal, successor?.());
    } else if (ctx.method === 'HEAD') {
      ctx.status = 200;
      ctx.type = 'text/event-stream';
    } else {
      const viewer = new Viewer(ctx, successor, this.#counts.streams[stream]);
      viewer.onGone(this.#open.add(address));
      return viewer;
    }
    return undefined;
  }

  #refusalFor(address: string, isFull: boolean): Refusal | undefined {
    const { maxViewers, maxViewersPerAddress, viewers, isDraining } = this.#needs;
    if (isDraining()) return 'draining';
    if (isFull) return 'stream_limit';
    if (viewers() >= maxViewers) return 'max_viewers';
    return this.#open.of(address) >= maxViewersPerAddress ? 'max_viewers_per_address' : undefined;
  }
}

function refuse(ctx: Context, refusal: Refusal, answerer: Answerer = 'absent'): void {
  if (!ctx.accepts('text/event-stream'))
    throw apiError(refusal === 'draining' ? refusal : 'too_many_viewers');
  sendRetry(ctx, answerer);
}
