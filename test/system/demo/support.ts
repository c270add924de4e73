import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach } from '@jest/globals';

type Cleanup = () => unknown;
const cleanups: Cleanup[] = [];

/** Cleans up after the test, newest first. */
export function owns<T>(thing: T, end: (thing: T) => unknown): T {
  cleanups.push(() => end(thing));
  return thing;
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A request that the fake dashboard received. */
export interface Received {
  method: string;
  url: string;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** A dashboard that records requests of pub-sub servers and sends scripted answers. */
export interface FakeDashboard {
  url: string;
  received: Received[];
  /** The deltas in order of arrival. */
  deltas(): unknown[];
  /** The answer to all further requests; undefined: it hangs. */
  answer: ((request: Received) => FakeAnswer | undefined) | undefined;
  /** Takes what answers a request later, while `answer` is undefined. */
  hold: ((answer: (reply: FakeAnswer) => void) => void) | undefined;
}

/** What a fake dashboard answers. */
export interface FakeAnswer {
  status: number;
  body: string;
  headers?: http.OutgoingHttpHeaders;
}

/** Starts a fake dashboard for one test. */
export async function startFakeDashboard(): Promise<FakeDashboard> {
  const received: Received[] = [];
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { method = '', url = '', headers } = request;
    received.push({ method, url, headers, body });
    const send = (reply: FakeAnswer) =>
      response.writeHead(reply.status, reply.headers).end(reply.body);
    const reply = dashboard.answer?.({ method, url, headers, body });
    if (reply) send(reply);
    else dashboard.hold?.(send);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owns(server, () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const dashboard: FakeDashboard = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    deltas: () =>
      received.filter(({ method }) => method === 'POST').flatMap(({ body }) => JSON.parse(body)),
    answer: () => ({ status: 200, body: '{"active":false,"eventsUrl":"http://127.0.0.1:1/"}' }),
    hold: undefined,
  };
  return dashboard;
}

/** A raw answer. */
export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  bytes: Buffer;
  text: string;
}

/** Sends a request with exactly this path. */
export function send(port: number, method: string, path: string, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, agent: false, timeout: 5_000 };
    const request = http.request(options, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const { statusCode = 0, headers } = response;
      resolve({ status: statusCode, headers, bytes, text: bytes.toString() });
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
    if (body !== undefined) request.setHeader('content-type', 'application/json');
    request.end(body);
  });
}

/** Sends `PUT /api/dashboard`, as the service does. */
export function activate(port: number, activation: { active: boolean; eventsUrl: string }) {
  return send(port, 'PUT', '/api/dashboard', JSON.stringify(activation));
}

/** Joins a room, and never answers a ping or a close: a client whose network is gone. */
export function openMuteConnection(port: number, room: string): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = owns(net.connect(port, '127.0.0.1'), (it) => it.destroy());
    socket.on('error', reject);
    socket.once('data', () => resolve(socket));
    socket.write(
      `GET /${room} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
  });
}
