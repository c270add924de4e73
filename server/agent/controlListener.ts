import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerText } from './refusal.js';

type Handle = (request: IncomingMessage, response: ServerResponse) => boolean;

const maxConnections = 256;
const requestTimeoutMs = 30_000;

/** The agent's own HTTP server, on one or several addresses. It does not keep the process alive. */
export class ControlListener {
  readonly #handle: Handle;
  readonly #servers = new Set<Server>();

  constructor(handle: Handle) {
    this.#handle = handle;
  }

  /** Listens on the same port of every host. Resolves with it; rejects if the first cannot be had. */
  async listen(port: number, [first, ...others]: readonly (string | undefined)[]): Promise<number> {
    const actual = await this.#listenOn(port, first);
    // Not every machine has IPv6.
    for (const host of others) await this.#listenOn(actual, host).catch(() => undefined);
    return actual;
  }

  close(): void {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
    this.#servers.clear();
  }

  async #listenOn(port: number, host: string | undefined): Promise<number> {
    const server = http.createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
      if (this.#handle(request, response)) return;
      request.resume();
      response.on('error', () => response.destroy()).setHeader('Connection', 'close');
      answerText(response, 404, 'not found');
    });
    server.maxConnections = maxConnections;
    server.on('connection', (socket) => socket.unref());
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      // Exclusive: the workers of a cluster would share a port, and the requests to it.
      server.listen({ port, host, exclusive: true }, () => resolve());
    });
    server.on('error', () => undefined).unref();
    this.#servers.add(server);
    return (server.address() as AddressInfo).port;
  }
}
