import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import type { Networks } from '../../addresses.js';
import { apiError } from '../errors.js';
import { remoteAddress } from '../remoteAddress.js';

/** How people sign in at a proxy: `PROXY_USER_HEADER` and `SIGN_OUT_URL`. */
export interface ProxySignIn {
  /** The header that names the person, in lower case. */
  header: string;
  /** Where they sign out; undefined: it is not configured. */
  signOutUrl: string | undefined;
  /** How long an answer to such a person lasts. A stream then reconnects, and the proxy decides again. */
  answerMs: number;
}

/** The usual time. */
export const proxyAnswerMs = 60 * 60 * 1000;

/** Longest name of a user, in characters. */
const maxLength = 256;

/** Recognizes people who signed in at a trusted proxy, by the header in which it names them. */
export class ProxyUsers {
  readonly #header: string;
  readonly #trusted: Networks;

  constructor(header: string, trusted: Networks) {
    this.#header = header;
    this.#trusted = trusted;
  }

  /**
   * The name of the user. Undefined: the proxy names nobody, or somebody else sent the request; any client can send
   * the header. Throws `invalid_user` unless it is one name in one header: a proxy that adds its header to that of
   * its client sends two, or joins them with a comma.
   */
  of(ctx: Context): string | undefined {
    if (!this.#trusted.includes(remoteAddress(ctx))) return undefined;
    const values = valuesOf(ctx.req, this.#header);
    if (values.length > 1) throw apiError('invalid_user');
    const name = decoded(values[0] ?? '');
    if (name === '') return undefined;
    if (name.length <= maxLength && !/[\p{Cc},]/u.test(name)) return name;
    throw apiError('invalid_user');
  }
}

/** All values of a header. Node's `headers` joins them. */
function valuesOf({ rawHeaders }: IncomingMessage, header: string): string[] {
  // Names and values alternate.
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === header);
}

/** Node reads headers as Latin-1. Proxies send names in UTF-8. */
function decoded(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  const text = bytes.toString('utf8');
  return (text.includes('\ufffd') ? value : text).trim();
}
