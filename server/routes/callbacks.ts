import type Router from '@koa/router';
import type { Context } from 'koa';
import { type Posted, parsePosted } from '../callers/deltas.js';
import type { EventTokens, TokenClaims } from '../callers/eventTokens.js';
import { type BodyLimits, readBody } from '../http/body.js';
import { apiError } from '../http/errors.js';
import { remoteAddress } from '../http/remoteAddress.js';

/** What the callbacks of pub-sub servers need of the rest of the service. */
export interface CallbackNeeds extends BodyLimits {
  tokens: EventTokens;
  /** Takes what came under a token. */
  takePosted: (claims: TokenClaims, posted: Posted) => void;
  /** Something under a valid token could not be read: a delta is lost. */
  noteLost: (claims: TokenClaims) => void;
  /** Somebody posted without a token of this run. */
  noteStranger: (address: string) => void;
}

/** `POST /api/events`: one delta or update, or an array, on the URL that the activation gave. */
export function callbackRoutes(router: Router, needs: CallbackNeeds): void {
  router.post('/api/events', async (ctx) => {
    const token = tokenIn(ctx);
    const claims = token === undefined ? undefined : needs.tokens.read(token);
    if (!claims) {
      needs.noteStranger(remoteAddress(ctx));
      throw apiError('token_unknown');
    }
    try {
      needs.takePosted(claims, parsePosted(await readBody(ctx.req, needs)));
    } catch (error) {
      needs.noteLost(claims);
      throw error;
    }
    ctx.status = 204;
  });
}

/** The one parameter of a URL that this service gave out, as it was given out or as a proxy encoded it. */
function tokenIn(ctx: Context): string | undefined {
  const [, verbatim] = /^token=([\w.-]+)$/.exec(ctx.querystring) ?? [];
  const token = verbatim ?? ctx.query.token;
  return typeof token === 'string' ? token : undefined;
}
