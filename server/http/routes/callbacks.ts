import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Logger } from 'pino';
import type { ServerId } from '../../../machines/ports.js';
import type { DeltaClaims, EventTokens, TokenClaims } from '../../pubsub/eventTokens.js';
import { type ContentEntry, parseContent } from '../../pubsub/parseContent.js';
import { type Posted, parsePosted } from '../../pubsub/parsePosted.js';
import { type PassedPost, PostNotTaken } from '../../pubsub/passedPosts.js';
import { isFromBrowser } from '../auth/origins.js';
import { apiError } from '../errors.js';
import { type BodyLimits, readBody } from '../guards/body.js';
import { refuseRequestSmuggling } from '../guards/requestSmuggling.js';
import { closeIfUnfinished } from '../guards/unreadBodies.js';
import { refusalOf } from '../refusals.js';
import { remoteAddress } from '../remoteAddress.js';

/** What the posts of pub-sub servers are passed to. */
export interface CallbackNeeds {
  tokens: EventTokens;
  /** Takes a post with a valid token. */
  takePosted: (claims: DeltaClaims, posted: Posted) => void;
  /** Takes a post about watched rooms. */
  takeContent: (server: ServerId, entries: ContentEntry[]) => void;
  /** A post with a valid token was refused, so something is lost. */
  noteUncountedPost: (claims: TokenClaims) => void;
  /**
   * Passes a post on to the instance that leads. Undefined: this instance takes it. Rejects with `InvalidPost` or
   * `PostNotTaken`.
   */
  passOn?: (claims: TokenClaims, post: PassedPost) => Promise<void> | undefined;
  /** A post had no token of this run. */
  notePostWithoutToken: (address: string) => void;
  counts: PostCounts;
}

/** Posts since the start, by what became of them. */
export interface PostCounts {
  /** Taken by this instance. */
  taken: number;
  /** Passed on to the instance that leads. */
  passed: number;
  /** Without a token of this run. */
  unknown_token: number;
  /** Unreadable, too large, too slow, or not taken by the instance that leads. */
  refused: number;
}

/** What taking a post needs. */
interface PostNeeds {
  callbacks: CallbackNeeds;
  bodyLimits: BodyLimits;
}

/** Who sent a post. */
interface Sender {
  token: string;
  claims: TokenClaims;
}

const path = '/api/events';
const issuedUrl = `${path}?token=`;

/**
 * `POST /api/events`: a delta or update, or an array of them. Pub-sub servers post to the URL that they
 * got with their activation. A proxy may have changed its spelling.
 */
export function callbackRoutes(router: Router, { callbacks, bodyLimits }: PostNeeds): void {
  router.post(path, async (ctx) => {
    const token = tokenIn(ctx);
    const claims = callbacks.tokens.read(token);
    if (!claims) {
      callbacks.counts.unknown_token += 1;
      if (!isFromBrowser(ctx.req.headers)) callbacks.notePostWithoutToken(remoteAddress(ctx));
      refuseRequestSmuggling(ctx.req);
      throw apiError('token_unknown');
    }
    await takePost(ctx.req, { token, claims }, { callbacks, bodyLimits });
    ctx.status = 204;
  });
}

/**
 * Takes posts to a URL that is spelled as issued, which nearly all are. It works without Koa, because
 * Koa would take most of the time of a delta (docs/internals/benchmarks.md). `koaListener` answers all
 * other requests.
 */
export function callbackListener(
  needs: PostNeeds & { log: Logger },
  koaListener: RequestListener,
): RequestListener {
  return (req, res) => {
    const { method, url = '' } = req;
    const isIssued = method === 'POST' && url.startsWith(issuedUrl);
    const token = isIssued ? url.slice(issuedUrl.length) : '';
    const claims = isIssued ? needs.callbacks.tokens.read(token) : undefined;
    if (claims) void answerPost(req, res, { token, claims }, needs);
    else koaListener(req, res);
  };
}

async function answerPost(
  req: IncomingMessage,
  res: ServerResponse,
  sender: Sender,
  needs: PostNeeds & { log: Logger },
): Promise<void> {
  try {
    await takePost(req, sender, needs);
    res.writeHead(204).end();
  } catch (error) {
    const refusal = refusalOf(error, req, needs.log);
    if (!refusal) return;
    closeIfUnfinished(req, res, needs.bodyLimits.bodyTimeoutMs);
    const headers = { ...refusal.headers, 'Content-Type': 'application/json; charset=utf-8' };
    res.writeHead(refusal.status, headers).end(JSON.stringify(refusal.body));
  }
}

async function takePost(
  req: IncomingMessage,
  { token, claims }: Sender,
  { callbacks, bodyLimits }: PostNeeds,
): Promise<void> {
  // Not counted as lost: a pub-sub server is not a browser.
  if (isFromBrowser(req.headers)) throw apiError('foreign_page', 'pages may not post deltas');
  let isPassed = false;
  try {
    refuseRequestSmuggling(req);
    const body = await readBody(req, bodyLimits);
    const passing = callbacks.passOn?.(claims, { token, body });
    isPassed = passing !== undefined;
    if (passing) await passing;
    else if (claims.kind === 'content') callbacks.takeContent(claims.server, parseContent(body));
    else callbacks.takePosted(claims, parsePosted(body));
    callbacks.counts[isPassed ? 'passed' : 'taken'] += 1;
  } catch (error) {
    callbacks.counts.refused += 1;
    // What was passed on, or could not be, is noted already.
    if (!isPassed) callbacks.noteUncountedPost(claims);
    throw error instanceof PostNotTaken ? apiError('token_unknown') : error;
  }
}

function tokenIn({ query: { token } }: Context): string {
  return typeof token === 'string' ? token : '';
}
