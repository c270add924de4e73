import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { BrokenContent, type ContentFault } from './brokenContent.js';

/** What a server does wrong. */
export type Fault =
  | ContentFault
  | 'announces names without finding them'
  | 'announces what is not JSON'
  | 'accepts bad bodies'
  | 'announces connections from before the answer'
  | 'answers 404 for an absent room'
  | 'answers a snapshot as text/plain'
  | 'answers false with 500'
  | 'answers health with 500'
  | 'answers text instead of a snapshot'
  | 'answers the content of an empty document'
  | 'answers the document as text'
  | 'assigns names in the snapshot'
  | 'changes the URL'
  | 'counts in an object'
  | 'creates a room to look'
  | 'decodes names'
  | 'ends at a bad body'
  | 'ends without an answer'
  | 'ignores the answer'
  | 'ignores what was overtaken'
  | 'keeps the first URL'
  | 'lets clients wait for posts'
  | 'never gives up a post'
  | 'goes on with a URL that is answered 404'
  | 'posts an invalid body'
  | 'serves strangers'
  | 'posts changes later that happened while inactive'
  | 'posts each change twice'
  | 'posts no closed connections'
  | 'posts while inactive'
  | 'reports changed rooms only'
  | 'retries a refused post'
  | 'sends no start-up query'
  | 'sends the start-up query without its port'
  | 'sets the URL after the snapshot'
  | 'stops after a refused post'
  | 'takes the snapshot after the URL'
  | 'takes the snapshot when the request begins';

/** A pub-sub server by docs/protocol.md, without our agent. The caller must close it. */
export interface BrokenServer {
  readonly url: URL;
  readonly ws: URL;
  restart(): Promise<void>;
  close(): void;
}

interface Activation {
  active: boolean;
  eventsUrl: string;
}

const postTimeoutMs = 6_000;
const gapMs = 4;

/** Starts a server that is right except for the fault. `dashboard` is where it sends its start-up query. */
export async function startBrokenServer({
  fault,
  dashboard,
}: {
  fault?: Fault;
  dashboard: string;
}): Promise<BrokenServer> {
  const has = (other: Fault) => fault === other;
  const header = has('announces what is not JSON')
    ? '{names'
    : '{"capabilities":["names","rooms"]}';
  let clients = new Map<string, Set<Duplex>>();
  let contents = new Map<string, Uint8Array>();
  let activation: Activation = { active: false, eventsUrl: '' };
  let reported = new Map<string, number>();
  const waiting: string[] = [];
  let begun = 0;
  let isEnded = false;
  const sockets = new WebSocketServer({ noServer: true });
  const content = new BrokenContent(has, (url, body) => {
    void send('POST', url, JSON.stringify(body)).catch(() => undefined);
  });
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    ws: new URL(`ws://127.0.0.1:${port}`),
    restart,
    close: end,
  };

  async function listen(at: number): Promise<http.Server> {
    const created = http.createServer((request, response) => {
      handle(request, response).catch(() => response.destroy());
    });
    created.on('upgrade', (request, socket, head) => void enter(request, socket, head));
    await new Promise<void>((resolve) => created.listen(at, '127.0.0.1', resolve));
    return created;
  }

  function end(): void {
    isEnded = true;
    for (const client of sockets.clients) client.terminate();
    server.close();
    server.closeAllConnections();
  }

  async function restart(): Promise<void> {
    end();
    [clients, contents, reported] = [new Map(), new Map(), new Map()];
    activation = { active: false, eventsUrl: '' };
    isEnded = false;
    server = await listen(port);
    void askDashboard();
  }

  async function askDashboard(): Promise<void> {
    if (has('sends no start-up query')) return;
    const query = has('sends the start-up query without its port') ? '' : `?port=${port}`;
    const text = await send('GET', `${dashboard}/api/events/clients${query}`).catch(() => '');
    if (text === '' && has('ends without an answer')) return end();
    if (text === '' || has('ignores the answer')) return;
    const answer: Activation = JSON.parse(text);
    if (!answer.active) return;
    activation = answer;
    if (has('announces connections from before the answer'))
      for (const [room, { size }] of clients) if (size > 0) await post(room, size);
  }

  function nameOf(target = ''): string {
    const raw = target.slice(1).split('?', 1)[0] ?? '';
    return has('decodes names') ? decodeURIComponent(raw.replace(/%(?![0-9A-F])/g, '%25')) : raw;
  }

  async function enter(request: http.IncomingMessage, socket: Duplex, head: Buffer) {
    const room = nameOf(request.url);
    const inRoom = clients.get(room) ?? new Set();
    clients.set(room, inRoom);
    const posted = change(room, 1, () => inRoom.add(socket));
    socket.once('close', () => void change(room, -1, () => inRoom.delete(socket)));
    if (has('lets clients wait for posts')) await posted;
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => client.terminate());
      client.on('message', (data: Buffer) => {
        const { update } = content.received(room, data);
        if (update) contents.set(room, update);
      });
    });
  }

  async function change(room: string, add: 1 | -1, apply: () => unknown): Promise<void> {
    apply();
    if (isEnded || (add === -1 && has('posts no closed connections'))) return;
    if (!activation.active && has('posts changes later that happened while inactive'))
      waiting.push(room);
    if (!activation.active && !has('posts while inactive')) return;
    await post(room, add);
    if (has('posts each change twice')) await post(room, add);
  }

  async function post(room: string, add: number): Promise<void> {
    const { eventsUrl } = activation;
    const url = has('changes the URL') ? eventsUrl.replaceAll('+', '%20') : eventsUrl;
    const body = JSON.stringify({ room, add: has('posts an invalid body') ? `${add}` : add });
    if (url === '') return;
    await send('POST', url, body).catch(async ({ message, name }: Error) => {
      if (has('stops after a refused post') && message === 'refused') activation.active = false;
      const isForgotten = message === 'unknown' && eventsUrl === activation.eventsUrl;
      if (isForgotten && !has('goes on with a URL that is answered 404')) activation.active = false;
      if (!has('retries a refused post') || name === 'AbortError') return;
      await pause(50);
      await send('POST', url, body).catch(() => undefined);
    });
  }

  function send(method: string, url: string, body?: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(has('never gives up a post') ? 60_000 : postTimeoutMs);
      const request = http.request(url, { method, agent: false, signal });
      request.on('error', reject);
      request.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        const { statusCode = 0 } = response;
        const refused = new Error(statusCode === 404 ? 'unknown' : 'refused');
        response.on('end', () => (statusCode < 300 ? resolve(text) : reject(refused)));
      });
      request.end(body);
    });
  }

  async function handle(request: http.IncomingMessage, response: http.ServerResponse) {
    const { method, url = '' } = request;
    response.setHeader('Dashboard-Agent', header);
    if (method === 'PUT' && url === '/api/dashboard') return activate(request, response);
    if (method === 'PUT' && url === '/api/dashboard/rooms') {
      const { active, eventsUrl } = activation;
      return content.watch(await textOf(request), active ? eventsUrl : undefined, response);
    }
    if (url === '/health') {
      return void response.writeHead(has('answers health with 500') ? 500 : 200).end();
    }
    if (url.startsWith('/api/room?id=')) return answerRoom(url.slice(13), 401, response);
    if (url.startsWith('/api/room?name=') && !has('announces names without finding them'))
      return answerRoom(decodeURIComponent(url.slice(15)), 404, response);
    response.writeHead(404).end();
  }

  async function activate(request: http.IncomingMessage, response: http.ServerResponse) {
    begun += 1;
    const mine = begun;
    const early = has('takes the snapshot when the request begins') ? counts() : undefined;
    const wanted = parse(await textOf(request));
    if (!wanted && has('ends at a bad body')) return end();
    if (!wanted) return void response.writeHead(has('accepts bad bodies') ? 200 : 400).end('bad');
    const isStrange = 'x-forwarded-for' in request.headers || 'origin' in request.headers;
    const isForeign = new URL(wanted.eventsUrl).hostname !== '127.0.0.1';
    if ((isStrange || isForeign) && !has('serves strangers'))
      return void response.writeHead(403).end('forbidden');
    if (has('ignores what was overtaken') && mine < begun) return void response.end('okay');
    if (has('keeps the first URL') && activation.eventsUrl && wanted.active)
      wanted.eventsUrl = activation.eventsUrl;
    if (!wanted.active) {
      activation = { active: false, eventsUrl: activation.eventsUrl };
      return void response.writeHead(has('answers false with 500') ? 500 : 200).end('okay');
    }
    let snapshot = early ?? counts();
    if (has('sets the URL after the snapshot')) await pause(gapMs);
    activation = wanted;
    if (has('takes the snapshot after the URL')) {
      await pause(gapMs);
      snapshot = counts();
    }
    for (const room of waiting.splice(0)) void post(room, 1);
    answerSnapshot(snapshot, response);
  }

  function counts(): Map<string, number> {
    return new Map([...clients].map(([room, { size }]) => [room, size]));
  }

  function answerSnapshot(snapshot: Map<string, number>, response: http.ServerResponse): void {
    const type = has('answers a snapshot as text/plain') ? 'text/plain' : 'application/json';
    response.writeHead(200, { 'Content-Type': type });
    if (has('answers text instead of a snapshot')) return void response.end('okay');
    const isChanged = ([room, count]: [string, number]) => reported.get(room) !== count;
    const all = [...snapshot];
    const entries = has('reports changed rooms only') ? all.filter(isChanged) : all;
    reported = snapshot;
    response.end(JSON.stringify(entries.map(entryOf)));
  }

  function entryOf([room, count]: [string, number]): object {
    const entry: Record<string, number> = {};
    if (has('counts in an object')) entry[room] = ((entry[room] ?? 0) as number) + count;
    else if (has('assigns names in the snapshot')) entry[room] = count;
    else return Object.fromEntries([[room, count]]);
    return entry;
  }

  function answerRoom(room: string, absent: number, response: http.ServerResponse): void {
    if (has('creates a room to look') && absent === 401 && !clients.has(room))
      clients.set(room, new Set());
    else if (!clients.has(room))
      return void response
        .writeHead(has('answers 404 for an absent room') ? 404 : absent)
        .end('no');
    const type = has('answers the document as text') ? 'text/plain' : 'application/octet-stream';
    const isEmpty = has('answers the content of an empty document');
    const empty = new Uint8Array(2);
    response.writeHead(200, { 'Content-Type': type });
    response.end(isEmpty ? empty : (contents.get(room) ?? empty));
  }
}

async function textOf(request: http.IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}

function parse(text: string): Activation | undefined {
  try {
    const { active, eventsUrl } = JSON.parse(text);
    const isValid = typeof active === 'boolean' && /^http:/.test(eventsUrl) && text.length < 65_536;
    return isValid ? { active, eventsUrl } : undefined;
  } catch {
    return undefined;
  }
}
