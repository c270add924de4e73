import type { IncomingMessage } from 'node:http';
import { apiError } from './errors.js';

/**
 * Reads a request body as text, up to `maxBytes`. Rejects with `body_too_large`,
 * `unsupported_encoding`, or the socket's error when the sender goes away; the HTTP server's
 * `requestTimeout` bounds the time.
 */
export async function readBody(req: IncomingMessage, maxBytes: number): Promise<string> {
  const encoding = req.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') throw apiError('unsupported_encoding');
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) throw apiError('body_too_large');
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else reject(apiError('body_too_large'));
    });
    req.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    req.on('error', reject);
    req.on('close', () => reject(apiError('body_timeout')));
  });
}
