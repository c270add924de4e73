import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a signature covers: the request as it is on the wire. */
export interface SignedRequest {
  readonly method: string;
  /** The Host header. */
  readonly host: string;
  /** Path and query. */
  readonly target: string;
  readonly body: Uint8Array | string;
}

/** Why a signature was refused. */
export type SignatureFault = 'missing' | 'wrong_secret' | 'clock' | 'other_host' | 'replayed';

/** How far the clocks of sender and receiver may differ. */
const maxSkewMs = 5 * 60_000;

/** Signs and verifies requests with a shared secret: docs/protocol.md, Signatures. */
export class Signatures {
  readonly #secrets: readonly string[];
  readonly #now: () => number;
  readonly #maxNonces: number;
  /** When each nonce may be forgotten, oldest first. */
  readonly #nonces = new Map<string, number>();

  /** Of several secrets, the first signs and all verify. `maxNonces` are remembered: only who knows one adds one. */
  constructor(secrets: readonly string[], now: () => number = Date.now, maxNonces = 100_000) {
    this.#secrets = secrets;
    this.#now = now;
    this.#maxNonces = maxNonces;
  }

  /** The value of the header `Dashboard-Signature`. */
  sign(request: SignedRequest): string {
    return signatureOf(this.#secrets[0] ?? '', request, this.#now());
  }

  /** Undefined if the signature is good. `isOwnHost` is asked only if the rest is. */
  async faultOf(
    header: string | undefined,
    request: SignedRequest,
    isOwnHost: () => Promise<boolean>,
  ): Promise<{ fault: SignatureFault; skewMs: number } | undefined> {
    const [, time = '', nonce = '', mac = ''] =
      /^v1 t=(\d{1,15}) n=([\w-]{22}) s=([\w-]{43})$/.exec(header ?? '') ?? [];
    const skewMs = Number(time) - this.#now();
    if (mac === '') return { fault: 'missing', skewMs: 0 };
    if (!this.#isSigned(request, { time, nonce, mac })) return { fault: 'wrong_secret', skewMs };
    if (Math.abs(skewMs) > maxSkewMs) return { fault: 'clock', skewMs };
    if (!(await isOwnHost())) return { fault: 'other_host', skewMs };
    if (!this.#isFirst(nonce, Number(time))) return { fault: 'replayed', skewMs };
    return undefined;
  }

  /** Compares with every secret, in a time that does not depend on which one is right. */
  #isSigned(
    request: SignedRequest,
    { time, nonce, mac }: { time: string; nonce: string; mac: string },
  ): boolean {
    const given = Buffer.from(mac, 'base64url');
    let isEqual = false;
    for (const secret of this.#secrets) {
      const expected = macOf(secret, request, time, nonce);
      isEqual = (given.length === expected.length && timingSafeEqual(given, expected)) || isEqual;
    }
    return isEqual;
  }

  /** False for a nonce that was seen, and while too many are remembered. */
  #isFirst(nonce: string, time: number): boolean {
    const now = this.#now();
    for (const [old, untilMs] of this.#nonces) {
      if (untilMs >= now) break;
      this.#nonces.delete(old);
    }
    if (this.#nonces.has(nonce) || this.#nonces.size >= this.#maxNonces) return false;
    // Later the clock refuses it.
    this.#nonces.set(nonce, time + maxSkewMs);
    return true;
  }
}

/** The value of the header `Dashboard-Signature` of a request that is signed at this time. */
export function signatureOf(secret: string, request: SignedRequest, atMs = Date.now()): string {
  const [time, nonce] = [`${atMs}`, randomBytes(16).toString('base64url')];
  return `v1 t=${time} n=${nonce} s=${macOf(secret, request, time, nonce).toString('base64url')}`;
}

/** The HMAC in a signature with this time and nonce. */
export function macOf(
  secret: string,
  { method, host, target, body }: SignedRequest,
  time: string,
  nonce: string,
): Buffer {
  const hash = createHash('sha256').update(body).digest('base64url');
  const text = ['v1', method, host.toLowerCase(), target, time, nonce, hash].join('\n');
  return createHmac('sha256', secret).update(text).digest();
}
