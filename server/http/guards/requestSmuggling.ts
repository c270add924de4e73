import type { IncomingMessage, RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { apiError } from '../errors.js';

/**
 * Refuses requests that Node's parser accepts but that a proxy in front may read differently (RFC 9112):
 * request smuggling. Throws `unsupported_encoding` or `invalid_host`.
 */
export function refuseRequestSmuggling(req: IncomingMessage): void {
  if (hasOddTransferCoding(req))
    throw apiError('unsupported_encoding', 'the only transfer coding is "chunked", in HTTP/1.1');
  if (hasDuplicateHost(req)) throw apiError('invalid_host');
}

/**
 * Closes the connection after the answer to such a request, and ignores what follows on it: a proxy may
 * take that for a part of the request.
 */
export function closeAfterRequestSmuggling(listener: RequestListener): RequestListener {
  const closing = new WeakSet<Socket>();
  return (req, res) => {
    if (closing.has(req.socket)) return;
    if (hasOddTransferCoding(req) || hasDuplicateHost(req)) {
      closing.add(req.socket);
      res.setHeader('Connection', 'close');
    }
    listener(req, res);
  };
}

/** Sections 6.1 and 7: anything but `chunked`, and `chunked` in HTTP/1.0, which does not know it. */
function hasOddTransferCoding({ headers, httpVersion }: IncomingMessage): boolean {
  const coding = headers['transfer-encoding'];
  return coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion === '1.0');
}

/** Section 3.2. Node's `headers` has only the first `Host`. */
export function hasDuplicateHost({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  // Names and values alternate.
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts > 1;
}
