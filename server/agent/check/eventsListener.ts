import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Body, parseBody } from './entries.js';
import { readText } from './readText.js';

/** A request that a server sent to the listener. */
export interface Post extends Body {
  /** The number of the URL that it was sent to. Undefined: to no URL of this run. */
  readonly epoch: number | undefined;
  readonly method: string;
  readonly target: string;
  readonly encoding: string;
  /** Whether the connection is closed, or the answer sent. */
  isOver: boolean;
}

/** A start-up query or a renewal. */
export interface Query {
  readonly parameters: URLSearchParams;
  readonly host: string;
  readonly target: string;
  readonly signature: string | undefined;
}

/** What the listener does with a post: answer 204, answer a status, close the connection, or never answer. */
export type Manner = number | 'close' | 'hang';

/** The dashboard's side of a check: it takes posts and start-up queries. The caller must close it. */
export class EventsListener {
  readonly posts: Post[] = [];
  readonly queries: Query[] = [];
  /** What to do with a post to the URL with this number. */
  mannerOf: (epoch: number | undefined, nthOfEpoch: number) => Manner = () => 204;
  /** The answer to a start-up query. Undefined: the connection is closed without one. */
  startupAnswer: () => Promise<string | undefined> = async () => undefined;
  readonly #server = http.createServer((request, response) => {
    this.#take(request, response).catch(() => response.destroy());
  });
  readonly #run: string;
  #origin = '';

  /** `run` distinguishes the URLs of this run from those of earlier ones. */
  constructor(run: string) {
    this.#run = run;
  }

  async listen(host: string, port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, host, resolve);
    });
    const { port: bound } = this.#server.address() as AddressInfo;
    this.#origin = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
  }

  /** The events URL with this number. */
  url(epoch: number, path = '/api/events?'): string {
    return `${this.#origin}${path}token=${this.#run}-${epoch}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #take(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { method = '', url: target = '', headers } = request;
    const text = await readText(request);
    if (method === 'GET') return await this.#answerQuery(target, headers, response);
    const [, epochText] = new RegExp(`[?&]token=${this.#run}-(\\d+)$`).exec(target) ?? [];
    const epoch = epochText === undefined ? undefined : Number(epochText);
    const nth = this.posts.filter((post) => post.epoch === epoch).length;
    const encoding = headers['content-encoding'] ?? '';
    const post: Post = { ...parseBody(text), epoch, method, target, encoding, isOver: false };
    response.on('close', () => {
      post.isOver = true;
    });
    this.posts.push(post);
    this.#reply(this.mannerOf(epoch, nth), response);
  }

  #reply(manner: Manner, response: http.ServerResponse): void {
    if (manner === 'close') response.destroy();
    else if (manner !== 'hang') response.writeHead(manner).end();
  }

  async #answerQuery(
    target: string,
    headers: http.IncomingHttpHeaders,
    response: http.ServerResponse,
  ): Promise<void> {
    const { pathname, searchParams } = new URL(target, 'http://x');
    if (pathname !== '/api/events/clients') return void response.writeHead(404).end();
    const signature = headers['dashboard-signature'];
    const host = headers.host ?? '';
    this.queries.push({ parameters: searchParams, host, target, signature: signature?.toString() });
    const answer = await this.startupAnswer();
    if (answer === undefined) response.destroy();
    else response.writeHead(200, { 'Content-Type': 'application/json' }).end(answer);
  }
}
