/** The catalogue of errors: every code that a client may meet, and its status. `docs/protocol.md` lists the same. */

import type { ErrorBody } from '../wire/errorBody.js';

/** Each code's HTTP status and the sentence sent with it. */
export const errors = {
  unauthorized: { status: 401, message: 'A valid token or session is required' },
  too_many_attempts: { status: 429, message: 'Too many wrong tokens came from there' },
  foreign_page: { status: 403, message: 'Pages of other origins may not do this' },
  host_not_allowed: { status: 421, message: 'This service does not answer to this host name' },
  invalid_host: { status: 400, message: 'The request must say one host' },
  not_found: { status: 404, message: 'There is nothing at this path' },
  method_not_allowed: { status: 405, message: 'This path does not take this method' },
  room_not_found: { status: 404, message: 'No server holds this room' },
  room_unreadable: { status: 502, message: 'What the servers answer is no document' },
  room_too_large: { status: 413, message: 'The room is too large to be merged' },
  token_unknown: { status: 404, message: 'No events URL of this run of the service' },
  invalid_json: { status: 400, message: 'The body is not JSON' },
  invalid_delta: { status: 400, message: 'The body is not a delta or an array of deltas' },
  invalid_parameter: { status: 400, message: 'A parameter has a value that is not accepted' },
  body_too_large: { status: 413, message: 'The body is larger than allowed' },
  unsupported_type: { status: 415, message: 'The body must be application/json' },
  unsupported_encoding: { status: 415, message: 'The body must come without a content encoding' },
  body_timeout: { status: 408, message: 'The body did not arrive in time' },
  too_many_viewers: { status: 503, message: 'As many viewers as allowed are connected' },
  draining: { status: 503, message: 'The service is shutting down' },
  store_unavailable: { status: 503, message: 'The metadata store does not answer' },
  internal: { status: 500, message: 'Something went wrong in the service' },
} as const;

/** A code of the catalogue. */
export type ErrorCode = keyof typeof errors;

/** An error that a client is told of, as Koa understands it (`status`, `expose`). Made by `apiError`. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly status: number;
  /** Whether `message` may be sent: an internal error's detail is for the log alone. */
  readonly expose: boolean;
  /** When it is worth trying again, if that is known. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, retryAfterSeconds?: number) {
    super(message);
    this.code = code;
    this.status = errors[code].status;
    this.expose = code !== 'internal';
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** What the client reads: the message, or the catalogue's sentence when that is not to be shown. */
  get publicMessage(): string {
    return this.expose ? this.message : errors[this.code].message;
  }
}

/** The error of this code; the detail is added to the catalogue's sentence. */
export function apiError(code: ErrorCode, detail?: string, retryAfterSeconds?: number): ApiError {
  const { message } = errors[code];
  const text = detail === undefined ? message : `${message}: ${detail}`;
  return new ApiError(code, text, retryAfterSeconds);
}

/** The body of an error answer. */
export function errorBody(
  code: ErrorCode,
  message: string,
  requestId: string,
): ErrorBody<ErrorCode> {
  return { error: { code, message, requestId } };
}
