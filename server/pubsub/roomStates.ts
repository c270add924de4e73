import type { RoomName, ServerId } from '../../machines/ports.js';
import { expectSuccess, expectUncompressed, isAbsent } from './pubSubAnswers.js';
import { PubSubHttp, type PubSubHttpNeeds } from './pubSubHttp.js';
import { metered, type RequestMeter } from './requestMeter.js';

/** What asking servers for rooms needs of the rest of the service. */
export interface RoomStatesNeeds extends PubSubHttpNeeds {
  /** Called when a server has answered. */
  onHeard: (server: ServerId) => void;
  meter?: RequestMeter | undefined;
}

/** How a server is asked for a room. */
export interface AskingForRoom {
  /** Whether the server announced the capability `names`. */
  takesNames: boolean;
  /** A longer answer is an error. */
  maxBytes: number;
  signal: AbortSignal;
}

/** Asks pub-sub servers for the states of rooms. That changes nothing on them, so every instance may do it. */
export class RoomStates {
  readonly #needs: RoomStatesNeeds;
  readonly #http: PubSubHttp;

  constructor(needs: RoomStatesNeeds) {
    this.#needs = needs;
    this.#http = new PubSubHttp(needs);
  }

  /**
   * The document of a room as one Yjs update (v1); undefined: the server does not hold it. Check the name
   * with `canAsk` before. Rejects with an Error that has the reason.
   */
  roomState(
    server: ServerId,
    room: RoomName,
    asking: AskingForRoom,
  ): Promise<Uint8Array | undefined> {
    const { meter } = this.#needs;
    const { signal } = asking;
    return metered(
      () => this.#ask(server, room, asking),
      { server, request: 'state' },
      { meter, signal },
    );
  }

  async #ask(
    server: ServerId,
    room: RoomName,
    { takesNames, maxBytes, signal }: AskingForRoom,
  ): Promise<Uint8Array | undefined> {
    const query = takesNames ? `name=${encodeURIComponent(room)}` : `id=${room}`;
    const path = `/api/room?${query}`;
    const answer = await this.#http.exchange(server, { method: 'GET', path, maxBytes }, signal);
    if (isAbsent(answer)) return undefined;
    expectSuccess(answer);
    this.#needs.onHeard(server);
    if (!answer.type.includes('octet-stream'))
      throw new Error(`answered "${answer.type}" instead of a document`);
    expectUncompressed(answer);
    return answer.body;
  }
}

/** Whether a server can be asked for a room of this name. `takesNames`: it announced the capability `names`. */
export function canAsk(takesNames: boolean, room: RoomName): boolean {
  return isRawName(room) || (takesNames && isWellFormed(room));
}

/**
 * Whether every server can be asked for a room of this name. Those that take raw names cut them at `=` and
 * `?`, and would answer for another room. Other refused characters cannot be in a request line.
 */
export function isRawName(room: RoomName): boolean {
  return /^[!-\xff]+$/.test(room) && !/[=?]/.test(room);
}

/** Whether the name has no lone surrogates, which UTF-8 cannot encode. */
export function isWellFormed(room: RoomName): boolean {
  return !/\p{Surrogate}/u.test(room);
}
