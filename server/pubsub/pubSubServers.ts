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
import { causeOf } from '../causeOf.js';
import { type Owner, Turns } from '../timing/turns.js';
import type { Broadcasts } from '../tracing/broadcasts.js';
import { ByteBudget, type Reservation } from './byteBudget.js';
import type { Connection } from './callbackUrls.js';
import { expectSuccess, expectUncompressed } from './pubSubAnswers.js';
import {
  type PubSubAnswer,
  PubSubHttp,
  type PubSubHttpNeeds,
  type PubSubRequest,
} from './pubSubHttp.js';
import { metered, type RequestKind, type RequestMeter } from './requestMeter.js';
import type { LastResult, RequestPacer } from './requestPacer.js';
import { type SnapshotLimits, SnapshotReader } from './snapshotReader.js';

/** What the requests to pub-sub servers need of the rest of the service. */
export interface PubSubServersNeeds extends PubSubHttpNeeds {
  maxSnapshotBytes: number;
  /**
   * The URL with a token of its own that a server should post to. Throws an Error with the reason if the
   * server cannot reach this service, but not for an instruction to be silent.
   */
  eventsUrl: (server: ServerId, instruction: Instruction, connection: Connection) => string;
  /** The URL to which a server should post about watched rooms. Throws like `eventsUrl`. */
  contentUrl: (server: ServerId, connection: Connection, receiver: number) => string;
  /** How much of a snapshot is kept. */
  snapshotLimits: SnapshotLimits;
  /** False for a candidate: it only claims to be a pub-sub server. */
  isProven: (server: ServerId) => boolean;
  /** Called when a server has answered. */
  onHeard: (server: ServerId) => void;
  /** Called with each snapshot, before the machine gets it. */
  onSnapshot: (server: ServerId, snapshot: Connections) => void;
  /** Called with the header `Dashboard-Agent` of each instruction that was carried out; undefined: none. */
  noteAgent: (server: ServerId, header: string | undefined) => void;
  /**
   * In a cluster: resolves when the lease was just renewed, and rejects if it was not. Awaited before each
   * instruction to be silent. Nothing would tell that one of an earlier leader arrived late.
   */
  renewLease?: (() => Promise<void>) | undefined;
}

/** Reading and merging a snapshot of this size takes about a millisecond. */
const largeBytes = 8 * 1024;
const mebibyte = 1024 * 1024;
/** For answers without content, such as `okay`. */
const maxShortAnswerBytes = mebibyte;
/** Limits for servers that are not proven: one answer, and all answers at a time. */
const maxUnprovenBytes = 8 * mebibyte;
const maxUnprovenBytesHeld = 32 * mebibyte;
/** Memory for the answers of one host at a time, in snapshots of the largest size. */
const snapshotsHeld = 4;

/** What a server is told to do. */
export interface Instruction {
  active: boolean;
  epoch: Epoch;
  withUpdates: boolean;
}

/** The requests of docs/protocol.md to pub-sub servers. They reject with an Error that has the reason. */
export class PubSubServers {
  readonly #needs: PubSubServersNeeds;
  readonly #http: PubSubHttp;
  readonly #turns = new Turns();
  readonly #budget = new ByteBudget();

  constructor(needs: PubSubServersNeeds) {
    this.#needs = needs;
    this.#http = new PubSubHttp(needs);
  }

  /** Tells the server to post to this service. Resolves with its connections at that instant. */
  async activate(
    server: ServerId,
    epoch: Epoch,
    signal: AbortSignal,
    { withUpdates = false } = {},
  ): Promise<ServerAnswer> {
    const isProven = this.#needs.isProven(server);
    const reservation = this.#reserve(server, isProven);
    try {
      const instruction = { active: true, epoch, withUpdates };
      const { maxSnapshotBytes } = this.#needs;
      const maxBytes = isProven ? maxSnapshotBytes : Math.min(maxUnprovenBytes, maxSnapshotBytes);
      const answer = await this.#put(server, instruction, signal, {
        maxBytes,
        reserve: reservation.take,
      });
      const owner = { host: hostAndPort(server).host, isProven, signal };
      const snapshot = await this.#read(answer, owner);
      this.#needs.onSnapshot(server, snapshot);
      return { type: 'snapshot.received', epoch, snapshot };
    } finally {
      reservation.release();
    }
  }

  /** Replaces the list of rooms whose updates and awareness the server posts. `receiver`: see `ServerRoomListNeeds`. */
  async watchRooms(
    server: ServerId,
    rooms: readonly RoomName[],
    { signal, receiver = 0 }: { signal: AbortSignal; receiver?: number },
  ): Promise<void> {
    const json = (connection: Connection) => ({
      rooms,
      eventsUrl: this.#needs.contentUrl(server, connection, receiver),
    });
    const path = '/api/dashboard/rooms';
    const request = { method: 'PUT', path, json, maxBytes: maxShortAnswerBytes } as const;
    this.#expectSuccess(server, await this.#http.exchange(server, request, signal));
  }

  /** Ends every request at once, lets no other begin, and drops snapshots that wait to be read. */
  close(): void {
    this.#http.close();
    this.#turns.close();
  }

  #reserve(server: ServerId, isProven: boolean): Reservation {
    if (!isProven) return this.#budget.open('unproven', maxUnprovenBytesHeld);
    const { host } = hostAndPort(server);
    return this.#budget.open(`host ${host}`, snapshotsHeld * this.#needs.maxSnapshotBytes);
  }

  /** Reads large snapshots in pieces, so they do not block the event loop. */
  async #read(answer: PubSubAnswer, owner: Owner): Promise<Connections> {
    const { type, body } = answer;
    if (!type.includes('json')) throw new Error(`answered "${type}" instead of JSON`);
    expectUncompressed(answer);
    const reader = new SnapshotReader(body, this.#needs.snapshotLimits);
    try {
      const small = body.length > largeBytes ? undefined : reader.readUntil(Infinity);
      return small ?? (await this.#turns.do((untilMs) => reader.readUntil(untilMs), owner));
    } catch (error) {
      throw new Error(`answered no snapshot: ${causeOf(error)}`);
    }
  }

  /** Tells the server to stop posting. */
  async silence(server: ServerId, epoch: Epoch, signal: AbortSignal): Promise<ServerAnswer> {
    await this.#needs.renewLease?.();
    const instruction = { active: false, epoch, withUpdates: false };
    await this.#put(server, instruction, signal, { maxBytes: maxShortAnswerBytes });
    return { type: 'silence.confirmed' };
  }

  /** Checks whether the server answers. */
  async probe(server: ServerId, signal: AbortSignal): Promise<ServerAnswer> {
    const request = {
      method: 'GET',
      path: '/health',
      maxBytes: maxShortAnswerBytes,
    } as const;
    this.#expectSuccess(server, await this.#http.exchange(server, request, signal));
    return { type: 'probe.answered' };
  }

  async #put(
    server: ServerId,
    instruction: Instruction,
    signal: AbortSignal,
    bounds: Pick<PubSubRequest, 'maxBytes' | 'reserve'>,
  ) {
    const { active, withUpdates } = instruction;
    const json = (connection: Connection) => {
      const eventsUrl = this.#needs.eventsUrl(server, instruction, connection);
      // Deployed servers know the first two properties and ignore the third.
      return { active, eventsUrl, ...(withUpdates && { updates: true }) };
    };
    const request = { method: 'PUT', path: '/api/dashboard', json, ...bounds } as const;
    const answer = this.#expectSuccess(server, await this.#http.exchange(server, request, signal));
    this.#needs.noteAgent(server, answer.agent);
    return answer;
  }

  #expectSuccess(server: ServerId, answer: PubSubAnswer): PubSubAnswer {
    expectSuccess(answer);
    this.#needs.onHeard(server);
    return answer;
  }
}

const kinds: Record<ServerRequest['type'], RequestKind> = {
  'activity.requested': 'activate',
  'silence.requested': 'silence',
  'probe.requested': 'probe',
};

/** Who is told of requests to servers, and what is known of this process. Undefined: nobody, and nothing. */
export interface RequestFollowers {
  meter?: RequestMeter | undefined;
  broadcasts?: Pick<Broadcasts, 'requestsOf'> | undefined;
  /** How many times this process was paused. Default: never. */
  pauses?: () => number;
}

/** Why a request failed if this process did not run when its answer came. */
const pausedMeanwhile = 'this service was paused, and could not read the answer in time';

/** Fills the slot `serverRequests`: one long-lived actor for all requests to a server. */
export function createServerRequests(
  servers: PubSubServers,
  pacer: RequestPacer,
  { meter, broadcasts, pauses = () => 0 }: RequestFollowers = {},
) {
  return fromCallback<ServerRequest, { server: ServerId }>(({ input, receive, sendBack }) => {
    const stop = new AbortController();
    const { signal } = stop;
    const { host } = hostAndPort(input.server);
    const traced = broadcasts?.requestsOf();
    let lastResult: LastResult = 'none';
    const send = (request: ServerRequest) => {
      const { server } = input;
      if (request.type === 'probe.requested') return servers.probe(server, signal);
      if (request.type === 'silence.requested')
        return servers.silence(server, request.epoch, signal);
      if (request.reason !== 'activation') meter?.resynced(request.reason);
      return servers.activate(server, request.epoch, signal, request);
    };
    /** A pause is the cause for everybody who is told of the request. */
    const sendAwake = async (request: ServerRequest) => {
      const before = pauses();
      try {
        return await send(request);
      } catch (error) {
        throw pauses() > before ? new Error(pausedMeanwhile, { cause: error }) : error;
      }
    };
    const ask = (request: ServerRequest) =>
      metered(
        () => sendAwake(request),
        { server: input.server, request: kinds[request.type] },
        { meter, signal },
      );
    const answer = (request: ServerRequest) =>
      (traced ? traced(request, () => ask(request)) : ask(request))
        .catch(
          (error: unknown): ServerAnswer => ({ type: 'request.failed', cause: causeOf(error) }),
        )
        .then((answered) => {
          lastResult = answered.type === 'request.failed' ? 'failed' : 'answered';
          if (!signal.aborted) sendBack(answered);
        });
    receive((request) => pacer.run(() => answer(request), { host, lastResult, signal }));
    return () => stop.abort();
  });
}
