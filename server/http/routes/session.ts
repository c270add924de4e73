import type Router from '@koa/router';
import type { Context } from 'koa';
import { parseJson } from '../../parseJson.js';
import type { SessionState } from '../../wire/sessionState.js';
import type { Authentication } from '../auth/authentication.js';
import { apiError } from '../errors.js';
import { readBody } from '../guards/body.js';

const maxBodyBytes = 4096;

/** What signing in needs. */
export interface SessionNeeds {
  authentication: Authentication;
  bodyTimeoutMs: number;
  /** Whether viewers see documents, logs of updates, and people. */
  showsContent: boolean;
}

/** `/api/session`: who the client is and what it sees (GET), sign in with the token (POST), sign out (DELETE). */
export function sessionRoutes(router: Router, needs: SessionNeeds): void {
  const { authentication, bodyTimeoutMs } = needs;
  router
    .get('/api/session', async (ctx) => {
      ctx.set('Cache-Control', 'no-store');
      ctx.body = await stateOf(ctx, needs);
    })
    .post('/api/session', async (ctx) => {
      ctx.set('Cache-Control', 'no-store');
      authentication.refuseForeignPages(ctx);
      await authentication.signIn(ctx, await readToken(ctx, bodyTimeoutMs));
      ctx.status = 204;
    })
    .delete('/api/session', (ctx) => {
      ctx.set('Cache-Control', 'no-store');
      authentication.refuseForeignPages(ctx);
      authentication.signOut(ctx);
      ctx.status = 204;
    });
}

async function stateOf(
  ctx: Context,
  { authentication, showsContent }: SessionNeeds,
): Promise<SessionState> {
  const { isRequired: required, takesToken: byToken } = authentication;
  const signedIn = await authentication.isSignedIn(ctx);
  const user = authentication.userOf(ctx) ?? null;
  const signOutUrl = (user !== null && authentication.signOutUrl) || null;
  return { required, signedIn, byToken, user, signOutUrl, showsContent };
}

/** Requires JSON: a form on a page of another origin cannot send it (Fetch standard, safelisted types). */
async function readToken(ctx: Context, bodyTimeoutMs: number): Promise<string> {
  const [type = ''] = ctx.get('Content-Type').split(';');
  if (type.trim().toLowerCase() !== 'application/json') throw apiError('unsupported_type');
  const body = parseJson(await readBody(ctx.req, { maxBodyBytes, bodyTimeoutMs }));
  if (body === undefined) throw apiError('invalid_json');
  const token = typeof body === 'object' && body !== null && 'token' in body && body.token;
  if (typeof token !== 'string') throw apiError('invalid_parameter', '"token" must be a string');
  return token;
}
