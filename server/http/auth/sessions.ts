import { createHmac, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

/** Lifetime of a session; docs/protocol.md has the same. */
export const sessionLifetimeMs = 7 * 24 * 60 * 60 * 1000;
/** How often an open stream checks the clock: a timer does not notice that somebody sets the clock. */
const checkClockMs = 60 * 60 * 1000;
/** Signed-out sessions that are remembered individually. */
const maxSignedOut = 4096;

/** A valid session. */
export interface Session {
  id: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** Where sessions that signed out are remembered for all instances. */
export interface SharedSignOuts {
  /** Tells the others. It is told again until Redis knows it. */
  add(session: Session): void;
  /** Calls back with each session that signed out elsewhere, and with what to refuse because it is forgotten. */
  follow(events: SignOutEvents): void;
}

export interface SignOutEvents {
  onSignedOut: (session: Session) => void;
  /** All sessions that expire until then. Milliseconds since 1970. */
  onRefused: (untilMs: number) => void;
}

/** Open answers of a session, and the timer that ends them. */
interface Open {
  ends: Set<() => void>;
  expiry: NodeJS.Timeout;
}

/**
 * Sessions of people who signed in with the dashboard's token. They are not stored: the text of a session
 * contains its expiry and a MAC, whose key is derived from the token. So a session survives a restart, but
 * not a change of the token. Only sessions that signed out in this run are remembered, and in a cluster those
 * that signed out at any instance.
 */
export class Sessions {
  /** Depends on the token: cookies ignore ports, and services on one host need different names. */
  readonly cookieName: string;
  readonly #key: Buffer;
  readonly #now: () => number;
  readonly #signedOut = new Map<string, number>();
  /** Sessions that expire until then are refused, because signed-out ones among them are forgotten. */
  #refusedUntil = 0;
  readonly #open = new Map<string, Open>();

  readonly #shared: SharedSignOuts | undefined;

  /** `shared`: the sign-outs of a cluster. */
  constructor(token: string, now: () => number = Date.now, shared?: SharedSignOuts) {
    // Slow on purpose: with a stolen session, an attacker could try tokens offline.
    this.#key = scryptSync(token, 'pubsub-dashboard sessions', 32);
    this.#now = now;
    this.cookieName = `pubsub-dashboard-${this.#mac('cookie').slice(0, 8)}`;
    this.#shared = shared;
    shared?.follow({
      onSignedOut: (session) => this.#signOut(session),
      onRefused: (untilMs) => {
        this.#refusedUntil = Math.max(this.#refusedUntil, untilMs);
      },
    });
  }

  /** Starts a session; returns its text. */
  begin(): string {
    const expiresAt = this.#now() + sessionLifetimeMs;
    const payload = `${randomBytes(16).toString('base64url')}.${expiresAt}`;
    return `${payload}.${this.#mac(payload)}`;
  }

  /** Reads the text of a session; undefined: it is not valid, has expired, or signed out. */
  read(text: string): Session | undefined {
    const [, payload = '', id = '', expires, mac = ''] =
      /^(([\w-]{22})\.(\d{1,15}))\.([\w-]{43})$/.exec(text) ?? [];
    // Compares texts, not decoded bytes: several texts decode to the same bytes.
    if (!mac || !timingSafeEqual(Buffer.from(mac), Buffer.from(this.#mac(payload)))) return;
    const expiresAt = Number(expires);
    if (expiresAt <= Math.max(this.#now(), this.#refusedUntil)) return;
    return this.#signedOut.has(id) ? undefined : { id, expiresAt };
  }

  /** Signs a session out and ends its open answers. */
  end(session: Session): void {
    this.#signOut(session);
    this.#shared?.add(session);
  }

  #signOut({ id, expiresAt }: Session): void {
    if (expiresAt <= this.#now()) return;
    this.#signedOut.set(id, expiresAt);
    if (this.#signedOut.size > maxSignedOut) this.#forgetSignedOut();
    this.#cut(id);
  }

  /** Calls `end` when the session ends. Call the returned function to cancel that. */
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

  /** Number of signed-out sessions that are remembered individually. */
  get signedOut(): number {
    return this.#signedOut.size;
  }

  #expiry(id: string, expiresAt: number): NodeJS.Timeout {
    const waitMs = Math.min(expiresAt - this.#now(), checkClockMs);
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

  /** Forgets those that expire first, and refuses every session that expires no later than they do. */
  #forgetSignedOut(): void {
    const byExpiry = [...this.#signedOut].sort(([, a], [, b]) => a - b);
    for (const [id, expiresAt] of byExpiry.slice(0, maxSignedOut / 2)) {
      this.#signedOut.delete(id);
      this.#refusedUntil = Math.max(this.#refusedUntil, expiresAt);
    }
  }

  #mac(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}
