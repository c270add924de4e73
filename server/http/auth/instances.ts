import type { Context, Middleware } from 'koa';
import type { InstanceId } from '../../../machines/ports.js';
import {
  type InstanceSignatures,
  type SignedHead,
  signatureHeader,
} from '../../cluster/instanceSignatures.js';
import { apiError } from '../errors.js';
import { type BodyLimits, readBody } from '../guards/body.js';

/** The other instance in the state of a Koa context. */
interface InstanceState {
  instance?: SignedHead;
}

/**
 * Middleware that recognizes requests of other instances. Throws `instance_unknown` for a signature that is
 * not valid.
 */
export function recognizeInstances(signatures: InstanceSignatures): Middleware {
  return (ctx, next) => {
    const header = ctx.req.headers[signatureHeader]?.toString();
    if (header === undefined) return next();
    const head = signatures.verify(header, { method: ctx.method, target: ctx.req.url ?? '' });
    if (!head) throw apiError('instance_unknown');
    (ctx.state as InstanceState).instance = head;
    return next();
  };
}

/** The instance that sent the request; undefined: somebody else did. */
export function senderOf(ctx: Context): InstanceId | undefined {
  return (ctx.state as InstanceState).instance?.sender;
}

/** Middleware of routes that only instances may ask. For all others there is nothing: `not_found`. */
export const requireInstance: Middleware = (ctx, next) => {
  if (senderOf(ctx) === undefined) throw apiError('not_found');
  return next();
};

/** The body of a request of another instance; throws `instance_unknown` if it is not what that one signed. */
export async function readSignedBody(ctx: Context, limits: BodyLimits): Promise<string> {
  const body = await readBody(ctx.req, limits);
  if (!(ctx.state as InstanceState).instance?.isBody(body)) throw apiError('instance_unknown');
  return body;
}
