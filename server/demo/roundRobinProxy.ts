import {
  type ClientRequest,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { readBody } from '../agent/readBody.js';

/** A small HTTP load balancer in front of several instances. The caller must stop it. */
export interface RoundRobinProxy {
  readonly url: string;
  /** The instances that get new requests. */
  ready(): string[];
  stop(): Promise<void>;
}

/** The settings of a proxy. */
export interface RoundRobinOptions {
  /** URLs of the instances, which may be absent. */
  instances: readonly string[];
  /** Default `127.0.0.1`. Also the address that instances are asked from. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /** How often `GET /ready` is asked. Default 250 ms. */
  checkEveryMs?: number;
  /** Adds the client's address as `X-Forwarded-For`. Default false: instances see it as the proxy does. */
  forwardsAddress?: boolean;
  /** Deadline of a check. Default 1,000 ms. */
  checkWithinMs?: number;
  /** Deadline of the head of every other answer. Default 10,000 ms. */
  answerWithinMs?: number;
}

/** An instance as the proxy sees it. */
interface Target {
  readonly url: URL;
  isReady: boolean;
  /** Requests without the head of an answer. */
  readonly waiting: Set<ClientRequest>;
}

/** A request as it is sent on. */
interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

type Settings = Required<RoundRobinOptions>;

const defaults = {
  host: '127.0.0.1',
  port: 0,
  forwardsAddress: false,
  checkEveryMs: 250,
  checkWithinMs: 1_000,
  answerWithinMs: 10_000,
};

const maxBodyBytes = 1024 * 1024;

/**
 * Gives every request to the next instance that is ready. A stream stays where it is. An instance that
 * does not answer is left out until `/ready` is 200 again, and a request without a body goes on to the
 * next one. Requests are passed on unchanged, as by a balancer of TCP connections, unless `forwardsAddress`
 * is set. Answers have the header `X-Served-By`, with the URL of the instance.
 */
export async function startRoundRobinProxy(options: RoundRobinOptions): Promise<RoundRobinProxy> {
  const balancer = new Balancer({ ...defaults, ...options });
  await balancer.listen();
  return {
    url: balancer.url,
    ready: () => balancer.ready().map(({ url }) => url.origin),
    stop: () => balancer.stop(),
  };
}

class Balancer {
  readonly #settings: Settings;
  readonly #targets: readonly Target[];
  readonly #server: Server;
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#targets = settings.instances.map(targetOf);
    this.#server = createServer((req, res) => void this.#serve(req, res));
  }

  get url(): string {
    return `http://${this.#settings.host}:${(this.#server.address() as AddressInfo).port}`;
  }

  ready(): Target[] {
    return this.#targets.filter(({ isReady }) => isReady);
  }

  async listen(): Promise<void> {
    const { host, port, checkEveryMs } = this.#settings;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, host, resolve);
    });
    this.#timer = setInterval(() => void this.#checkAll(), checkEveryMs);
    await this.#checkAll();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #checkAll(): Promise<void> {
    await Promise.all(this.#targets.map((target) => this.#check(target)));
  }

  async #check(target: Target): Promise<void> {
    try {
      const { checkWithinMs } = this.#settings;
      const check = { method: 'GET', path: '/ready', headers: {}, body: noBody };
      const answer = await this.#ask(target, check, checkWithinMs);
      answer.resume();
      target.isReady = answer.statusCode === 200;
    } catch {
      target.isReady = false;
      for (const asked of target.waiting) asked.destroy();
    }
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await readBody(req, maxBodyBytes).catch(() => undefined);
    if (!body) return void res.destroy();
    const { method = 'GET', url: path = '/' } = req;
    const headers = this.#headersOf(req);
    for (const target of this.#inTurn()) {
      try {
        const sent = { method, path, headers, body };
        return passOn(await this.#ask(target, sent, undefined, res), res, target);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ECONNREFUSED') target.isReady = false;
        // A post that was sent may have been applied.
        else if (body.length > 0) break;
        if (res.destroyed) return;
      }
    }
    if (!res.destroyed) res.writeHead(503, { 'Retry-After': '1' }).end('no instance answers\n');
  }

  #headersOf({ headers, socket }: IncomingMessage): IncomingHttpHeaders {
    if (!this.#settings.forwardsAddress) return headers;
    return { ...headers, 'x-forwarded-for': socket.remoteAddress ?? '' };
  }

  #inTurn(): Target[] {
    const ready = this.ready();
    const first = this.#turn % Math.max(1, ready.length);
    this.#turn += 1;
    return [...ready.slice(first), ...ready.slice(0, first)];
  }

  /** Resolves with the head of the answer. Ends with the client, if there is one. */
  #ask(
    target: Target,
    sent: Sent,
    withinMs = this.#settings.answerWithinMs,
    client?: ServerResponse,
  ): Promise<IncomingMessage> {
    const { hostname, port } = target.url;
    const { method, path, body } = sent;
    const headers = { ...endToEnd(sent.headers), 'content-length': body.length };
    const where = { hostname, port, localAddress: this.#settings.host, agent: false };
    return new Promise((resolve, reject) => {
      const asked = request({ ...where, method, path, headers });
      const late = setTimeout(() => asked.destroy(new Error('no answer in time')), withinMs);
      const leave = () => void asked.destroy();
      client?.once('close', leave);
      target.waiting.add(asked);
      const answered = () => {
        clearTimeout(late);
        target.waiting.delete(asked);
      };
      asked.once('close', () => {
        answered();
        client?.off('close', leave);
        reject(new Error('closed'));
      });
      asked.once('response', (answer) => {
        answered();
        resolve(answer);
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }
}

const targetOf = (url: string): Target => ({
  url: new URL(url),
  isReady: false,
  waiting: new Set(),
});

const noBody = Buffer.alloc(0);
const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding']);

const endToEnd = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)));

function passOn(answer: IncomingMessage, res: ServerResponse, { url }: Target): void {
  const headers = { ...endToEnd(answer.headers), 'x-served-by': url.origin };
  res.writeHead(answer.statusCode ?? 502, headers);
  res.flushHeaders();
  answer.pipe(res);
  // The instance died in the middle of its answer: so does the connection here.
  answer.once('close', () => answer.complete || res.destroy());
}
