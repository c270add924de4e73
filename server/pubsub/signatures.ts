import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** The parts of a request that its signature covers. */
export interface Signable {
  method: string;
  /** The header `Host`. */
  host: string;
  /** The request target: path and query, as sent. */
  target: string;
  body: string;
}

/** What is wrong with the signature of a request. */
export type SignatureFault =
  | { kind: 'missing' }
  | { kind: 'wrong_secret' }
  /** The clocks differ by so much. */
  | { kind: 'clock'; differenceMs: number }
  | { kind: 'other_host' }
  /** It was seen before, or too many signatures were. */
  | { kind: 'replayed' };

/** The clocks of two machines differ by no more. A nonce is remembered for as long. */
const windowMs = 5 * 60_000;
const format = /^v1 t=(\d{1,15}) n=([\w-]{22}) s=([\w-]{43})$/;

/** Signs requests to pub-sub servers with `PUBSUB_SECRET`, and verifies theirs: docs/protocol.md, Signatures. */
export class Signatures {
  readonly #secrets: readonly [string, ...string[]];
  readonly #now: () => number;
  readonly #maxNonces: number;
  /** Until when each nonce is remembered, in the order in which they arrived. */
  readonly #seen = new Map<string, number>();

  /** The first secret signs, all verify. `maxNonces` are remembered: only who knows the secret adds one. */
  constructor(
    secrets: readonly [string, ...string[]],
    now: () => number = Date.now,
    maxNonces = 50_000,
  ) {
    this.#secrets = secrets;
    this.#now = now;
    this.#maxNonces = maxNonces;
  }

  /** The header `Dashboard-Signature` of a request. */
  sign(request: Signable): string {
    const [t, n] = [String(this.#now()), randomBytes(16).toString('base64url')];
    return `v1 t=${t} n=${n} s=${macOf(this.#secrets[0], textOf(request, t, n))}`;
  }

  /** What is wrong; undefined: nothing. `isForUs` is asked only about requests of who knows the secret. */
  async faultOf(
    header: string | undefined,
    request: Signable,
    isForUs: () => boolean | Promise<boolean>,
  ): Promise<SignatureFault | undefined> {
    const [, t, n, mac] = format.exec(header ?? '') ?? [];
    if (t === undefined || n === undefined || mac === undefined) return { kind: 'missing' };
    const text = textOf(request, t, n);
    const valid = this.#secrets.filter((secret) => areEqual(macOf(secret, text), mac));
    if (valid.length === 0) return { kind: 'wrong_secret' };
    const differenceMs = Number(t) - this.#now();
    if (Math.abs(differenceMs) > windowMs) return { kind: 'clock', differenceMs };
    if (!(await isForUs())) return { kind: 'other_host' };
    return this.#remember(n, Number(t)) ? undefined : { kind: 'replayed' };
  }

  /** False: it was seen before, or there is no place for it. */
  #remember(nonce: string, time: number): boolean {
    for (const [old, untilMs] of this.#seen) {
      if (untilMs >= this.#now()) break;
      this.#seen.delete(old);
    }
    if (this.#seen.has(nonce) || this.#seen.size >= this.#maxNonces) return false;
    this.#seen.set(nonce, time + windowMs);
    return true;
  }
}

function textOf({ method, host, target, body }: Signable, t: string, n: string): string {
  const digest = createHash('sha256').update(body).digest('base64url');
  return `v1\n${method}\n${host.toLowerCase()}\n${target}\n${t}\n${n}\n${digest}`;
}

function macOf(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('base64url');
}

/** Compares texts of the same length in constant time. */
function areEqual(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
