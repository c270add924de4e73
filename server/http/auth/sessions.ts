import { createHmac, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

/** How long a session lasts at the most; docs/protocol.md says so. */
export const sessionLifetimeMs = 7 * 24 * 60 * 60 * 1000;
/** Timers do not go by the clock, which can be set while a stream is open: how often it is looked at. */
const lookAtClockMs = 60 * 60 * 1000;
/** Signed-out sessions that are remembered one by one. */
const maxSignedOut = 4096;

/** What a session's text says, once it has been found genuine. */
export interface Session {
  id: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** What is open under a session, and when it has to end. */
interface Open {
  ends: Set<() => void>;
  expiry: NodeJS.Timeout;
}

/**
 * Sessions of people who gave the dashboard's token. Nothing is stored of them: a text says until when
 * it holds, under a MAC whose key is derived from the token. So they outlive this process, but not a
 * change of the token. What is remembered are those that signed out in this run.
 */
export class Sessions {
  /** Cookies know no ports: services with different tokens need different names on one host. */
  readonly cookieName: string;
  readonly #key: Buffer;
  readonly #now: () => number;
  readonly #signedOut = new Map<string, number>();
  /** Sessions that expire by then are refused: some of them are forgotten and signed out. */
  #refusedUntil = 0;
  readonly #open = new Map<string, Open>();

  constructor(token: string, now: () => number = Date.now) {
    // Slow on purpose: whoever sees a session could else try tokens on it, without asking us.
    this.#key = scryptSync(token, 'pubsub-dashboard sessions', 32);
    this.#now = now;
    this.cookieName = `pubsub-dashboard-${this.#mac('cookie').slice(0, 8)}`;
  }

  /** The text of a new session. */
  begin(): string {
    const expiresAt = this.#now() + sessionLifetimeMs;
    const payload = `${randomBytes(16).toString('base64url')}.${expiresAt}`;
    return `${payload}.${this.#mac(payload)}`;
  }

  /** The session of a text, unless it is expired, signed out, or none of ours. */
  read(text: string): Session | undefined {
    const [, payload = '', id = '', expires, mac = ''] =
      /^(([\w-]{22})\.(\d{1,15}))\.([\w-]{43})$/.exec(text) ?? [];
    // The text and not its bytes: decoding would take many texts for the same MAC.
    if (!mac || !timingSafeEqual(Buffer.from(mac), Buffer.from(this.#mac(payload)))) return;
    const expiresAt = Number(expires);
    if (expiresAt <= Math.max(this.#now(), this.#refusedUntil)) return;
    return this.#signedOut.has(id) ? undefined : { id, expiresAt };
  }

  /** Signs a session out, and ends what is open under it. */
  end({ id, expiresAt }: Session): void {
    this.#signedOut.set(id, expiresAt);
    if (this.#signedOut.size > maxSignedOut) this.#forgetSignedOut();
    this.#cut(id);
  }

  /** Has `end` called when the session ends; the answer is to be called when that is of no use any more. */
  hold({ id, expiresAt }: Session, end: () => void): () => void {
    const open = this.#open.get(id) ?? { ends: new Set(), expiry: this.#expiry(id, expiresAt) };
    this.#open.set(id, open);
    open.ends.add(end);
    return () => {
      open.ends.delete(end);
      if (open.ends.size > 0 || this.#open.get(id) !== open) return;
      clearTimeout(open.expiry);
      this.#open.delete(id);
    };
  }

  /** How many signed-out sessions are remembered one by one. */
  get signedOut(): number {
    return this.#signedOut.size;
  }

  #expiry(id: string, expiresAt: number): NodeJS.Timeout {
    const waitMs = Math.min(expiresAt - this.#now(), lookAtClockMs);
    return setTimeout(() => this.#cutIfExpired(id, expiresAt), waitMs).unref();
  }

  #cutIfExpired(id: string, expiresAt: number): void {
    const open = this.#open.get(id);
    if (open && expiresAt > this.#now()) open.expiry = this.#expiry(id, expiresAt);
    else this.#cut(id);
  }

  #cut(id: string): void {
    const open = this.#open.get(id);
    this.#open.delete(id);
    clearTimeout(open?.expiry);
    for (const end of open?.ends ?? []) end();
  }

  /** Forgets those that expire first, and refuses whatever expires no later: they must not come back. */
  #forgetSignedOut(): void {
    const byExpiry = [...this.#signedOut].sort(([, a], [, b]) => a - b);
    for (const [id, expiresAt] of byExpiry.slice(0, maxSignedOut / 2)) {
      this.#signedOut.delete(id);
      this.#refusedUntil = expiresAt;
    }
  }

  #mac(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}
