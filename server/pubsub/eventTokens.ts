import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Epoch, ServerId, Term } from '../../machines/ports.js';
import { BoundedMap } from '../boundedMap.js';

/** What a token tells of the posts that carry it. `term`: of the leader that made it; undefined: no cluster. */
export type TokenClaims = {
  term?: Term | undefined;
} /** They are from this server, and happened after the snapshot of this epoch. */ & (
  | { kind: 'server'; server: ServerId; epoch: Epoch; fromStartup: boolean }
  /** They are from this server, and only about the content of watched rooms. `receiver`: makes another token. */
  | { kind: 'content'; server: ServerId; receiver?: number }
  /** They are from an unknown server at this address, and cannot be counted. */
  | { kind: 'address'; address: string }
);

/** Those of a URL for deltas. */
export type DeltaClaims = Exclude<TokenClaims, { kind: 'content' }>;

/** Those of a URL for the deltas of one server. */
export type ServerClaims = Extract<TokenClaims, { kind: 'server' }>;

/** The address in tokens for senders behind a proxy, which can be any server. */
export const unknownAddress = '';

/** In base64url characters of 6 bits: 132 bits. */
const macLength = 22;
const maxRemembered = 8192;

/** The token in an events URL; empty if there is none. */
export function tokenIn(eventsUrl: string): string {
  return /[?&]token=([^&#]*)/.exec(eventsUrl)?.[1] ?? '';
}

/** The key of the tokens of all instances of a cluster (HKDF, RFC 5869). */
export function tokenKey(clusterSecret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', clusterSecret, '', 'event tokens v1', 32));
}

/**
 * Makes and reads the tokens in events URLs: a server and an epoch, signed with a key of this process, or of
 * all instances of a cluster.
 */
export class EventTokens {
  readonly #secret: Buffer;
  readonly #term: Term | undefined;
  /** Tokens that were read before: a lookup is cheaper than a MAC. */
  readonly #read: BoundedMap<string, TokenClaims>;

  constructor(
    secret: Buffer = randomBytes(32),
    term?: Term,
    read = new BoundedMap<string, TokenClaims>(maxRemembered),
  ) {
    this.#secret = secret;
    this.#term = term;
    this.#read = read;
  }

  /** The same key, for the tokens of a leader's term. */
  withTerm(term: Term): EventTokens {
    return new EventTokens(this.#secret, term, this.#read);
  }

  /** The term of the tokens that this makes; undefined: no cluster. */
  get term(): Term | undefined {
    return this.#term;
  }

  /** A token with these claims, and with the term of this object. */
  mint(claims: TokenClaims): string {
    const parts = partsOf(claims, this.#term);
    const payload = Buffer.from(JSON.stringify(parts)).toString('base64url');
    return `${payload}.${this.#mac(payload)}`;
  }

  /** The claims of a token that was made with this key, in any term; undefined for any other text. */
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

/** Parts by kind. Without a term, an address is alone; an epoch is a number. */
function partsOf(claims: TokenClaims, term: Term | undefined): (string | number)[] {
  const last = term === undefined ? [] : [term];
  if (claims.kind === 'content') {
    // Without a cluster there is only one receiver.
    const receiver = term === undefined || !claims.receiver ? [] : [claims.receiver];
    return [claims.server, 'content', ...last, ...receiver];
  }
  if (claims.kind === 'server')
    return [claims.server, claims.epoch, Number(claims.fromStartup), ...last];
  return term === undefined ? [claims.address] : [claims.address, 'address', term];
}

type Parts = [string, (Epoch | 'content' | 'address')?, number?, number?];

/** Reads what `mint` wrote: the MAC was valid. */
function readParts(json: string): TokenClaims {
  const [subject, kind = 'address', third, fourth] = JSON.parse(json) as Parts;
  if (kind === 'address') return withTerm({ kind, address: subject }, third);
  const server = subject as ServerId;
  if (kind === 'content') return withTerm({ kind, server }, third);
  return withTerm({ kind: 'server', server, epoch: kind, fromStartup: third === 1 }, fourth);
}

const withTerm = (claims: TokenClaims, term: Term | undefined): TokenClaims =>
  term === undefined ? claims : { ...claims, term };
