import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from './access.js';
import type { Activation, AgentDocuments } from './agentTypes.js';
import { causeOf } from './causeOf.js';
import { parseActivation } from './parseActivation.js';
import { parseWatchList } from './parseWatchList.js';
import { readBody } from './readBody.js';
import { answerText, type Refusal, refuse } from './refusal.js';
import type { SafeLog } from './safeLog.js';
import { sendSnapshot, takeSnapshot } from './snapshot.js';
import type { Vitals } from './vitals.js';
import type { WatchList } from './watchedRooms.js';

/** What the answers need. */
export interface ControlNeeds {
  readonly documents: AgentDocuments;
  readonly access: Access;
  readonly vitals: Vitals;
  readonly log: SafeLog;
  /** A request is destroyed if it is not answered in this time, or if nothing moves for `stalledMs`. */
  readonly answerMs: number;
  readonly stalledMs: number;
  activation(): Activation;
  /** Sets the activation. The snapshot is taken in the same synchronous step. */
  activate(activation: Activation): void;
  watch(list: WatchList): void;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: string;
}

/** A route answers by itself, or says why not. */
type Route = (exchange: Exchange) => Promise<Refusal | undefined>;

const maxActivationBytes = 64 * 1024;
const maxListBytes = 1024 * 1024;
const rawRoom = '/api/room?id=';
const encodedRoom = '/api/room?name=';

/** Answers the requests of the dashboard. */
export class ControlRequests {
  readonly #needs: ControlNeeds;
  #arrived = 0;
  #applied = 0;

  constructor(needs: ControlNeeds) {
    this.#needs = needs;
  }

  /** False: the request is not for the agent. */
  handle(request: IncomingMessage, response: ServerResponse, answersHealth: boolean): boolean {
    const { method, url = '' } = request;
    const [route, maxBytes] = this.#routeOf(`${method} ${url}`, answersHealth);
    if (!route) return false;
    const deadline = setTimeout(() => response.destroy(), this.#needs.answerMs).unref();
    response.setTimeout(this.#needs.stalledMs, () => response.destroy());
    response.on('close', () => clearTimeout(deadline)).on('error', () => response.destroy());
    // Rejects if the client disconnects while it sends the body, or if the server's own code throws.
    this.#serve(route, { request, response, maxBytes }).catch((cause) =>
      this.#failed(response, cause),
    );
    return true;
  }

  #routeOf(line: string, answersHealth: boolean): [route?: Route, maxBytes?: number] {
    if (line === 'PUT /api/dashboard') return [this.#setActivation, maxActivationBytes];
    if (line === 'PUT /api/dashboard/rooms') return [this.#setWatchList, maxListBytes];
    if (line === 'GET /health' && answersHealth) return [sendOkay];
    if (line.startsWith(`GET ${rawRoom}`)) return [this.#sendRawRoom];
    if (line.startsWith(`GET ${encodedRoom}`)) return [this.#sendEncodedRoom];
    return [];
  }

  async #serve(
    route: Route,
    exchange: { request: IncomingMessage; response: ServerResponse; maxBytes: number | undefined },
  ): Promise<void> {
    const { request, response, maxBytes = 0 } = exchange;
    const { access, log } = this.#needs;
    const refused = access.refusalOfHead(request);
    if (refused) request.resume();
    const body = refused ? undefined : await readBody(request, maxBytes);
    const refusal =
      refused ??
      (body ? await access.refusalOf(request, body) : tooLarge) ??
      (await route({ request, response, body: body?.toString('utf8') ?? '' }));
    if (!refusal) return;
    if (refusal.status === 401 || refusal.status === 403) {
      const source = request.socket.remoteAddress;
      const text = `pubsub-dashboard: refused a request from ${source}. ${refusal.message}`;
      log.warn(text, refusal.kind);
    }
    refuse(response, refusal);
  }

  readonly #setActivation: Route = async ({ request, response, body }) => {
    this.#arrived += 1;
    const order = this.#arrived;
    const { access, documents, vitals } = this.#needs;
    const wanted = parseActivation(body);
    if (!wanted) return invalidBody('{"active":boolean,"eventsUrl":"http://..."}');
    const refusal = wanted.active
      ? await access.refusalOfEventsUrl(request, wanted.eventsUrl)
      : undefined;
    if (refusal) return refusal;
    if (order < this.#applied) return overtaken;
    // In one synchronous step: each delta belongs either to this snapshot or to this URL.
    const snapshot = wanted.active ? takeSnapshot(documents) : undefined;
    this.#applied = order;
    this.#needs.activate(wanted);
    response.setHeader('Dashboard-Agent', vitals.header(snapshot));
    if (!snapshot) return sendOkay({ request, response, body });
    response.writeHead(200, { 'Content-Type': 'application/json' });
    await sendSnapshot(response, snapshot);
    return undefined;
  };

  readonly #setWatchList: Route = async ({ request, response, body }) => {
    const { access, activation, watch } = this.#needs;
    const list = parseWatchList(body);
    if (!list) return invalidBody('{"rooms":["...", at most 1000],"eventsUrl":"http://..."}');
    const { eventsUrl } = list;
    const refusal = eventsUrl && (await access.refusalOfEventsUrl(request, eventsUrl));
    if (refusal) return refusal;
    if (!eventsUrl && list.rooms.size > 0 && !activation().active) return notActive;
    watch(list);
    return sendOkay({ request, response, body });
  };

  readonly #sendRawRoom: Route = ({ request, response }) =>
    this.#sendRoom(response, (request.url ?? '').slice(rawRoom.length), 401);

  readonly #sendEncodedRoom: Route = ({ request, response }) =>
    this.#sendRoom(response, decoded((request.url ?? '').slice(encodedRoom.length)), 404);

  async #sendRoom(response: ServerResponse, name: string | undefined, absent: 401 | 404) {
    const state = name === undefined ? undefined : this.#needs.documents.encodedState(name);
    if (!state) answerText(response, absent, 'not in memory');
    else response.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end(state);
    return undefined;
  }

  #failed(response: ServerResponse, cause: unknown): void {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    this.#needs.log.warn(`pubsub-dashboard: a request of the dashboard failed: ${causeOf(cause)}`);
    refuse(response, { status: 500, code: 'failed', message: 'The server failed to answer.' });
  }
}

const sendOkay: Route = async ({ response }) => {
  answerText(response, 200, 'okay');
  return undefined;
};

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const invalidBody = (expected: string): Refusal => ({
  status: 400,
  code: 'invalid_body',
  message: `Expected ${expected}`,
});
const tooLarge: Refusal = { status: 400, code: 'invalid_body', message: 'The body is too large.' };
const overtaken: Refusal = {
  status: 409,
  code: 'overtaken',
  message: 'A later request came first.',
};
const notActive: Refusal = {
  status: 409,
  code: 'not_active',
  message: 'There is no activation, so the list needs an eventsUrl.',
};
