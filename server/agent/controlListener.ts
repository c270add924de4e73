import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Handle = (request: IncomingMessage, response: ServerResponse) => boolean;

/** The agent's own HTTP server. */
export class ControlListener {
  readonly #server: Server;

  constructor(handle: Handle) {
    this.#server = http.createServer({ requestTimeout: 30_000 }, (request, response) => {
      response.on('error', () => response.destroy());
      if (request.method === 'GET' && request.url === '/health') {
        response.writeHead(200, { 'Content-Type': 'text/plain' }).end('okay');
      } else if (!handle(request, response)) {
        response
          .writeHead(404, { 'Content-Type': 'text/plain', Connection: 'close' })
          .end('not found');
      }
    });
    this.#server.maxConnections = 256;
    this.#server.on('connection', (socket) => socket.unref());
  }

  /** Resolves with the port. Rejects if the address cannot be had. */
  listen(options: { port: number; host: string | undefined }): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      // Exclusive: the workers of a cluster would share a port and the requests to it.
      this.#server.listen({ ...options, exclusive: true }, () => {
        this.#server.off('error', reject).on('error', () => undefined);
        this.#server.unref();
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
