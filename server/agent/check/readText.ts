import type { IncomingMessage } from 'node:http';

const maxBytes = 16 * 1024 * 1024;

/** Reads a message as bytes. Rejects if it is too large or breaks off. */
export async function readBytes(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`a body is over ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Reads a message as UTF-8. */
export async function readText(message: IncomingMessage): Promise<string> {
  return (await readBytes(message)).toString('utf8');
}
