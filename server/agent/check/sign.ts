import { createHash, createHmac, randomBytes } from 'node:crypto';

/** What a signature covers. */
export interface Signed {
  readonly method: string;
  /** The Host header. */
  readonly host: string;
  /** The request target as it is sent. */
  readonly target: string;
  readonly body: string;
}

/** The value of `Dashboard-Signature` for a request at this time. */
export function signatureOf(secret: string, signed: Signed, atMs = Date.now()): string {
  const nonce = randomBytes(16).toString('base64url');
  return `v1 t=${atMs} n=${nonce} s=${macOf(secret, signed, `${atMs}`, nonce)}`;
}

/** Whether a signature is one of this request with this secret. */
export function isSignatureOf(text: string, secret: string, signed: Signed): boolean {
  const [, at = '', nonce = '', mac] = /^v1 t=(\d+) n=([\w-]+) s=([\w-]+)$/.exec(text) ?? [];
  return mac === macOf(secret, signed, at, nonce);
}

function macOf(secret: string, signed: Signed, at: string, nonce: string): string {
  const { method, host, target, body } = signed;
  const digest = createHash('sha256').update(body).digest('base64url');
  const lines = ['v1', method, host.toLowerCase(), target, at, nonce, digest];
  return createHmac('sha256', secret).update(lines.join('\n')).digest('base64url');
}
