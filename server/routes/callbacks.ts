import type Router from '@koa/router';
import { type BodyLimits, readBody } from '../body.js';
import { type PostedDelta, parseDeltas } from '../deltas.js';
import { apiError } from '../errors.js';
import type { EventTokens, TokenClaims } from '../eventTokens.js';
import { remoteAddress } from '../remoteAddress.js';

/** What the callbacks of pub-sub servers need of the rest of the service. */
export interface CallbackNeeds extends BodyLimits {
  tokens: EventTokens;
  /** Takes the deltas that came under a token. */
  takeDeltas: (claims: TokenClaims, deltas: PostedDelta[]) => void;
  /** Something under a valid token could not be read: a delta is lost. */
  noteLost: (claims: TokenClaims) => void;
  /** Somebody posted without a token of this run. */
  noteStranger: (address: string) => void;
}

/** `POST /api/events`: one delta or an array of them, on the URL that the activation gave. */
export function callbackRoutes(router: Router, needs: CallbackNeeds): void {
  router.post('/api/events', async (ctx) => {
    const { token } = ctx.query;
    const claims = typeof token === 'string' ? needs.tokens.read(token) : undefined;
    if (!claims) {
      needs.noteStranger(remoteAddress(ctx));
      throw apiError('token_unknown');
    }
    try {
      needs.takeDeltas(claims, parseDeltas(await readBody(ctx.req, needs)));
    } catch (error) {
      needs.noteLost(claims);
      throw error;
    }
    ctx.status = 204;
  });
}
