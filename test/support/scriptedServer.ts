/** A scripted double of a pub-sub server over real HTTP, for faults that a real server cannot produce. */

import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { ServerId } from '../../machines/ports.js';
import { toServerId } from '../../server/addresses.js';

/**
 * When a faulty PUT sets the flag and the URL: on arrival; only when its answer goes out (after a
 * delay or a hang: a late application); or not at all. The snapshot is taken in that same instant.
 */
export type Effect = 'onArrival' | 'onAnswer' | 'never';

/** How a request is answered. In brackets: when a PUT takes effect by default. */
export type Fault =
  /** The normal answer [onArrival]. */
  | { kind: 'normal' }
  /** This status with a text body, 500 by default [never]. */
  | { kind: 'status'; status?: number; effect?: Effect }
  /** 200 with this body: `[{"a":1},{"a":2},{}]`, HTML, nothing [onArrival]. */
  | { kind: 'body'; body: string; contentType?: string; effect?: Effect }
  /** 200 with an HTML page, as of a proxy or another program [never]. */
  | { kind: 'html'; effect?: Effect }
  /** 200 without a body [never]. */
  | { kind: 'empty'; effect?: Effect }
  /** 302 to this place [never]. */
  | { kind: 'redirect'; location: string; effect?: Effect }
  /** The connection is reset without an answer [never]. */
  | { kind: 'reset'; effect?: Effect }
  /** No answer until `release()`, then the normal one [onAnswer]. */
  | { kind: 'hang'; effect?: 'onArrival' | 'onAnswer' }
  /** The normal answer, this much later [onArrival]. */
  | { kind: 'delay'; delayMs: number; effect?: 'onArrival' | 'onAnswer' }
  /** The first half of the answer. With `cut` the connection is then reset [onArrival]. */
  | { kind: 'truncated'; cut?: boolean }
  /** The answer with more than this many spaces: still valid JSON [onArrival]. */
  | { kind: 'oversized'; bytes: number };

/** A fault, for PUT by default, for the next `times` requests or (without `times`) from now on. */
export type Script = Fault & { to?: 'put' | 'health'; times?: number };

/** A received request. `at` is `performance.now()` on arrival. */
export interface SeenRequest {
  method: string;
  /** The raw request target. */
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  at: number;
}

/** The outcome of a post: the status of the answer, or why it was lost. */
export type PostOutcome = { status: number } | { lost: string };

/** How a delta is posted. */
export interface PostOptions {
  /** Delay of the post. Its URL is that of the moment when the connection opened or closed. */
  delayMs?: number;
  /** Count the connection, but never post it. */
  lose?: true;
  /** Post to this URL, even if inactive. */
  url?: string;
}

/** A start-up query: `port` and `run` are what our own pub-sub side adds to it. */
export interface StartupOptions {
  port?: number;
  run?: string;
  /** Other parameters. */
  also?: Record<string, string>;
  /** The answer is applied when this settles, to let a PUT overtake it. */
  appliedAfter?: Promise<unknown>;
}

/** The answer to a start-up query, as parsed. */
export interface StartupAnswer {
  active: boolean;
  eventsUrl?: string;
}

/** What a server with an agent tells of itself. */
export interface ToldOfAgent {
  capabilities?: readonly string[];
  [fact: string]: unknown;
}

/** A running scripted server. Tests may set `active`, `eventsUrl` and `rooms` as they need them. */
export interface ScriptedServer {
  readonly id: ServerId;
  readonly port: number;
  readonly requests: SeenRequest[];
  /** Requests that would crash or hang a deployed server. Tests expect none. */
  readonly fatal: string[];
  active: boolean;
  eventsUrl: string | undefined;
  /** What it tells of itself in the header `Dashboard-Agent`, and does. Deployed servers have none. */
  agent: ToldOfAgent | undefined;
  /** Connections of every room in memory, 0 included. */
  readonly rooms: Map<string, number>;
  /** A script with `times` is queued. One without replaces all others for its kind of request. */
  respond(script: Script): void;
  /** Answers every hanging request. */
  release(): void;
  /** Opens a connection. Resolves when its post is answered or lost, and never rejects. */
  open(room: string, options?: PostOptions): Promise<PostOutcome>;
  /** Closes a connection. A room without connections is forgotten. */
  close(room: string, options?: PostOptions): Promise<PostOutcome>;
  /** Asks `<dashboardUrl>/api/events/clients` and applies the answer as a starting server does. */
  askAtStartup(dashboardUrl: string, options?: StartupOptions): Promise<StartupAnswer>;
  /**
   * Asks again, as a server with an agent does once a minute, and applies the answer as that does: it
   * starts or stops to post, but never posts to another URL.
   */
  renew(dashboardUrl: string, options?: StartupOptions): Promise<StartupAnswer>;
  /** Restarts: inactive, without rooms, connections and hanging requests. Posts that were sent still arrive. */
  restart(): void;
  /** Closes every socket, drops delayed posts, and frees the port. */
  stop(): Promise<void>;
}

/** Starts a server, on a free port by default. The caller stops it. */
export async function startScriptedServer({
  host = '127.0.0.1',
  port = 0,
}: {
  host?: string;
  port?: number;
} = {}): Promise<ScriptedServer> {
  const server = new Scripted();
  await server.listen(host, port);
  return server;
}

interface Reply {
  type: string;
  body: string;
  status?: number;
  location?: string;
}

const okay: Reply = { type: 'text/plain; charset=utf-8', body: 'okay' };
const unauthorized: Reply = { ...okay, body: 'unauthorized', status: 401 };
const notFound: Reply = { ...okay, body: 'not in memory', status: 404 };
const byName = '/api/room?name=';
const neverByDefault = new Set<Fault['kind']>(['status', 'html', 'empty', 'redirect', 'reset']);

class Scripted implements ScriptedServer {
  readonly requests: SeenRequest[] = [];
  readonly fatal: string[] = [];
  readonly rooms = new Map<string, number>();
  active = false;
  eventsUrl: string | undefined;
  agent: ToldOfAgent | undefined;
  id = '' as ServerId;
  port = 0;

  /** Scripts by kind of request: first those with `times`, in order, then the lasting one. */
  readonly #scripts = {
    put: { next: [] as Fault[], lasting: { kind: 'normal' } as Fault },
    health: { next: [] as Fault[], lasting: { kind: 'normal' } as Fault },
  };
  readonly #hanging = new Set<() => void>();
  readonly #timers = new Map<NodeJS.Timeout, () => void>();
  /** A socket for each request, as older Node has it: nothing keeps deltas in order. */
  readonly #agent = new Agent({ keepAlive: false });
  readonly #http = createServer((request, response) => void this.#receive(request, response));
  /** Increases with every restart: requests to an earlier process have no effect on a later one. */
  #process = 0;

  async listen(host: string, port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject).listen(port, host, resolve);
    });
    this.port = (this.#http.address() as AddressInfo).port;
    this.id = toServerId(host, this.port);
  }

  respond({ to = 'put', times, ...fault }: Script): void {
    const scripts = this.#scripts[to];
    if (times !== undefined) {
      scripts.next.push(...Array.from({ length: times }, () => fault));
      return;
    }
    scripts.next.length = 0;
    scripts.lasting = fault;
  }

  release(): void {
    for (const resume of this.#hanging) resume();
    this.#hanging.clear();
  }

  open(room: string, options: PostOptions = {}): Promise<PostOutcome> {
    this.rooms.set(room, (this.rooms.get(room) ?? 0) + 1);
    return this.#announce(room, 1, options);
  }

  close(room: string, options: PostOptions = {}): Promise<PostOutcome> {
    const count = this.rooms.get(room) ?? 0;
    if (count === 0) throw new Error(`room "${room}" has no connection to close`);
    if (count === 1) this.rooms.delete(room);
    else this.rooms.set(room, count - 1);
    return this.#announce(room, -1, options);
  }

  async askAtStartup(dashboardUrl: string, options: StartupOptions = {}): Promise<StartupAnswer> {
    const asking = this.#process;
    const answer = await this.#ask(dashboardUrl, options);
    await options.appliedAfter?.catch(() => undefined);
    if (answer.active && this.#process === asking) {
      this.active = true;
      this.eventsUrl = answer.eventsUrl;
    }
    return answer;
  }

  async renew(dashboardUrl: string, options: StartupOptions = {}): Promise<StartupAnswer> {
    const { active, eventsUrl } = this;
    const also = { renewal: 'true', active: `${active}`, ...(eventsUrl && { eventsUrl }) };
    const answer = await this.#ask(dashboardUrl, {
      ...options,
      also: { ...also, ...options.also },
    });
    if (answer.active === this.active) return answer;
    this.active = answer.active;
    if (answer.active) this.eventsUrl = answer.eventsUrl;
    return answer;
  }

  async #ask(dashboardUrl: string, { port, run, also }: StartupOptions): Promise<StartupAnswer> {
    const parameters = new URLSearchParams({
      ...(port !== undefined && { port: `${port}` }),
      ...(run !== undefined && { run }),
      ...also,
    });
    const query = parameters.size > 0 ? `?${parameters}` : '';
    const { body } = await this.#send('GET', `${dashboardUrl}/api/events/clients${query}`);
    const answer = parseJson(body) as StartupAnswer | null | undefined;
    if (answer !== undefined && answer !== null) return answer;
    this.fatal.push(`start-up query answered ${JSON.stringify(body)}`);
    throw new Error(`The start-up query was answered with no JSON: ${body}`);
  }

  restart(): void {
    this.#process += 1;
    this.active = false;
    this.eventsUrl = undefined;
    this.rooms.clear();
    this.#hanging.clear();
    this.#http.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.#process += 1;
    this.#hanging.clear();
    for (const [timer, drop] of this.#timers) {
      clearTimeout(timer);
      drop();
    }
    this.#timers.clear();
    this.#agent.destroy();
    if (!this.#http.listening) return;
    await new Promise<void>((resolve) => {
      this.#http.close(() => resolve());
      this.#http.closeAllConnections();
    });
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '' } = request;
    const at = performance.now();
    const body = await readText(request).catch(() => undefined);
    if (body === undefined) return;
    const { headers } = request;
    this.requests.push({ method, path, headers, body, at });
    if (path === '/api/dashboard') this.#receiveAtDashboard(method, body, response);
    else if (method === 'PUT') answer(response, unauthorized);
    else if (method === 'GET') this.#receiveGet(path, response);
    // Anything else is never answered.
  }

  #receiveAtDashboard(method: string, body: string, response: ServerResponse): void {
    if (method !== 'PUT') {
      this.fatal.push(`${method} /api/dashboard is never answered`);
      return;
    }
    const wish = parseWish(body);
    if (!wish) {
      this.fatal.push(`PUT /api/dashboard with ${JSON.stringify(body)}`);
      reset(response);
      return;
    }
    if (this.agent) response.setHeader('Dashboard-Agent', asciiJson(this.agent));
    void this.#play('put', response, () => {
      this.active = wish.active;
      this.eventsUrl = wish.eventsUrl;
      return this.active ? this.#snapshot() : okay;
    });
  }

  #receiveGet(path: string, response: ServerResponse): void {
    if (path === '/' || path === '/health') void this.#play('health', response, () => okay);
    if (path.startsWith(byName) && this.agent?.capabilities?.includes('names'))
      this.#answerRoom(decodeURIComponent(path.slice(byName.length)), notFound, response);
    // Cut and undecoded, as the deployed program does it.
    if (path.startsWith('/api/room?id='))
      this.#answerRoom(path.split('=')[1]?.split('?')[0] ?? '', unauthorized, response);
  }

  #answerRoom(room: string, absent: Reply, response: ServerResponse): void {
    if (!this.rooms.has(room)) answer(response, absent);
    else answer(response, { type: 'application/octet-stream', body: '\0\0' });
  }

  /** Answers with the next script. `apply` makes the request take effect and returns the normal answer. */
  async #play(to: 'put' | 'health', response: ServerResponse, apply: () => Reply): Promise<void> {
    const playing = this.#process;
    const fault = this.#scripts[to].next.shift() ?? this.#scripts[to].lasting;
    const effect = effectOf(fault);
    const early = effect === 'onArrival' ? apply() : undefined;
    if (fault.kind === 'hang') await new Promise<void>((resolve) => this.#hanging.add(resolve));
    if (fault.kind === 'delay') await this.#wait(fault.delayMs);
    if (this.#process !== playing) return;
    const late = effect === 'onAnswer' ? apply() : undefined;
    const reply = bend(fault, early ?? late ?? okay);
    if (fault.kind === 'reset') reset(response);
    else if (fault.kind === 'truncated' && fault.cut) cut(response, reply);
    else answer(response, reply);
  }

  /** One object for each room; `__proto__` is lost in its object, as in the deployed program. */
  #snapshot(): Reply {
    const entries = [...this.rooms].map(([room, count]) =>
      room === '__proto__' ? {} : { [room]: count },
    );
    return { type: 'application/json', body: JSON.stringify(entries) };
  }

  async #announce(
    room: string,
    add: 1 | -1,
    { delayMs, lose, url = this.active ? this.eventsUrl : undefined }: PostOptions,
  ): Promise<PostOutcome> {
    if (lose) return { lost: 'as scripted' };
    if (url === undefined) return { lost: 'not active' };
    if (delayMs !== undefined && !(await this.#wait(delayMs))) return { lost: 'stopped' };
    try {
      const { status } = await this.#send('POST', url, JSON.stringify({ room, add }));
      return { status };
    } catch (error) {
      return { lost: (error as Error).message };
    }
  }

  /** True after this time, false if the server stops first. */
  #wait(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve(true);
      }, ms);
      this.#timers.set(timer, () => resolve(false));
    });
  }

  /** Sends as axios does, but follows no redirect. The path goes out verbatim, a fragment does not. */
  #send(method: string, url: string, body?: string): Promise<{ status: number; body: string }> {
    const { hostname, port } = new URL(url);
    const [, target = '/'] = /^\w+:\/\/[^/?#]*([^#]*)/.exec(url) ?? [];
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({
        method,
        host: isIPv6(hostname.slice(1, -1)) ? hostname.slice(1, -1) : hostname,
        port: port || 80,
        path: target.startsWith('/') ? target : `/${target}`,
        agent: this.#agent,
        headers: {
          Accept: 'application/json, text/plain, */*',
          'User-Agent': 'axios/1.7.9',
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
      });
      outgoing.on('error', reject);
      outgoing.on('response', (incoming) => {
        readText(incoming).then(
          (text) => resolve({ status: incoming.statusCode ?? 0, body: text }),
          reject,
        );
      });
      outgoing.end(body);
    });
  }
}

/** As the agent writes it: headers are ASCII. */
const asciiJson = (value: unknown) =>
  JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

function effectOf(fault: Fault): Effect {
  if ('effect' in fault && fault.effect) return fault.effect;
  if (neverByDefault.has(fault.kind)) return 'never';
  return fault.kind === 'hang' ? 'onAnswer' : 'onArrival';
}

/** The answer as the fault changes it. `#play` changes the connection. */
function bend(fault: Fault, reply: Reply): Reply {
  switch (fault.kind) {
    case 'status':
      return { ...okay, body: 'fault', status: fault.status ?? 500 };
    case 'body':
      return { type: fault.contentType ?? reply.type, body: fault.body };
    case 'html':
      return { type: 'text/html', body: '<!doctype html><h1>It works!</h1>' };
    case 'empty':
      return { ...reply, body: '' };
    case 'redirect':
      return { ...okay, body: '', status: 302, location: fault.location };
    case 'truncated':
      return { ...reply, body: reply.body.slice(0, Math.ceil(reply.body.length / 2)) };
    case 'oversized':
      return { ...reply, body: reply.body[0] + ' '.repeat(fault.bytes) + reply.body.slice(1) };
    default:
      return reply;
  }
}

function answer(response: ServerResponse, { status = 200, type, body, location }: Reply): void {
  // Headers on their own, so that the answer is chunked as the deployed program's.
  response.writeHead(status, { 'Content-Type': type, ...(location && { Location: location }) });
  response.end(body);
}

function cut(response: ServerResponse, { type, body }: Reply): void {
  response.writeHead(200, { 'Content-Type': type });
  response.write(body, () => reset(response));
}

function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

async function readText(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseWish(body: string): { active: boolean; eventsUrl: string } | undefined {
  const wish = parseJson(body) as { active?: unknown; eventsUrl?: unknown } | null | undefined;
  if (typeof wish?.active !== 'boolean' || typeof wish.eventsUrl !== 'string') return undefined;
  return { active: wish.active, eventsUrl: wish.eventsUrl };
}
