import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, Middleware } from 'koa';
import type { Networks } from '../../addresses.js';
import type { StreamState } from '../../sse/viewer.js';
import { apiError } from '../errors.js';
import { cameByHttps, viewerAddress } from '../remoteAddress.js';
import { Attempts } from './attempts.js';
import type { Hosts } from './hosts.js';
import { hiddenNameOf, isNavigation, isOwnPage } from './origins.js';
import { type ProxySignIn, ProxyUsers } from './proxyUsers.js';
import { type Session, Sessions, type SharedSignOuts, sessionLifetimeMs } from './sessions.js';

/** What authentication needs. */
export interface AuthenticationNeeds {
  /** The token that viewers must send; undefined: no authentication. */
  viewerToken: string | undefined;
  /** Proxies whose `X-Forwarded-*` headers are trusted. */
  trustedProxies: Networks | undefined;
  /** Undefined: nobody signs in at a proxy. */
  proxySignIn: ProxySignIn | undefined;
  hosts: Hosts;
  /** What the instances of a cluster share; undefined: this instance is alone. */
  cluster?: { attempts: Attempts; signOuts: SharedSignOuts } | undefined;
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/**
 * Authenticates viewers: programs by bearer token (RFC 6750), people by a session that they get for the
 * same token, or by the name that a trusted proxy sends. The token is never read from a URL.
 */
export class Authentication {
  readonly #needs: AuthenticationNeeds;
  readonly #expected: Buffer | undefined;
  readonly #sessions: Sessions | undefined;
  readonly #proxyUsers: ProxyUsers | undefined;
  readonly #attempts: Attempts;

  constructor(needs: AuthenticationNeeds) {
    const { viewerToken, cluster, proxySignIn, trustedProxies } = needs;
    this.#needs = needs;
    this.#expected = viewerToken === undefined ? undefined : digest(viewerToken);
    this.#sessions =
      viewerToken === undefined
        ? undefined
        : new Sessions(viewerToken, Date.now, cluster?.signOuts);
    this.#proxyUsers =
      proxySignIn && trustedProxies && new ProxyUsers(proxySignIn.header, trustedProxies);
    this.#attempts = cluster?.attempts ?? new Attempts();
  }

  get isRequired(): boolean {
    return this.takesToken || this.#needs.proxySignIn !== undefined;
  }

  /** Whether there is a token to sign in with. */
  get takesToken(): boolean {
    return this.#expected !== undefined;
  }

  /** Where people who signed in at the proxy sign out. */
  get signOutUrl(): string | undefined {
    return this.#needs.proxySignIn?.signOutUrl;
  }

  /** Middleware that requires authentication. It ends open answers when their session ends. */
  readonly require: Middleware = async (ctx, next) => {
    if (!this.isRequired) return next();
    const session = this.#sessionOf(ctx);
    if (this.userOf(ctx) !== undefined) holdFor(ctx, this.#needs.proxySignIn?.answerMs);
    else if (session) this.#hold(ctx, session);
    else await this.#requireBearer(ctx);
    return next();
  };

  /** Whether `require` would accept the request. */
  async isSignedIn(ctx: Context): Promise<boolean> {
    if (!this.isRequired || this.userOf(ctx) !== undefined || this.#sessionOf(ctx)) return true;
    const bearer = bearerOf(ctx);
    return bearer !== undefined && this.#check(ctx, bearer).catch(() => false);
  }

  /**
   * Who signed in at a trusted proxy; undefined: nobody. Throws `invalid_user`, and `host_not_allowed`: with DNS
   * rebinding a page under another name would act for the person.
   */
  userOf(ctx: Context): string | undefined {
    const user = this.#proxyUsers?.of(ctx);
    // As with the cookie: what the proxy knows the person by may be sent with requests of any page.
    if (user === undefined || !this.#isOurs(ctx)) return undefined;
    this.#needs.hosts.refuseOthers(ctx);
    return user;
  }

  /** Starts a session if the token is right; throws `unauthorized` or `too_many_attempts`. */
  async signIn(ctx: Context, token: string): Promise<void> {
    if (!this.isRequired) return;
    if (!this.#sessions) refuse(ctx);
    if (!(await this.#check(ctx, token))) refuse(ctx);
    this.#setCookie(ctx, this.#sessions.begin(), sessionLifetimeMs / 1000);
  }

  /** Ends the session of the request, if any. */
  signOut(ctx: Context): void {
    const text = this.#cookieOf(ctx);
    if (text === undefined) return;
    const session = this.#sessions?.read(text);
    if (session) this.#sessions?.end(session);
    this.#setCookie(ctx, '', 0);
  }

  /** Throws `foreign_page` if a page of another origin sent the request. */
  refuseForeignPages(ctx: Context): void {
    if (isOwnPage(ctx, this.#needs.hosts)) return;
    throw apiError('foreign_page', hiddenNameOf(ctx));
  }

  #sessionOf(ctx: Context): Session | undefined {
    const text = this.#cookieOf(ctx);
    if (text === undefined) return undefined;
    // Despite SameSite, pages of other ports and sibling hosts send the cookie too.
    return this.#isOurs(ctx) ? this.#sessions?.read(text) : undefined;
  }

  /** Whether a page of this origin sent the request, or a link led to it, or no page did. */
  #isOurs(ctx: Context): boolean {
    return isOwnPage(ctx, this.#needs.hosts) || isNavigation(ctx);
  }

  #cookieOf(ctx: Context): string | undefined {
    return this.#sessions && ctx.cookies.get(this.#sessions.cookieName);
  }

  async #requireBearer(ctx: Context): Promise<void> {
    const bearer = bearerOf(ctx);
    if (bearer === undefined || !(await this.#check(ctx, bearer))) refuse(ctx);
  }

  async #check(ctx: Context, token: string): Promise<boolean> {
    // Proxies may pass on tokens of their own.
    if (!this.#expected) return false;
    const isRight = timingSafeEqual(digest(token), this.#expected);
    return this.#attempts.check(viewerAddress(ctx, this.#needs.trustedProxies), isRight);
  }

  /** Ends the answer with the session. The page of a stream then reconnects and gets 401. */
  #hold(ctx: Context, session: Session): void {
    // Shared caches do not store answers to `Authorization`, but do for a cookie (RFC 9111, section 3.5).
    ctx.set('Cache-Control', 'no-store');
    const release = this.#sessions?.hold(session, () => end(ctx));
    if (release) ctx.res.once('close', release);
  }

  #setCookie(ctx: Context, value: string, maxAgeSeconds: number): void {
    const secure = cameByHttps(ctx, this.#needs.trustedProxies) ? '; Secure' : '';
    // Path is `/` because the service does not know its path behind a proxy. Not `ctx.cookies.set`: it
    // writes no Max-Age, so sessions would depend on the browser's clock, and no Secure behind a proxy.
    ctx.append(
      'Set-Cookie',
      `${this.#sessions?.cookieName}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`,
    );
  }
}

/** A stream tells its viewer when to reconnect. Any other answer is aborted. */
function end({ state, res }: Context): void {
  const { endStream } = state as StreamState;
  if (endStream) endStream();
  else res.destroy();
}

/** Ends the answer after a time. */
function holdFor(ctx: Context, answerMs: number | undefined): void {
  ctx.set('Cache-Control', 'no-store');
  const timer = setTimeout(() => end(ctx), answerMs).unref();
  ctx.res.once('close', () => clearTimeout(timer));
}

function bearerOf(ctx: Context): string | undefined {
  return /^Bearer +(\S+)$/i.exec(ctx.get('Authorization'))?.[1];
}

function refuse(ctx: Context): never {
  ctx.set('WWW-Authenticate', 'Bearer');
  throw apiError('unauthorized');
}
