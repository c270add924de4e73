import { signal } from '@preact/signals';
import type { SessionState } from '../wire/sessionState.js';
import { refusalOf } from './refusal.js';
import { steadyNow } from './steadyNow.js';

/** An answer that is no success; programs go by `code` (docs/protocol.md, "Errors"). */
export class ApiFailure extends Error {
  readonly status: number;
  /** `unreachable` when there was no answer, `unexpected` when it was none of this service's. */
  readonly code: string;
  /** How long the service asks to wait; undefined: it does not say. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, code: string, message: string, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Whether the service asks for a token, and whether this browser has given it; undefined: not known yet. */
export const session = signal<SessionState | undefined>(undefined);

/** Add this to `steadyNow()` to get the service's clock; exact to a second or two. */
export const clockSkewMs = signal(0);

const patienceMs = 10_000;

/** Reads JSON from a path relative to the page, `api/state`. Throws `ApiFailure` alone. */
export async function getJson<T>(path: string): Promise<T> {
  const response = await request(path);
  return response.json().catch(() => {
    throw new ApiFailure(response.status, 'unexpected', 'What answers is not the service');
  }) as Promise<T>;
}

/** Sends a request relative to the page; throws `ApiFailure` for whatever is no success. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(new URL(path, document.baseURI), {
    signal: AbortSignal.timeout(patienceMs),
    ...init,
  }).catch(() => {
    throw new ApiFailure(0, 'unreachable', 'The service cannot be reached');
  });
  noteClock(response);
  if (response.ok) return response;
  const { code, message, retryAfterSeconds } = await refusalOf(response);
  // A wrong token at signing in is refused with the same code, and signs nobody out.
  if (code === 'unauthorized' && init.method === undefined)
    session.value = { required: true, signedIn: false };
  throw new ApiFailure(response.status, code, message, retryAfterSeconds);
}

/** `Date` has whole seconds: a difference below two says nothing. */
function noteClock(response: Response): void {
  const skewMs = Date.parse(response.headers.get('Date') ?? '') - steadyNow();
  const isSure = Number.isFinite(skewMs) && Math.abs(skewMs) > 2000;
  clockSkewMs.value = isSure ? Math.round(skewMs / 1000) * 1000 : 0;
}
