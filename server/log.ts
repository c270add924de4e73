import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';
import { traceFields } from './tracing/scope.js';

/** Creates the service's log: JSON lines of this level and above, to standard output by default. */
export function createLog(level: string, stream?: DestinationStream): Logger {
  const serializers = { err: errorForLog };
  const hooks = { streamWrite: escapeControls };
  const options = { level, serializers, hooks, mixin: traceFields };
  return stream ? pino(options, stream) : pino(options);
}

/**
 * Escapes control characters and line separators, which JSON allows in strings (RFC 8259, section 7). Some
 * terminals execute the former, and some readers end a line at the latter.
 */
function escapeControls(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The logged fields of an error. */
interface LoggedError {
  type: string;
  /** Includes the messages of its causes; so does `stack`. */
  message: string;
  code?: string | number;
  stack?: string;
  errors?: LoggedError[];
}

/**
 * Other properties are not logged. Libraries attach requests, answers and sockets to errors, and Node's
 * HTTP parser attaches the packet that it could not parse (`rawPacket`). All of these may contain tokens.
 */
function errorForLog(error: unknown): LoggedError {
  if (!isErrorLike(error)) return { type: typeof error, message: textOf(error) };
  const { type, message, stack } = stdSerializers.err(error);
  const { code, errors } = error;
  return {
    type,
    message,
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    stack,
    ...(Array.isArray(errors) && { errors: errors.map(errorForLog) }),
  };
}

type ErrorLike = Error & { code?: unknown; errors?: unknown };

/** Not `instanceof Error`: errors of other threads and realms are not instances of this realm's `Error`. */
function isErrorLike(error: unknown): error is ErrorLike {
  const isObject = typeof error === 'object' && error !== null;
  return isObject && 'message' in error && typeof error.message === 'string';
}

const textOf = (thrown: unknown) => (typeof thrown === 'object' ? 'not an error' : String(thrown));
