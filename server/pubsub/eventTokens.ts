import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Epoch, ServerId } from '../../machines/ports.js';
import { BoundedMap } from '../boundedMap.js';

/** What a token says of the deltas that are posted under it. */
export type TokenClaims =
  /** They are this server's, from after this epoch's snapshot. */
  | { kind: 'server'; server: ServerId; epoch: Epoch; fromStartup: boolean }
  /** They come from some server at this address, and cannot be counted. */
  | { kind: 'address'; address: string };

/** Characters of six bits each. */
const macLength = 22;
const maxRemembered = 8192;

/** The tokens in events URLs: unguessable, of one run of this service, each naming a server and an epoch. */
export class EventTokens {
  readonly #secret: Buffer;
  /** Tokens read before: one look-up for each delta instead of a MAC. */
  readonly #read = new BoundedMap<string, TokenClaims>(maxRemembered);

  constructor(secret: Buffer = randomBytes(32)) {
    this.#secret = secret;
  }

  mint(claims: TokenClaims): string {
    const parts =
      claims.kind === 'server'
        ? [claims.server, claims.epoch, Number(claims.fromStartup)]
        : [claims.address];
    const payload = Buffer.from(JSON.stringify(parts)).toString('base64url');
    return `${payload}.${this.#mac(payload)}`;
  }

  /** The claims of a token that this run minted; undefined for every other text. */
  read(token: string): TokenClaims | undefined {
    const known = this.#read.get(token);
    if (known) return known;
    const [payload = '', mac = '', ...rest] = token.split('.');
    // The text and not its bytes: decoding would take many texts for the same MAC.
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

/** What `mint` wrote; nobody else can have written it. */
function readParts(json: string): TokenClaims {
  const [subject, epoch, fromStartup] = JSON.parse(json) as [string, Epoch?, number?];
  if (epoch === undefined) return { kind: 'address', address: subject };
  return { kind: 'server', server: subject as ServerId, epoch, fromStartup: fromStartup === 1 };
}
