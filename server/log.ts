import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';

/** The service's log, to standard output unless told: JSON lines, from this level upwards. */
export function createLog(level: string, stream?: DestinationStream): Logger {
  const serializers = { err: errorForLog };
  const options = { level, serializers, hooks: { streamWrite: withoutControls } };
  return stream ? pino(options, stream) : pino(options);
}

/**
 * JSON lets them stand as they are (RFC 8259, section 7); some terminals obey the ones, and some readers
 * end a line at the others. They are in no line but as parts of texts, where an escape means the same.
 */
function withoutControls(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What is logged of an error. */
interface LoggedError {
  type: string;
  /** With those of its causes; the stack, too. */
  message: string;
  code?: string | number;
  stack?: string;
  errors?: LoggedError[];
}

/**
 * Its other properties are not logged: libraries hang requests, answers and sockets on errors, and
 * Node's parser of HTTP the whole packet that it did not understand (`rawPacket`), with the tokens in it.
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

/** Errors of other threads and realms are no instances of this one's. */
function isErrorLike(error: unknown): error is ErrorLike {
  const isObject = typeof error === 'object' && error !== null;
  return isObject && 'message' in error && typeof error.message === 'string';
}

const textOf = (thrown: unknown) => (typeof thrown === 'object' ? 'no error' : String(thrown));
