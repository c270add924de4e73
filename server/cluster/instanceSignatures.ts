import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { InstanceId } from '../../machines/ports.js';

/** The parts of a request that its signature covers, besides the body. */
export interface InstanceRequestHead {
  method: string;
  /** Path and query, as sent. */
  target: string;
}

/** A request whose head another instance of this cluster has signed. */
export interface SignedHead {
  sender: InstanceId;
  /** Whether the sender signed this body. */
  isBody: (body: string | Uint8Array) => boolean;
}

/** The header that carries the signature. */
export const signatureHeader = 'instance-signature';
const format = /^v1 from=([\w-]{1,64}) to=([\w-]{1,64}) body=([\w-]{43}) mac=([\w-]{43})$/;

/**
 * Signs requests between the instances of a cluster, and verifies them. The receiver's id is signed too.
 * It is random for each run, so a request that somebody recorded means nothing to a later run.
 */
export class InstanceSignatures {
  /** The id of this instance. */
  readonly self: InstanceId;
  readonly #key: Buffer;

  constructor(secret: string, self: InstanceId) {
    this.self = self;
    // A key of its own: other uses of the secret must not be able to make a signature.
    this.#key = createHmac('sha256', secret).update('requests between instances').digest();
  }

  /** The header `Instance-Signature` of a request to an instance. */
  sign(head: InstanceRequestHead, to: InstanceId, body: string | Uint8Array = ''): string {
    const parts = { from: this.self, to, body: digestOf(body) };
    return `v1 from=${parts.from} to=${to} body=${parts.body} mac=${this.#macOf(head, parts)}`;
  }

  /** Undefined: not signed by an instance of this cluster, or not for this run of this instance. */
  verify(header: string | undefined, head: InstanceRequestHead): SignedHead | undefined {
    const [, from = '', to = '', body = '', mac = ''] = format.exec(header ?? '') ?? [];
    if (mac === '' || !areEqual(mac, this.#macOf(head, { from, to, body }))) return undefined;
    // A request of its own came back by a wrong URL, and would be passed on for ever.
    if (to !== this.self || from === this.self) return undefined;
    return { sender: from, isBody: (received) => digestOf(received) === body };
  }

  #macOf(
    { method, target }: InstanceRequestHead,
    { from, to, body }: { from: string; to: string; body: string },
  ): string {
    const text = `v1\n${method}\n${target}\n${from}\n${to}\n${body}`;
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}

const digestOf = (body: string | Uint8Array) =>
  createHash('sha256').update(body).digest('base64url');

/** Compares texts of the same length in constant time. */
const areEqual = (one: string, other: string) =>
  timingSafeEqual(Buffer.from(one), Buffer.from(other));
