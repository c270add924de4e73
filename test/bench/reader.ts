import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { createParser } from 'eventsource-parser';
import { monotonicMs } from './usage.js';

/** When a viewer saw a count of a room, by the machine's monotonic clock. */
export type Change = [room: string, count: number, atMs: number];

/** A viewer that reads every message, and comes back as an EventSource does. */
export class Reader {
  rooms = new Map<string, number>();
  /** The sum of the counts. */
  connections = 0;
  isEnded = false;
  /** Before it connected, by the machine's monotonic clock, as all that follow. */
  openedAt = 0;
  firstMessageAt: number | undefined;
  firstRoomsAt: number | undefined;
  /** Since `mark`: bytes, messages with rooms, whole states among them, and when they had come. */
  bytes = 0;
  frames = 0;
  wholeStates = 0;
  firstFrameAt = 0;
  lastFrameAt = 0;
  changes: Change[] = [];
  readonly #url: string;
  readonly #notesChanges: boolean;
  #parser = this.#newParser();
  /** Of a message that has not come to its end. */
  #parts: string[] = [];
  #arrivedAt = 0;
  #lastEventId: string | undefined;
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;

  constructor(url: string, { notesChanges = false } = {}) {
    this.#url = url;
    this.#notesChanges = notesChanges;
  }

  /** Resolves with its first bytes; with the last event id it has, as an EventSource that comes back. */
  open(): Promise<void> {
    const headers = this.#lastEventId ? { 'Last-Event-ID': this.#lastEventId } : {};
    this.openedAt = monotonicMs();
    this.firstMessageAt = undefined;
    this.firstRoomsAt = undefined;
    return new Promise((resolve, reject) => {
      const request = get(this.#url, { headers }, (res) => {
        this.#response = res;
        if (res.statusCode !== 200) reject(new Error(`a viewer got ${res.statusCode}`));
        res.setEncoding('utf8').on('data', (text: string) => {
          this.#take(text);
          resolve();
        });
        res.on('error', () => {});
        res.on('close', () => {
          this.isEnded ||= this.#request === request;
        });
      });
      this.#request = request;
      request.on('error', reject);
    });
  }

  /** Loses its connection. */
  leave(): void {
    const request = this.#request;
    this.#request = undefined;
    request?.destroy();
    this.#parts = [];
    this.#parser = this.#newParser();
  }

  /** Becomes a new viewer, which has nothing yet. */
  forget(): void {
    this.#lastEventId = undefined;
    this.rooms = new Map();
    this.connections = 0;
  }

  pause(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }

  /** Where its connection comes from. */
  get localPort(): number | undefined {
    return this.#response?.socket.localPort;
  }

  mark(): void {
    this.bytes = 0;
    this.frames = 0;
    this.wholeStates = 0;
    this.changes = [];
  }

  /** Whether it has these rooms and counts, and no others. */
  has(truth: ReadonlyMap<string, number>): boolean {
    if (this.rooms.size !== truth.size) return false;
    for (const [room, count] of truth) if (this.rooms.get(room) !== count) return false;
    return true;
  }

  #newParser() {
    return createParser({
      onEvent: ({ id, event, data }) => {
        this.#lastEventId = id ?? this.#lastEventId;
        this.#read(event, data);
      },
    });
  }

  /** Big messages are parsed once they are all there. */
  #take(text: string): void {
    this.bytes += text.length;
    this.#parts.push(text);
    if (!text.endsWith('\n') && !text.includes('\n\n')) return;
    this.#arrivedAt = monotonicMs();
    this.#parser.feed(this.#parts.join(''));
    this.#parts = [];
  }

  #read(event: string | undefined, data: string): void {
    this.firstMessageAt ??= this.#arrivedAt;
    const message = JSON.parse(data);
    const rooms: Record<string, number> | undefined = event ? message.rooms : message;
    if (rooms) this.#takeRooms(rooms, event !== 'changes');
  }

  #takeRooms(rooms: Record<string, number>, isWhole: boolean): void {
    this.frames += 1;
    if (this.frames === 1) this.firstFrameAt = this.#arrivedAt;
    this.lastFrameAt = this.#arrivedAt;
    const before = this.rooms;
    if (isWhole) {
      this.wholeStates += 1;
      this.rooms = new Map();
      this.connections = 0;
    }
    for (const [room, count] of Object.entries(rooms)) {
      if (this.#notesChanges && before.get(room) !== count)
        this.changes.push([room, count, this.#arrivedAt]);
      this.connections += count - (this.rooms.get(room) ?? 0);
      if (count === 0) this.rooms.delete(room);
      else this.rooms.set(room, count);
    }
    if (this.rooms.size > 0) this.firstRoomsAt ??= this.#arrivedAt;
  }
}
