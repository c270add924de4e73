import type { IncomingMessage, ServerResponse } from 'node:http';
import { createOutbound } from './outbound.js';
import { createUpdatePosts } from './updatePosts.js';

/** What the agent needs to know of a Yjs server's documents; rooms are raw names, never decoded. */
export type AgentDocuments = {
  /** Every room in memory with its connections, 0 included. Read in one synchronous instant. */
  connections(): Iterable<readonly [room: string, connections: number]>;
  /** The document as one Yjs update (v1), or undefined when the room is not in memory. */
  encodedState(room: string): Uint8Array | undefined;
};

/** What the dashboard service last told this server: docs/protocol.md, `PUT /api/dashboard`. */
export type Activation = {
  readonly active: boolean;
  readonly eventsUrl: string;
  /** Whether updates of documents are to be posted, too. */
  readonly updates?: true;
};

/** The pub-sub side of the dashboard's contract, for any Yjs server that has an HTTP server. */
export type DashboardAgent = {
  /** Answers a request of the contract; false when the request is none, and the server's to answer. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  /** To be called in the very instant in which a connection joins a room. */
  opened(room: string): void;
  /** To be called in the very instant in which a connection leaves a room. */
  closed(room: string): void;
  /** To be called for each update that came by a connection of this server's own. */
  updated(room: string, update: Uint8Array): void;
  /** The start-up query: once, after listening on `port`. Never rejects. */
  askDashboard(query: { dashboardUrl: string; port: number }): Promise<void>;
  activation(): Activation;
  /** Resolves when every delta has been answered or has failed. */
  settled(): Promise<void>;
  close(): void;
};

const maxBodyBytes = 64 * 1024;
const roomPath = '/api/room?id=';

const isHttpUrl = (value: unknown): value is string =>
  typeof value === 'string' && /^https?:/i.test(value) && URL.canParse(value);

const parseActivation = (text: string): Activation | undefined => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { active, eventsUrl, updates } = Object(value) as Record<string, unknown>;
  if (typeof active !== 'boolean' || !isHttpUrl(eventsUrl)) return undefined;
  return { active, eventsUrl, ...(updates === true && { updates }) };
};

const readBody = async (request: IncomingMessage): Promise<string | undefined> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // What is too long is read to its end and dropped: a reset could overtake the 400.
    if (bytes <= maxBodyBytes) chunks.push(chunk);
  }
  return bytes <= maxBodyBytes ? Buffer.concat(chunks).toString('utf8') : undefined;
};

// writeHead before end: the deployed server's answers are chunked, not measured.
const answer = (
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
) => response.writeHead(status, { 'Content-Type': type }).end(body);

// `entry[name] =` on purpose: the deployed server reports `__proto__` as `{}` in the same way.
const snapshotOf = (documents: AgentDocuments): string => {
  const entries = Array.from(documents.connections(), ([room, connections]) => {
    const entry: Record<string, number> = {};
    entry[room] = connections;
    return entry;
  });
  return JSON.stringify(entries);
};

/** Makes the agent of one Yjs server, which closes it. A delta is given up after `deadlineMs`. */
export const createDashboardAgent = ({
  documents,
  deadlineMs = 5_000,
}: {
  documents: AgentDocuments;
  deadlineMs?: number;
}): DashboardAgent => {
  const outbound = createOutbound({ deadlineMs });
  // With sockets of their own: updates are many, and no delta waits behind them.
  const updatesOutbound = createOutbound({ deadlineMs });
  let activation: Activation = { active: false, eventsUrl: '' };

  const updatesUrl = () =>
    activation.active && activation.updates ? activation.eventsUrl : undefined;
  const updates = createUpdatePosts({ outbound: updatesOutbound, url: updatesUrl });

  // Lost deltas stay lost, as the contract has it: the service finds out and takes a snapshot.
  const announce = (room: string, add: 1 | -1) => {
    if (!activation.active) return;
    const body = JSON.stringify({ room, add });
    outbound.send({ method: 'POST', url: activation.eventsUrl, body }).catch(() => undefined);
  };

  const setActivation = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(request);
    const wanted = body === undefined ? undefined : parseActivation(body);
    if (!wanted) {
      answer(response, 400, 'text/plain', 'expected {"active":boolean,"eventsUrl":"http://..."}');
      return;
    }
    // One instant: a delta belongs either to this snapshot or to this URL, never to both or none.
    activation = wanted;
    if (updatesUrl() === undefined) updates.clear();
    if (wanted.active) answer(response, 200, 'application/json', snapshotOf(documents));
    else answer(response, 200, 'text/plain', 'okay');
  };

  const answerRoom = (url: string, response: ServerResponse) => {
    const room = url.slice(roomPath.length).split(/[=?]/, 1)[0] ?? '';
    const state = documents.encodedState(room);
    if (state) answer(response, 200, 'application/octet-stream', state);
    else answer(response, 401, 'text/plain', 'unauthorized');
  };

  const handle = (request: IncomingMessage, response: ServerResponse): boolean => {
    const { method, url = '' } = request;
    if (method === 'PUT' && url === '/api/dashboard') {
      // Rejects only when the asker is gone in the middle of its body: nobody is left to answer.
      setActivation(request, response).catch(() => response.destroy());
    } else if (method === 'PUT' && url.startsWith('/api/dashboard')) {
      answer(response, 401, 'text/plain', 'unauthorized');
    } else if (method === 'GET' && url.startsWith(roomPath)) {
      answerRoom(url, response);
    } else if (method === 'GET' && (url === '/' || url === '/health')) {
      answer(response, 200, 'text/plain', 'okay');
    } else {
      return false;
    }
    return true;
  };

  // Applied whenever it arrives, even after a PUT that overtook it: so does the deployed server.
  const askDashboard = async ({ dashboardUrl, port }: { dashboardUrl: string; port: number }) => {
    const url = `${dashboardUrl.replace(/\/+$/, '')}/api/events/clients?port=${port}`;
    const text = await outbound.send({ method: 'GET', url }).catch(() => '');
    const told = parseActivation(text);
    if (told?.active) activation = told;
  };

  return {
    handle,
    opened: (room) => announce(room, 1),
    closed: (room) => announce(room, -1),
    updated: updates.put,
    askDashboard,
    activation: () => activation,
    settled: () => outbound.settled(),
    close: () => {
      updates.clear();
      outbound.close();
      updatesOutbound.close();
    },
  };
};
