import { parseJson } from '../parseJson.js';
import type { PubSubAnswer } from './pubSubHttp.js';

/** A larger body is no refusal of an agent. */
const maxRefusalBytes = 8 * 1024;
const maxRefusalLength = 300;

/** Whether a server says that it does not hold a room. An agent answers 401 to a wrong signature too. */
export function isAbsent(answer: PubSubAnswer): boolean {
  return answer.status === 404 || (answer.status === 401 && !isSignatureRefused(answer));
}

/** Throws an Error with the status, and with the reason that an agent gives for it. */
export function expectSuccess(answer: PubSubAnswer): void {
  if (answer.status < 200 || answer.status > 299) throw new Error(statusCause(answer));
}

function statusCause(answer: PubSubAnswer): string {
  const message = refusalIn(answer)?.message;
  const isTold = typeof message === 'string' && message !== '';
  return `answered ${answer.status}${isTold ? `: ${message.slice(0, maxRefusalLength)}` : ''}`;
}

function isSignatureRefused(answer: PubSubAnswer): boolean {
  return refusalIn(answer)?.code === 'signature_invalid';
}

/** The error in an answer of an agent, of any type; undefined: there is none. */
function refusalIn({ type, body }: PubSubAnswer): Record<string, unknown> | undefined {
  if (!type.includes('json') || body.length > maxRefusalBytes) return undefined;
  const { error } = Object(parseJson(body.toString())) as {
    error?: Record<string, unknown> | null;
  };
  return error ?? undefined;
}

/** Refuses compressed answers: a document is passed on as it is. */
export function expectUncompressed({ encoding = 'identity' }: PubSubAnswer): void {
  if (encoding !== 'identity') throw new Error(`answered in the encoding "${encoding}"`);
}
