/** All error codes of the HTTP API, with their statuses. `docs/protocol.md` has the same list. */

import type { ErrorBody } from '../wire/errorBody.js';

/** HTTP status and message of each code. */
export const errors = {
  unauthorized: { status: 401, message: 'Send a valid bearer token, or sign in' },
  too_many_attempts: { status: 429, message: 'Too many wrong tokens were sent; retry later' },
  foreign_page: { status: 403, message: 'Pages of other origins must not do this' },
  host_not_allowed: {
    status: 421,
    message: 'This host name is not allowed',
  },
  invalid_host: { status: 400, message: 'The request must have only one Host header' },
  invalid_user: {
    status: 400,
    message: 'The proxy must send the name of one user in one header',
  },
  content_hidden: {
    status: 403,
    message: 'The operator of this service hides documents, updates and people (SHOW_CONTENT)',
  },
  instance_unknown: {
    status: 403,
    message:
      'The signature is not by an instance of this cluster, or is for another run of this instance',
  },
  not_found: { status: 404, message: 'There is nothing at this path' },
  method_not_allowed: {
    status: 405,
    message: 'This path does not support this method; see the Allow header',
  },
  room_not_found: { status: 404, message: 'No server holds this room' },
  room_unreadable: { status: 502, message: 'The servers did not answer with a valid document' },
  room_too_large: { status: 413, message: 'The room is too large to be merged' },
  token_unknown: {
    status: 404,
    message: 'This URL is not from this run of the service; post to the newest eventsUrl',
  },
  invalid_json: { status: 400, message: 'The body is not valid JSON' },
  invalid_delta: { status: 400, message: 'The body is not a delta or an array of deltas' },
  invalid_parameter: { status: 400, message: 'A parameter is not valid' },
  body_too_large: { status: 413, message: 'The body is too large' },
  unsupported_type: { status: 415, message: 'The Content-Type must be application/json' },
  unsupported_encoding: {
    status: 415,
    message: 'The body must not be compressed or otherwise encoded',
  },
  body_timeout: { status: 408, message: 'The body did not arrive in time' },
  too_many_viewers: { status: 503, message: 'Too many event streams are open; retry later' },
  draining: { status: 503, message: 'The service is shutting down; retry later' },
  no_leader: { status: 503, message: 'No instance leads at the moment; retry later' },
  store_unavailable: { status: 503, message: 'The metadata store does not answer; retry later' },
  internal: {
    status: 500,
    message: 'The service failed; its log has the reason under this requestId',
  },
} as const;

/** An error code. */
export type ErrorCode = keyof typeof errors;

/** An error that becomes an answer. `status` and `expose` mean the same as in Koa. Create it with `apiError`. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly status: number;
  /** Whether the client may see `message`; the message of an internal error is only logged. */
  readonly expose: boolean;
  /** When the client should retry, if known. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, retryAfterSeconds?: number) {
    super(message);
    this.code = code;
    this.status = errors[code].status;
    this.expose = code !== 'internal';
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** The message that the client gets. */
  get publicMessage(): string {
    return this.expose ? this.message : errors[this.code].message;
  }
}

/** Creates the error of a code. `detail` follows the code's message. */
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
