import { signal } from '@preact/signals';
import type { SessionState } from '../wire/sessionState.js';
import { refusalOf } from './refusal.js';
import { steadyNow } from './steadyNow.js';

/** A failed request. Check `code` (docs/protocol.md, "Errors"). */
export class ApiFailure extends Error {
  readonly status: number;
  /** `unreachable`: no response. `unexpected`: the response is not from this service. */
  readonly code: string;
  /** Seconds to wait before a retry; undefined: not stated. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, code: string, message: string, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Who this browser is to the service, and what it sees; undefined: not known yet. */
export const session = signal<SessionState | undefined>(undefined);

/** The service refused a request: it requires signing in. */
export function noteSignedOut(): void {
  const { value } = session;
  if (value?.required === true && !value.signedIn) return;
  const before = value ?? { byToken: true, showsContent: true };
  session.value = { ...before, required: true, signedIn: false, user: null, signOutUrl: null };
}

/** Add this to `steadyNow()` to get the service's clock, exact to a second or two. */
export const clockSkewMs = signal(0);

/** A time of the service, in ISO 8601, by the clock of this page. */
export const pageMs = (at: string): number => Date.parse(at) - clockSkewMs.value;

const timeoutMs = 10_000;

/** Reads JSON from a path relative to the page, such as `api/state`. Throws only `ApiFailure`. */
export async function getJson<T>(path: string): Promise<T> {
  const response = await request(path);
  return response.json().catch(() => {
    throw new ApiFailure(response.status, 'unexpected', 'The response is not from this service');
  }) as Promise<T>;
}

/** Sends a request to a path relative to the page. Throws `ApiFailure` unless the status is 2xx. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(new URL(path, document.baseURI), {
    signal: AbortSignal.timeout(timeoutMs),
    ...init,
  }).catch(() => {
    throw new ApiFailure(0, 'unreachable', 'The service cannot be reached');
  });
  noteClock(response);
  if (response.ok) return response;
  const { code, message, retryAfterSeconds } = await refusalOf(response);
  // Only for GET: a wrong token at sign-in has the same code, but ends no session.
  if (code === 'unauthorized' && init.method === undefined) noteSignedOut();
  throw new ApiFailure(response.status, code, message, retryAfterSeconds);
}

/** `Date` has whole seconds, so a difference below two is ignored. */
function noteClock(response: Response): void {
  const skewMs = Date.parse(response.headers.get('Date') ?? '') - steadyNow();
  const isSure = Number.isFinite(skewMs) && Math.abs(skewMs) > 2000;
  clockSkewMs.value = isSure ? Math.round(skewMs / 1000) * 1000 : 0;
}
