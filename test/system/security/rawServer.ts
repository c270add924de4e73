import { type AddressInfo, createServer, type Socket } from 'node:net';
import { toServerId } from '../../../server/addresses.js';
import { owns } from '../../support/stage.js';

/** A TCP server in place of a pub-sub server. It answers as one and keeps every byte that it receives. */
export interface RawServer {
  id: string;
  port: number;
  /** What each connection received, one character per byte. */
  received: string[];
  /** Where it was told to post its deltas. */
  eventsUrl: string | undefined;
}

/** Starts one without rooms. It answers every request for a document with an empty one. */
export async function startRawServer(): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    const place = raw.received.push('') - 1;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      raw.received[place] += bytes.toString('latin1');
      const reply = replyTo(raw.received[place] ?? '', raw);
      if (reply !== undefined) socket.end(reply, 'latin1');
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  const raw: RawServer = {
    id: toServerId('127.0.0.1', port),
    port,
    received: [],
    eventsUrl: undefined,
  };
  return owns(raw, () => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  });
}

/** Undefined while the request is incomplete. */
function replyTo(text: string, raw: RawServer): string | undefined {
  const [head = '', body] = text.split('\r\n\r\n', 2);
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
  if (body === undefined || body.length < length) return undefined;
  const answer = (type: string, content: string) =>
    `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${content.length}\r\nConnection: close\r\n\r\n${content}`;
  if (head.startsWith('GET /api/room?id=')) return answer('application/octet-stream', '\0\0');
  if (!head.startsWith('PUT ')) return answer('text/plain', 'okay');
  raw.eventsUrl = JSON.parse(body).eventsUrl;
  return answer('application/json', '[]');
}
