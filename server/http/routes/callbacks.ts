import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Logger } from 'pino';
import type { EventTokens, TokenClaims } from '../../pubsub/eventTokens.js';
import { type Posted, parsePosted } from '../../pubsub/parsePosted.js';
import { isFromBrowser } from '../auth/origins.js';
import { apiError } from '../errors.js';
import { type BodyLimits, readBody } from '../guards/body.js';
import { requireOneReading } from '../guards/duplicateHeaders.js';
import { cutUnfinished } from '../guards/unreadBodies.js';
import { refusalOf } from '../refusals.js';
import { remoteAddress } from '../remoteAddress.js';

/** What the callbacks of pub-sub servers need of the rest of the service. */
export interface CallbackNeeds extends BodyLimits {
  tokens: EventTokens;
  /** Takes what came under a token. */
  takePosted: (claims: TokenClaims, posted: Posted) => void;
  /** Something under a valid token could not be read: a delta is lost. */
  noteLost: (claims: TokenClaims) => void;
  /** Somebody posted without a token of this run. */
  noteStranger: (address: string) => void;
  log: Logger;
}

const verbatimUrl = '/api/events?token=';

/**
 * `POST /api/events`: one delta or update, or an array, on the URL that the activation gave, in
 * whatever way a proxy spelt it anew.
 */
export function callbackRoutes(router: Router, needs: CallbackNeeds): void {
  router.post('/api/events', async (ctx) => {
    const claims = needs.tokens.read(tokenIn(ctx));
    if (!claims) {
      if (!isFromBrowser(ctx.req.headers)) needs.noteStranger(remoteAddress(ctx));
      requireOneReading(ctx.req);
      throw apiError('token_unknown');
    }
    await takePost(ctx.req, claims, needs);
    ctx.status = 204;
  });
}

/**
 * The same for a URL just as it was given out, as nearly every one is, and without Koa, whose contexts
 * and routing would take longer than all else about a delta (docs/internals/benchmarks.md). Every other
 * request is left to the others.
 */
export function callbackListener(needs: CallbackNeeds, others: RequestListener): RequestListener {
  return (req, res) => {
    const { method, url = '' } = req;
    const isVerbatim = method === 'POST' && url.startsWith(verbatimUrl);
    const claims = isVerbatim ? needs.tokens.read(url.slice(verbatimUrl.length)) : undefined;
    if (claims) void answerPost(req, res, claims, needs);
    else others(req, res);
  };
}

async function answerPost(
  req: IncomingMessage,
  res: ServerResponse,
  claims: TokenClaims,
  needs: CallbackNeeds,
): Promise<void> {
  try {
    await takePost(req, claims, needs);
    res.writeHead(204).end();
  } catch (error) {
    const refusal = refusalOf(error, req, needs.log);
    if (!refusal) return;
    cutUnfinished(req, res, needs.bodyTimeoutMs);
    const headers = { ...refusal.headers, 'Content-Type': 'application/json; charset=utf-8' };
    res.writeHead(refusal.status, headers).end(JSON.stringify(refusal.body));
  }
}

async function takePost(req: IncomingMessage, claims: TokenClaims, needs: CallbackNeeds) {
  // No server posts like this: nothing of one is lost.
  if (isFromBrowser(req.headers)) throw apiError('foreign_page', 'No page may post connections');
  try {
    requireOneReading(req);
    needs.takePosted(claims, parsePosted(await readBody(req, needs)));
  } catch (error) {
    needs.noteLost(claims);
    throw error;
  }
}

function tokenIn({ query: { token } }: Context): string {
  return typeof token === 'string' ? token : '';
}
