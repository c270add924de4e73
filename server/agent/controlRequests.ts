import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Activation, AgentDocuments } from './agentTypes.js';
import { parseActivation } from './parseActivation.js';
import { readBody } from './readBody.js';
import type { SafeLog } from './safeLog.js';
import { sendSnapshot, takeSnapshot } from './snapshot.js';

/** What the answers need. */
export interface ControlNeeds {
  readonly documents: AgentDocuments;
  readonly log: SafeLog;
  /** Sets the activation; in the same step the snapshot is taken. */
  activate(activation: Activation): void;
}

const maxBodyBytes = 64 * 1024;
const rawRoom = '/api/room?id=';
const encodedRoom = '/api/room?name=';

/** Answers a request of the dashboard. False: it is not for the agent. */
export function answerControl(
  needs: ControlNeeds,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const answered = answerOf(needs, request, response);
  // Rejects if the client disconnects while it sends the body, or if the server's own code throws.
  answered?.catch((cause: unknown) => failed(needs, response, cause));
  return answered !== undefined;
}

function answerOf(needs: ControlNeeds, request: IncomingMessage, response: ServerResponse) {
  const { method, url = '' } = request;
  if (method === 'PUT' && url === '/api/dashboard') return setActivation(needs, request, response);
  if (method !== 'GET') return undefined;
  if (url.startsWith(rawRoom)) {
    return sendRoom(needs, response, { name: url.slice(rawRoom.length), absent: 401 });
  }
  if (url.startsWith(encodedRoom)) {
    return sendRoom(needs, response, { name: decoded(url.slice(encodedRoom.length)), absent: 404 });
  }
  return undefined;
}

async function setActivation(
  needs: ControlNeeds,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request, maxBodyBytes);
  const wanted = body && parseActivation(body.toString('utf8'));
  if (!wanted) {
    answer(response, 400, 'expected {"active":boolean,"eventsUrl":"http://..."}');
    return;
  }
  // In one synchronous step: each delta belongs either to this snapshot or to this URL.
  const snapshot = wanted.active ? takeSnapshot(needs.documents) : undefined;
  needs.activate(wanted);
  if (!snapshot) return answer(response, 200, 'okay');
  response.writeHead(200, { 'Content-Type': 'application/json' });
  await sendSnapshot(response, snapshot);
}

async function sendRoom(
  { documents }: ControlNeeds,
  response: ServerResponse,
  { name, absent }: { name: string | undefined; absent: number },
): Promise<void> {
  const state = name === undefined ? undefined : documents.encodedState(name);
  if (!state) return answer(response, absent, 'not in memory');
  response.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end(state);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Answers with a line of text. Chunked, because the deployed server sends chunked answers. */
export function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain' }).end(text);
}

function failed({ log }: ControlNeeds, response: ServerResponse, cause: unknown): void {
  const why = cause instanceof Error ? cause.message : String(cause);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  log.warn(`pubsub-dashboard: a request of the dashboard failed: ${why}`);
  answer(response, 500, 'failed');
}
