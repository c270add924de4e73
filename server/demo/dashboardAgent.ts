import type { IncomingMessage, ServerResponse } from 'node:http';
import { Outbound } from './outbound.js';
import { UpdatePosts } from './updatePosts.js';

/** What the agent needs to know of a Yjs server's documents. Rooms are raw names, never decoded. */
export interface AgentDocuments {
  /** Every room in memory with its connections, including 0. Must be read in one synchronous step. */
  connections(): Iterable<readonly [room: string, connections: number]>;
  /** The document as one Yjs update (v1); undefined if the room is not in memory. */
  encodedState(room: string): Uint8Array | undefined;
}

/** The last instruction of the service: `PUT /api/dashboard` in docs/protocol.md. */
export interface Activation {
  readonly active: boolean;
  readonly eventsUrl: string;
  /** Whether to post updates of documents too. */
  readonly updates?: true;
}

/** Connects a Yjs server with an HTTP server to the service: docs/integrate.md. */
export interface DashboardAgent {
  /** Answers a request of the service. Returns false for other requests, which the server must answer. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  /** Call it in the same synchronous step in which a connection joins a room. */
  opened(room: string): void;
  /** Call it in the same synchronous step in which a connection leaves a room. */
  closed(room: string): void;
  /** Call it for each update that arrives on one of this server's own connections. */
  updated(room: string, update: Uint8Array): void;
  /** Sends the start-up query. Call it once, after listening on `port`. Never rejects. */
  askDashboard(query: { dashboardUrl: string; port: number }): Promise<void>;
  activation(): Activation;
  /** Resolves when every delta is answered or has failed. */
  settled(): Promise<void>;
  close(): void;
}

const maxBodyBytes = 64 * 1024;
const roomPath = '/api/room?id=';

/** Creates the agent of one Yjs server, which must close it. A delta fails after `deadlineMs`. */
export function createDashboardAgent({
  documents,
  deadlineMs = 5_000,
}: {
  documents: AgentDocuments;
  deadlineMs?: number;
}): DashboardAgent {
  const outbound = new Outbound({ deadlineMs });
  // Separate sockets, so that no delta waits behind many updates.
  const updatesOutbound = new Outbound({ deadlineMs });
  const updates = new UpdatePosts({ outbound: updatesOutbound, url: updatesUrl });
  let activation: Activation = { active: false, eventsUrl: '' };

  return {
    handle,
    opened: (room) => announce(room, 1),
    closed: (room) => announce(room, -1),
    updated: (room, update) => updates.put(room, update),
    askDashboard,
    activation: () => activation,
    settled: () => outbound.settled(),
    close,
  };

  function handle(request: IncomingMessage, response: ServerResponse): boolean {
    const { method, url = '' } = request;
    if (method === 'PUT' && url === '/api/dashboard') {
      // Rejects only if the client disconnects while it sends the body.
      setActivation(request, response).catch(() => response.destroy());
    } else if (method === 'PUT' && url.startsWith('/api/dashboard')) {
      answer(response, 401, 'text/plain', 'unauthorized');
    } else if (method === 'GET' && url.startsWith(roomPath)) {
      answerRoom(documents, url, response);
    } else if (method === 'GET' && (url === '/' || url === '/health')) {
      answer(response, 200, 'text/plain', 'okay');
    } else {
      return false;
    }
    return true;
  }

  async function setActivation(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const wanted = body === undefined ? undefined : parseActivation(body);
    if (!wanted) {
      answer(response, 400, 'text/plain', 'expected {"active":boolean,"eventsUrl":"http://..."}');
      return;
    }
    // In one synchronous step: each delta belongs either to this snapshot or to this URL.
    activation = wanted;
    if (updatesUrl() === undefined) updates.clear();
    if (wanted.active) answer(response, 200, 'application/json', snapshotOf(documents));
    else answer(response, 200, 'text/plain', 'okay');
  }

  /** A failed delta is not repeated: the service corrects its counts with the next snapshot. */
  function announce(room: string, add: 1 | -1): void {
    if (!activation.active) return;
    const body = JSON.stringify({ room, add });
    outbound.send({ method: 'POST', url: activation.eventsUrl, body }).catch(() => undefined);
  }

  function updatesUrl(): string | undefined {
    return activation.active && activation.updates ? activation.eventsUrl : undefined;
  }

  /** Applies the answer even if a PUT arrived before it, as the deployed server does. */
  async function askDashboard(query: { dashboardUrl: string; port: number }): Promise<void> {
    const { dashboardUrl, port } = query;
    const url = `${dashboardUrl.replace(/\/+$/, '')}/api/events/clients?port=${port}`;
    const text = await outbound.send({ method: 'GET', url }).catch(() => '');
    const wanted = parseActivation(text);
    if (wanted?.active) activation = wanted;
  }

  function close(): void {
    updates.clear();
    outbound.close();
    updatesOutbound.close();
  }
}

function answerRoom(documents: AgentDocuments, url: string, response: ServerResponse): void {
  const room = url.slice(roomPath.length).split(/[=?]/, 1)[0] ?? '';
  const state = documents.encodedState(room);
  if (state) answer(response, 200, 'application/octet-stream', state);
  else answer(response, 401, 'text/plain', 'unauthorized');
}

/** Calls `writeHead` before `end`, because the deployed server sends chunked answers. */
function answer(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
): void {
  response.writeHead(status, { 'Content-Type': type }).end(body);
}

/** `entry[room] =` turns `__proto__` into `{}`, exactly as the deployed server does. */
function snapshotOf(documents: AgentDocuments): string {
  const entries = Array.from(documents.connections(), ([room, connections]) => {
    const entry: Record<string, number> = {};
    entry[room] = connections;
    return entry;
  });
  return JSON.stringify(entries);
}

/** Returns undefined if the body is too long. Reads it to its end, because a reset could overtake the 400. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxBodyBytes) chunks.push(chunk);
  }
  return bytes <= maxBodyBytes ? Buffer.concat(chunks).toString('utf8') : undefined;
}

function parseActivation(text: string): Activation | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { active, eventsUrl, updates } = Object(value) as Record<string, unknown>;
  if (typeof active !== 'boolean' || !isHttpUrl(eventsUrl)) return undefined;
  return { active, eventsUrl, ...(updates === true && { updates }) };
}

function isHttpUrl(value: unknown): value is string {
  return typeof value === 'string' && /^https?:/i.test(value) && URL.canParse(value);
}
