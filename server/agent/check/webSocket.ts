import { randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { encodeFrame, FrameReader, opcodes } from './frames.js';

/** A WebSocket client that sends and receives binary messages. The caller must close it. */
export interface Socket {
  /** Called with each message; fragments of a message are not put together. */
  onMessage: (message: Buffer) => void;
  send(message: Uint8Array): void;
  /** Closes with the closing handshake, or without it if the server is slow. Resolves when it is closed. */
  close(): Promise<void>;
}

const closeWithinMs = 2_000;

/** Opens a WebSocket with exactly this request target. Rejects if the server does not accept it in time. */
export async function openSocket(url: URL, target: string, withinMs: number): Promise<Socket> {
  const stream = await upgrade(url, target, withinMs);
  const frames = new FrameReader();
  const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
  let isOpen = true;
  void closed.then(() => {
    isOpen = false;
  });
  stream.on('error', () => stream.destroy());
  stream.on('end', () => stream.end());
  stream.on('data', (chunk: Buffer) => {
    for (const { opcode, payload } of frames.read(chunk)) {
      if (opcode === opcodes.binary) socket.onMessage(payload);
      if (opcode === opcodes.ping) stream.write(encodeFrame(opcodes.pong, payload));
      if (opcode === opcodes.close) stream.end(encodeFrame(opcodes.close, payload));
    }
  });
  const socket: Socket = {
    onMessage: () => undefined,
    send: (message) => void stream.write(encodeFrame(opcodes.binary, message)),
    close: () => {
      if (isOpen && stream.writable)
        stream.write(encodeFrame(opcodes.close, Buffer.from([0x03, 0xe8])));
      const late = setTimeout(() => stream.destroy(), closeWithinMs);
      return closed.finally(() => clearTimeout(late));
    },
  };
  return socket;
}

function upgrade(url: URL, target: string, withinMs: number): Promise<Duplex> {
  const isSecure = url.protocol === 'wss:';
  const request = (isSecure ? https : http).request({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (isSecure ? 443 : 80),
    // Node writes the request line in Latin-1. This keeps each byte of a UTF-8 name.
    path: Buffer.from(target, 'utf8').toString('latin1'),
    agent: false,
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    },
  });
  const accepted = new Promise<Duplex>((resolve, reject) => {
    request.on('upgrade', (_response, socket, head) => {
      // Frames may have arrived together with the answer.
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.on('response', ({ statusCode }) => {
      reject(new Error(`the WebSocket was refused with ${statusCode}`));
      request.destroy();
    });
    request.on('error', reject);
  });
  const late = () =>
    request.destroy(new Error(`the WebSocket was not accepted within ${withinMs} ms`));
  const timer = setTimeout(late, withinMs);
  request.end();
  return accepted.finally(() => clearTimeout(timer));
}
