import { fromCallback } from 'xstate';
import type {
  Connections,
  Epoch,
  RoomName,
  ServerAnswer,
  ServerId,
  ServerRequest,
} from '../../machines/ports.js';
import { hostAndPort } from '../addresses.js';
import { type Owner, Turns } from '../timing/turns.js';
import { ByteBudget, type Held } from './byteBudget.js';
import type { Connection } from './callbackUrls.js';
import {
  type PubSubAnswer,
  PubSubHttp,
  type PubSubHttpNeeds,
  type PubSubRequest,
} from './pubSubHttp.js';
import type { Outlook, RequestPacer } from './requestPacer.js';
import { type SnapshotLimits, SnapshotReader } from './snapshotReader.js';

/** What the requests to pub-sub servers need of the rest of the service. */
export interface PubSubServersNeeds extends PubSubHttpNeeds {
  maxSnapshotBytes: number;
  /**
   * The URL that a server is to post its deltas to, told from all others by its token. Throws an Error
   * that says why there is none by which the server reaches this service; not if it is to be silent.
   */
  eventsUrl: (server: ServerId, wish: Wish, connection: Connection) => string;
  /** What is kept of a snapshot. */
  snapshotLimits: SnapshotLimits;
  /** Whether a server is known to be one of the fleet, and does not only say so. */
  isProven: (server: ServerId) => boolean;
  /** Told of every answer. */
  onHeard: (server: ServerId) => void;
}

/** A snapshot that takes about a millisecond to be read and merged. */
const largeBytes = 8 * 1024;
const mebibyte = 1024 * 1024;
/** What is read of an answer that says nothing: `okay`. */
const maxShortAnswerBytes = mebibyte;
/** What is read of a server that only says that it is one, and held of all of them together. */
const maxUnprovenBytes = 8 * mebibyte;
const maxUnprovenBytesHeld = 32 * mebibyte;
/** What is held of the servers of one host together, in largest snapshots. */
const snapshotsHeld = 4;

/** What a server is told. */
export interface Wish {
  active: boolean;
  epoch: Epoch;
  withUpdates: boolean;
}

/** The requests of docs/protocol.md to pub-sub servers. Failures are Errors that say why. */
export class PubSubServers {
  readonly #needs: PubSubServersNeeds;
  readonly #http: PubSubHttp;
  readonly #turns = new Turns();
  readonly #budget = new ByteBudget();

  constructor(needs: PubSubServersNeeds) {
    this.#needs = needs;
    this.#http = new PubSubHttp(needs);
  }

  /** Has the server post to us from now on; its connections at that instant. */
  async activate(
    server: ServerId,
    epoch: Epoch,
    signal: AbortSignal,
    { withUpdates = false } = {},
  ): Promise<ServerAnswer> {
    const isProven = this.#needs.isProven(server);
    const held = this.#openBudget(server, isProven);
    try {
      const wish = { active: true, epoch, withUpdates };
      const { maxSnapshotBytes } = this.#needs;
      const maxBytes = isProven ? maxSnapshotBytes : Math.min(maxUnprovenBytes, maxSnapshotBytes);
      const answer = await this.#put(server, wish, signal, { maxBytes, hold: held.take });
      const owner = { host: hostAndPort(server).host, isProven, signal };
      return { type: 'snapshot.received', epoch, snapshot: await this.#read(answer, owner) };
    } finally {
      held.release();
    }
  }

  /** No work of this service is left to do. */
  close(): void {
    this.#turns.close();
  }

  #openBudget(server: ServerId, isProven: boolean): Held {
    if (!isProven) return this.#budget.open('unproven', maxUnprovenBytesHeld);
    const { host } = hostAndPort(server);
    return this.#budget.open(`host ${host}`, snapshotsHeld * this.#needs.maxSnapshotBytes);
  }

  /** Large snapshots are read a piece at a time. */
  async #read(answer: PubSubAnswer, owner: Owner): Promise<Connections> {
    const { type, body } = answer;
    if (!type.includes('json')) throw new Error(`answered "${type}" instead of JSON`);
    expectPlain(answer);
    const reader = new SnapshotReader(body, this.#needs.snapshotLimits);
    try {
      const small = body.length > largeBytes ? undefined : reader.readUntil(Infinity);
      return small ?? (await this.#turns.do((untilMs) => reader.readUntil(untilMs), owner));
    } catch (error) {
      throw new Error(`answered no snapshot: ${causeOf(error)}`);
    }
  }

  /** Has the server post nothing from now on. */
  async silence(server: ServerId, epoch: Epoch, signal: AbortSignal): Promise<ServerAnswer> {
    const wish = { active: false, epoch, withUpdates: false };
    await this.#put(server, wish, signal, { maxBytes: maxShortAnswerBytes });
    return { type: 'silence.confirmed' };
  }

  /** Whether the server answers at all. */
  async probe(server: ServerId, signal: AbortSignal): Promise<ServerAnswer> {
    const request = {
      method: 'GET',
      path: '/health',
      maxBytes: maxShortAnswerBytes,
    } as const;
    this.#expectSuccess(server, await this.#http.exchange(server, request, signal));
    return { type: 'probe.answered' };
  }

  /**
   * The document of a room as one Yjs update (v1), or undefined when the server does not hold it.
   * The room must be one that `canAsk` allows.
   */
  async roomState(
    server: ServerId,
    room: RoomName,
    { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
  ): Promise<Uint8Array | undefined> {
    const path = `/api/room?id=${room}`;
    const answer = await this.#http.exchange(server, { method: 'GET', path, maxBytes }, signal);
    if (answer.status === 401) return undefined;
    this.#expectSuccess(server, answer);
    if (!answer.type.includes('octet-stream'))
      throw new Error(`answered "${answer.type}" instead of a document`);
    expectPlain(answer);
    return answer.body;
  }

  async #put(
    server: ServerId,
    wish: Wish,
    signal: AbortSignal,
    bounds: Pick<PubSubRequest, 'maxBytes' | 'hold'>,
  ) {
    const { active, withUpdates } = wish;
    const json = (connection: Connection) => {
      const eventsUrl = this.#needs.eventsUrl(server, wish, connection);
      // The deployed servers know two properties, and pass over the third.
      return { active, eventsUrl, ...(withUpdates && { updates: true }) };
    };
    const request = { method: 'PUT', path: '/api/dashboard', json, ...bounds } as const;
    return this.#expectSuccess(server, await this.#http.exchange(server, request, signal));
  }

  #expectSuccess(server: ServerId, answer: PubSubAnswer): PubSubAnswer {
    if (answer.status < 200 || answer.status > 299) throw new Error(`answered ${answer.status}`);
    this.#needs.onHeard(server);
    return answer;
  }
}

/**
 * Whether servers can be asked for a room by its name. They cut the name at `=` and would answer for
 * another room; other characters cannot stand in a request line, so no such room was ever opened.
 */
export function canAsk(room: RoomName): boolean {
  return /^[!-\xff]+$/.test(room) && !/[=?]/.test(room);
}

/** The slot `serverRequests`: one long-lived actor for all requests to one server. */
export function createServerRequests(servers: PubSubServers, pacer: RequestPacer) {
  return fromCallback<ServerRequest, { server: ServerId }>(({ input, receive, sendBack }) => {
    const stop = new AbortController();
    const { signal } = stop;
    const { host } = hostAndPort(input.server);
    let outlook: Outlook = 'unheard';
    const send = (request: ServerRequest) => {
      const { server } = input;
      if (request.type === 'probe.requested') return servers.probe(server, signal);
      if (request.type === 'silence.requested')
        return servers.silence(server, request.epoch, signal);
      return servers.activate(server, request.epoch, signal, request);
    };
    const answer = (request: ServerRequest) =>
      send(request)
        .catch(
          (error: unknown): ServerAnswer => ({ type: 'request.failed', cause: causeOf(error) }),
        )
        .then((answered) => {
          outlook = answered.type === 'request.failed' ? 'failing' : 'answering';
          if (!signal.aborted) sendBack(answered);
        });
    receive((request) => pacer.run(() => answer(request), { host, outlook, signal }));
    return () => stop.abort();
  });
}

/** Compressed bytes are neither a document nor JSON: a document would be passed on as it came. */
function expectPlain({ encoding = 'identity' }: PubSubAnswer): void {
  if (encoding !== 'identity') throw new Error(`answered in the encoding "${encoding}"`);
}

function causeOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
