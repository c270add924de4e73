import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, Middleware } from 'koa';
import type { Networks } from '../../addresses.js';
import type { StreamState } from '../../sse/viewer.js';
import { apiError } from '../errors.js';
import { cameByHttps, viewerAddress } from '../remoteAddress.js';
import { Attempts } from './attempts.js';
import type { Hosts } from './hosts.js';
import { hiddenNameOf, isNavigation, isOwnPage } from './origins.js';
import { type Session, Sessions, sessionLifetimeMs } from './sessions.js';

/** What telling viewers from strangers takes. */
export interface AuthenticationNeeds {
  /** The token that viewers must give; undefined: everybody is let in. */
  viewerToken: string | undefined;
  /** Proxies whose word is taken for who asks, and how. */
  trustedProxies: Networks | undefined;
  hosts: Hosts;
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/**
 * Who may look: programs by bearer token (RFC 6750), people by a session that they got for the same
 * token. The token is never taken from a URL.
 */
export class Authentication {
  readonly #needs: AuthenticationNeeds;
  readonly #expected: Buffer | undefined;
  readonly #sessions: Sessions | undefined;
  readonly #attempts = new Attempts();

  constructor(needs: AuthenticationNeeds) {
    const { viewerToken } = needs;
    this.#needs = needs;
    this.#expected = viewerToken === undefined ? undefined : digest(viewerToken);
    this.#sessions = viewerToken === undefined ? undefined : new Sessions(viewerToken);
  }

  get isRequired(): boolean {
    return this.#expected !== undefined;
  }

  /** Lets viewers pass, and ends what is open under a session with it. */
  readonly require: Middleware = async (ctx, next) => {
    if (!this.isRequired) return next();
    const session = this.#sessionOf(ctx);
    if (session) this.#hold(ctx, session);
    else await this.#requireBearer(ctx);
    return next();
  };

  /** Whether `require` would let the request pass. */
  async isSignedIn(ctx: Context): Promise<boolean> {
    if (!this.isRequired || this.#sessionOf(ctx)) return true;
    const bearer = bearerOf(ctx);
    return bearer !== undefined && this.#judge(ctx, bearer).catch(() => false);
  }

  /** Begins a session for whoever gives the token; throws `unauthorized` or `too_many_attempts`. */
  async signIn(ctx: Context, token: string): Promise<void> {
    if (!this.#sessions) return;
    if (!(await this.#judge(ctx, token))) refuse(ctx);
    this.#setCookie(ctx, this.#sessions.begin(), sessionLifetimeMs / 1000);
  }

  /** Ends the session that the request came with, if any. */
  signOut(ctx: Context): void {
    const text = this.#cookieOf(ctx);
    if (text === undefined) return;
    const session = this.#sessions?.read(text);
    if (session) this.#sessions?.end(session);
    this.#setCookie(ctx, '', 0);
  }

  /** Throws `foreign_page` when a page of another origin has a browser ask. */
  refuseForeignPages(ctx: Context): void {
    if (isOwnPage(ctx, this.#needs.hosts)) return;
    throw apiError('foreign_page', hiddenNameOf(ctx));
  }

  #sessionOf(ctx: Context): Session | undefined {
    const text = this.#cookieOf(ctx);
    if (text === undefined) return undefined;
    // SameSite lets pages of other ports and sibling hosts send the cookie: they are none of ours.
    const isOurs = isOwnPage(ctx, this.#needs.hosts) || isNavigation(ctx);
    return isOurs ? this.#sessions?.read(text) : undefined;
  }

  #cookieOf(ctx: Context): string | undefined {
    return this.#sessions && ctx.cookies.get(this.#sessions.cookieName);
  }

  async #requireBearer(ctx: Context): Promise<void> {
    const bearer = bearerOf(ctx);
    if (bearer === undefined || !(await this.#judge(ctx, bearer))) refuse(ctx);
  }

  #judge(ctx: Context, token: string): Promise<boolean> {
    const isRight = this.#expected !== undefined && timingSafeEqual(digest(token), this.#expected);
    return this.#attempts.judge(viewerAddress(ctx, this.#needs.trustedProxies), isRight);
  }

  /** A stream that ends so is tried again by its page, which then meets a 401. */
  #hold(ctx: Context, session: Session): void {
    // Unlike `Authorization`, a cookie keeps no shared cache from storing the answer (RFC 9111, 3.5).
    ctx.set('Cache-Control', 'no-store');
    const release = this.#sessions?.hold(session, () => end(ctx));
    if (release) ctx.res.once('close', release);
  }

  #setCookie(ctx: Context, value: string, maxAgeSeconds: number): void {
    const secure = cameByHttps(ctx, this.#needs.trustedProxies) ? '; Secure' : '';
    // No narrower path: behind a proxy this service does not know its own.
    ctx.append(
      'Set-Cookie',
      `${this.#sessions?.cookieName}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`,
    );
  }
}

/** A stream says when to come back; any other answer just breaks off. */
function end({ state, res }: Context): void {
  const { endStream } = state as StreamState;
  if (endStream) endStream();
  else res.destroy();
}

function bearerOf(ctx: Context): string | undefined {
  return /^Bearer +(\S+)$/i.exec(ctx.get('Authorization'))?.[1];
}

function refuse(ctx: Context): never {
  ctx.set('WWW-Authenticate', 'Bearer');
  throw apiError('unauthorized');
}
