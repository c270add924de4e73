import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '../../support/eventually.js';

/** What a pub-sub server says when it is asked for the state of a room; `fail`: it cuts the connection. */
export type StateAnswer = { state: Uint8Array } | 'deny' | 'fail';

/** A pub-sub server that says what it holds of a room when a path says so, over HTTP. */
export class HeldServer {
  /** Rooms whose state is answered at once. */
  readonly open = new Map<string, StateAnswer>();
  readonly #asked = new Map<string, ServerResponse>();
  readonly #http = createServer((request, response) => {
    const [, room = ''] = /^\/api\/room\?id=(.*)$/.exec(request.url ?? '') ?? [];
    const answer = this.open.get(room);
    if (answer) say(response, answer);
    else this.#asked.set(room, response);
  });

  static async start(): Promise<HeldServer> {
    const server = new HeldServer();
    await new Promise<void>((resolve) => server.#http.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  /** Answers the question for a room as soon as it has come. */
  async answer(room: string, answer: StateAnswer): Promise<void> {
    const response = await eventually(() => {
      const asked = this.#asked.get(room);
      if (!asked) throw new Error(`nobody asks for the state of ${room}`);
      return asked;
    });
    this.#asked.delete(room);
    say(response, answer);
  }

  stop(): Promise<void> {
    this.#http.closeAllConnections();
    return new Promise((resolve) => this.#http.close(() => resolve()));
  }
}

function say(response: ServerResponse, answer: StateAnswer): void {
  if (answer === 'fail') response.socket?.resetAndDestroy();
  else if (answer === 'deny') response.writeHead(401).end('unauthorized');
  else response.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end(answer.state);
}
