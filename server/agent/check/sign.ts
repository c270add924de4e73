import { macOf, type SignedRequest } from '../signatures.js';

/** Whether a signature is one of this request with this secret, at any time. */
export function isSignatureOf(text: string, secret: string, request: SignedRequest): boolean {
  const [, at = '', nonce = '', mac] = /^v1 t=(\d+) n=([\w-]+) s=([\w-]+)$/.exec(text) ?? [];
  return mac === macOf(secret, request, at, nonce).toString('base64url');
}
