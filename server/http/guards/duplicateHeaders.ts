import type { IncomingMessage, RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { apiError } from '../errors.js';

/**
 * What Node's parser takes, though another one in front of this service may read it differently
 * (RFC 9112). Throws `unsupported_encoding` or `invalid_host`.
 */
export function requireOneReading(req: IncomingMessage): void {
  if (!isPlain(req)) throw apiError('unsupported_encoding', 'no transfer coding but "chunked"');
  if (hasManyHosts(req)) throw apiError('invalid_host');
}

/**
 * Has the connection of such a request closed with its answer, and nothing more taken from it: what
 * comes behind it may be a part of it for somebody.
 */
export function closingAfterTwoReadings(listener: RequestListener): RequestListener {
  const closing = new WeakSet<Socket>();
  return (req, res) => {
    if (closing.has(req.socket)) return;
    if (!isPlain(req) || hasManyHosts(req)) {
      closing.add(req.socket);
      res.setHeader('Connection', 'close');
    }
    listener(req, res);
  };
}

/** Sections 6.1 and 7: bodies may come in chunks, which HTTP/1.0 does not know, and in no other coding. */
function isPlain({ headers, httpVersion }: IncomingMessage): boolean {
  const coding = headers['transfer-encoding'];
  return coding === undefined || (coding.toLowerCase() === 'chunked' && httpVersion !== '1.0');
}

/** Section 3.2. Of several Node tells the first. */
export function hasManyHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  // Every second one is a value.
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts > 1;
}
