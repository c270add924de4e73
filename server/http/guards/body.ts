import type { IncomingMessage } from 'node:http';
import { apiError } from '../errors.js';
import { GatheredBytes } from './gatheredBytes.js';

/** Limits of a request body. */
export interface BodyLimits {
  maxBodyBytes: number;
  bodyTimeoutMs: number;
}

/**
 * Reads a request body as text, within limits. Rejects with `body_too_large`, `body_timeout`,
 * `unsupported_encoding`, or the socket's error if the client disconnects.
 */
export async function readBody(
  req: IncomingMessage,
  { maxBodyBytes: maxBytes, bodyTimeoutMs }: BodyLimits,
): Promise<string> {
  const encoding = req.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') throw apiError('unsupported_encoding');
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) throw apiError('body_too_large');
  return new Promise<string>((resolve, reject) => {
    const body = new GatheredBytes();
    let isOver = false;
    let timer: NodeJS.Timeout | undefined;
    // Most bodies arrive with their headers. A timer for those would be a tenth of the cost of a post.
    process.nextTick(() => {
      if (req.complete || isOver) return;
      timer = setTimeout(() => reject(apiError('body_timeout')), bodyTimeoutMs);
    });
    const end = () => {
      isOver = true;
      clearTimeout(timer);
    };
    const fail = (error: Error) => {
      end();
      reject(error);
    };
    req.on('data', (chunk: Buffer) => {
      if (body.length + chunk.length <= maxBytes) body.add(chunk);
      else fail(apiError('body_too_large'));
    });
    req.on('end', () => {
      end();
      resolve(body.bytes().toString('utf8'));
    });
    req.on('error', fail);
  });
}
