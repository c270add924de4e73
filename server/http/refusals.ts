import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import { DocumentError, type DocumentErrorCode } from '../documents/documentErrors.js';
import { InvalidPost } from '../pubsub/parsePosted.js';
import { InvalidCursor, StoreError } from '../store/store.js';
import type { ErrorBody } from '../wire/errorBody.js';
import { ApiError, apiError, type ErrorCode, errorBody } from './errors.js';

/** The answer to a request that failed. */
export interface Refusal {
  status: number;
  headers: Record<string, string>;
  body: ErrorBody;
}

/**
 * Turns any error into an answer, and logs it. Undefined: the client disconnected during its request, so
 * there is nobody to answer.
 */
export function refusalOf(error: unknown, req: IncomingMessage, log: Logger): Refusal | undefined {
  if (error === req.errored) return undefined;
  const requestId = randomUUID();
  const { code, status, publicMessage, retryAfterSeconds } = toApiError(error);
  if (code === 'internal') log.error({ err: error, requestId }, 'request failed');
  else log.info({ requestId, code, ...requestFacts(req) }, 'request refused');
  const headers: Refusal['headers'] = {};
  // The rest of the body was not read. On a kept connection it would be parsed as the next request.
  if (status === 413 || status === 408) headers.Connection = 'close';
  if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(retryAfterSeconds);
  return { status, headers, body: errorBody(code, publicMessage, requestId) };
}

/** The logged part of a refused request; without the query, which may contain a token. */
function requestFacts({ method, url }: IncomingMessage) {
  return { method, path: url?.split('?', 1)[0]?.slice(0, 200) };
}

/** The code for each reason why a room's document could not be made; a lost thread is a defect. */
const documentErrors: Record<DocumentErrorCode, ErrorCode> = {
  bad_update: 'room_unreadable',
  too_large: 'room_too_large',
  too_heavy: 'room_too_large',
  backlog: 'room_too_large',
  deadline: 'room_too_large',
  closed: 'draining',
  lost: 'internal',
};

/** Maps the errors of all parts of the service to error codes. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof DocumentError) return apiError(documentErrors[error.code]);
  if (error instanceof InvalidPost) return apiError(error.code, error.message || undefined);
  if (error instanceof StoreError) return apiError('store_unavailable', error.message, 2);
  if (error instanceof InvalidCursor)
    return apiError('invalid_parameter', '"cursor" is not from this list');
  return apiError('internal');
}
