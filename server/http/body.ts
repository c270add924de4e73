import type { IncomingMessage } from 'node:http';
import { apiError } from './errors.js';

/** What a body may take of this service. */
export interface BodyLimits {
  maxBodyBytes: number;
  bodyTimeoutMs: number;
}

/**
 * Reads a request body as text, within limits. Rejects with `body_too_large`, `body_timeout`,
 * `unsupported_encoding`, or the socket's error when the sender goes away.
 */
export async function readBody(
  req: IncomingMessage,
  { maxBodyBytes: maxBytes, bodyTimeoutMs }: BodyLimits,
): Promise<string> {
  const encoding = req.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') throw apiError('unsupported_encoding');
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) throw apiError('body_too_large');
  let timer: NodeJS.Timeout | undefined;
  const body = new Promise<string>((resolve, reject) => {
    timer = setTimeout(() => reject(apiError('body_timeout')), bodyTimeoutMs);
    const chunks: Buffer[] = [];
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else reject(apiError('body_too_large'));
    });
    req.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    req.on('error', reject);
  });
  return body.finally(() => clearTimeout(timer));
}
