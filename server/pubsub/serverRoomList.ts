import type { RoomName } from '../../machines/ports.js';

/** Sets the timers of delays; tests have clocks of their own. */
export interface DelayClock {
  setTimeout(fire: () => void, ms: number): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: timers differ from clock to clock.
  clearTimeout(timer: any): void;
}

/** What the list of a server needs. */
export interface ServerRoomListNeeds {
  /**
   * Tells the server the whole list. Rejects with an Error if it is not confirmed within a deadline. `receiver`: a
   * number for the URL in it. With another one the server posts the whole awareness of all rooms again.
   */
  send: (rooms: readonly RoomName[], receiver: number) => Promise<void>;
  clock: DelayClock;
  /** How long a request without an answer may still be applied. */
  requestTimeoutMs: number;
  /** It is known now, or known no longer, which rooms the server posts. */
  onChanged: () => void;
  /** The server failed for the first time since it last confirmed. */
  onFailed: (cause: Error) => void;
  /** Nothing is wanted of the server, and it knows that or does not answer. */
  onIdle: () => void;
}

/** A list ends 90 s after it was sent, so that one lost renewal does no harm. */
const renewMs = 30_000;
const retryMs = { first: 250, max: 5000 };
/** How often an empty list is sent to a server that does not answer. It stops by itself. */
const maxFarewells = 3;
/** The protocol allows 1 MiB for the list and its URL. */
const maxRooms = 1000;
const maxBytes = 1000 * 1024;

/**
 * The watched rooms that one server is to post. Sends the list when it changes, one request at a time, again and
 * again until it is confirmed, and renews it.
 */
export class ServerRoomList {
  readonly #needs: ServerRoomListNeeds;
  readonly #wanted = new Set<RoomName>();
  #wantedBytes = 0;
  /** Rooms of the last confirmed list. */
  #confirmed: ReadonlySet<RoomName> = new Set();
  /** Grows with everything that the server has to be told. */
  #version = 0;
  #confirmedVersion = 0;
  /** Failures since the last confirmation. */
  #failures = 0;
  #receiver = 0;
  /** Number of times that the server lost its list. */
  #restarts = 0;
  #isSending = false;
  #isClosed = false;
  #timer: unknown;

  constructor(needs: ServerRoomListNeeds) {
    this.#needs = needs;
  }

  /** Adds a room. False: the list is full. */
  want(room: RoomName): boolean {
    if (this.#wanted.has(room)) return true;
    const bytes = bytesOf(room);
    if (this.#wanted.size >= maxRooms || this.#wantedBytes + bytes > maxBytes) return false;
    this.#wanted.add(room);
    this.#wantedBytes += bytes;
    this.#change();
    return true;
  }

  unwant(room: RoomName): void {
    if (!this.#wanted.delete(room)) return;
    this.#wantedBytes -= bytesOf(room);
    this.#change();
  }

  /** Whether the server confirmed that it posts the room. */
  isConfirmed(room: RoomName): boolean {
    return this.#confirmed.has(room);
  }

  /** Whether the last request failed. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** The server has restarted, and knows no list. */
  restart(): void {
    this.#restarts += 1;
    this.#confirmed = new Set();
    this.#change();
    this.#needs.onChanged();
  }

  /** Sends the list again, to find out whether the server is still there. */
  renew(): void {
    if (!this.#isSending) this.#change();
  }

  /** Somebody new follows a room, and has no awareness of it yet. */
  repeatAwareness(): void {
    this.#receiver += 1;
    this.#change();
  }

  close(): void {
    this.#isClosed = true;
    this.#clear();
  }

  /** A server that fails is told with the next retry. */
  #change(): void {
    this.#version += 1;
    if (!this.isFailing) void this.#send();
  }

  async #send(): Promise<void> {
    if (this.#isSending || this.#isClosed) return;
    this.#clear();
    this.#isSending = true;
    const [version, restarts, rooms] = [this.#version, this.#restarts, [...this.#wanted]];
    const error = await this.#needs.send(rooms, this.#receiver).then(() => undefined, toError);
    this.#isSending = false;
    if (this.#isClosed) return;
    if (error) this.#fail(error);
    else this.#confirm(version, restarts === this.#restarts ? rooms : []);
  }

  #confirm(version: number, rooms: readonly RoomName[]): void {
    const isShaken = this.isFailing;
    const isNews = isShaken || version !== this.#confirmedVersion;
    this.#confirmed = new Set(rooms);
    this.#confirmedVersion = version;
    this.#failures = 0;
    if (isNews) this.#needs.onChanged();
    if (version !== this.#version) void this.#send();
    else if (this.#wanted.size === 0) this.#needs.onIdle();
    // An earlier request that was not answered may be applied after this one.
    else this.#sendIn(isShaken ? this.#needs.requestTimeoutMs : renewMs);
  }

  #fail(error: Error): void {
    this.#failures += 1;
    this.#confirmed = new Set();
    const isFirst = this.#failures === 1;
    if (isFirst) this.#needs.onFailed(error);
    if (isFirst) this.#needs.onChanged();
    if (this.#wanted.size === 0 && this.#failures >= maxFarewells) this.#needs.onIdle();
    else this.#sendIn(Math.min(retryMs.max, retryMs.first * 2 ** (this.#failures - 1)));
  }

  #sendIn(ms: number): void {
    this.#timer = this.#needs.clock.setTimeout(() => void this.#send(), ms);
  }

  #clear(): void {
    if (this.#timer !== undefined) this.#needs.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** As an entry of the JSON array. */
const bytesOf = (room: RoomName) => Buffer.byteLength(JSON.stringify(room)) + 1;

const toError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error));
