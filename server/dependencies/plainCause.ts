import { causeOf } from '../causeOf.js';

/** Errors of the network by their code, or by words that libraries use instead, in plain words. */
const plain: readonly (readonly [RegExp, string])[] = [
  [/EAI_AGAIN|queryA\w* (ETIMEOUT|ECONNREFUSED|ECANCELLED)/, 'the name server does not answer'],
  [/ECONNREFUSED/, 'connection refused'],
  [/ENOTFOUND/, 'unknown host'],
  [/ESERVFAIL|EREFUSED/, 'the name server cannot answer'],
  [/ECONNRESET|EPIPE|socket hang up/, 'connection reset'],
  [/EHOSTUNREACH|ENETUNREACH/, 'no route to the host'],
  [/ETIMEDOUT|Socket timeout|TimeoutError|Command timed out/, 'no answer in time'],
  [/[Cc]onnection (is|was) closed/, 'connection closed'],
];

/** Error replies of Redis begin with a code, and say themselves what is wrong. */
const redisReply =
  /^(NOAUTH|WRONGPASS|NOPERM|ERR|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|OOM|MISCONF|BUSY|NOREPLICAS) /;

/** Why something outside does not answer: one plain sentence from an error, or from its message. */
export function plainCause(error: unknown): string {
  const message = causeOf(error);
  if (redisReply.test(message)) return message;
  const { code = '', name = '' } = Object(error) as Partial<NodeJS.ErrnoException>;
  const text = `${name} ${code} ${message}`;
  const [, words] = plain.find(([pattern]) => pattern.test(text)) ?? [];
  return words ?? (message || code || 'failed');
}
