import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Epoch, ServerId } from '../../machines/ports.js';
import { BoundedMap } from '../boundedMap.js';

/** What a token tells of the posts that carry it. */
export type TokenClaims =
  /** They are from this server, and happened after the snapshot of this epoch. */
  | { kind: 'server'; server: ServerId; epoch: Epoch; fromStartup: boolean }
  /** They are from this server, and only about the content of watched rooms. */
  | { kind: 'content'; server: ServerId }
  /** They are from an unknown server at this address, and cannot be counted. */
  | { kind: 'address'; address: string };

/** In base64url characters of 6 bits: 132 bits. */
const macLength = 22;
const maxRemembered = 8192;

/** The token in an events URL; empty if there is none. */
export function tokenIn(eventsUrl: string): string {
  return /[?&]token=([^&#]*)/.exec(eventsUrl)?.[1] ?? '';
}

/** Makes and reads the tokens in events URLs: a server and an epoch, signed with a key of this process. */
export class EventTokens {
  readonly #secret: Buffer;
  /** Tokens that were read before: a lookup is cheaper than a MAC. */
  readonly #read = new BoundedMap<string, TokenClaims>(maxRemembered);

  constructor(secret: Buffer = randomBytes(32)) {
    this.#secret = secret;
  }

  mint(claims: TokenClaims): string {
    const payload = Buffer.from(JSON.stringify(partsOf(claims))).toString('base64url');
    return `${payload}.${this.#mac(payload)}`;
  }

  /** The claims of a token that this process made; undefined for any other text. */
  read(token: string): TokenClaims | undefined {
    const known = this.#read.get(token);
    if (known) return known;
    const [payload = '', mac = '', ...rest] = token.split('.');
    // Compare text, not decoded bytes: several texts decode to the same bytes.
    const given = Buffer.from(mac);
    if (rest.length > 0 || given.length !== macLength) return undefined;
    if (!timingSafeEqual(given, Buffer.from(this.#mac(payload)))) return undefined;
    const claims = readParts(Buffer.from(payload, 'base64url').toString());
    this.#read.set(token, claims);
    return claims;
  }

  #mac(payload: string): string {
    const mac = createHmac('sha256', this.#secret).update(payload).digest('base64url');
    return mac.slice(0, macLength);
  }
}

/** Parts by kind: an address is alone, an epoch is a number. */
function partsOf(claims: TokenClaims): (string | number)[] {
  if (claims.kind === 'address') return [claims.address];
  if (claims.kind === 'content') return [claims.server, 'content'];
  return [claims.server, claims.epoch, Number(claims.fromStartup)];
}

/** Reads what `mint` wrote: the MAC was valid. */
function readParts(json: string): TokenClaims {
  const [subject, epoch, fromStartup] = JSON.parse(json) as [string, (Epoch | 'content')?, number?];
  if (epoch === undefined) return { kind: 'address', address: subject };
  const server = subject as ServerId;
  if (epoch === 'content') return { kind: 'content', server };
  return { kind: 'server', server, epoch, fromStartup: fromStartup === 1 };
}
