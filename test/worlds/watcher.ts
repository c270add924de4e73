import type { StreamKind } from '../../server/fleet/feed.js';
import type { Frame } from '../../server/sse/frames.js';
import type { Viewer } from '../../server/sse/viewer.js';
import type { ServerView } from '../../server/wire/serverView.js';

/** What a viewer is told of a server, and told anew when it changes. */
export type SeenServer = Pick<ServerView, 'state' | 'overLimit'>;

interface ChangesData {
  version?: number;
  state?: string;
  complete?: boolean;
  rooms?: Record<string, number>;
  servers?: ServerView[];
}

/** As `server/sse/viewer.ts` has it: what waits for a viewer that does not read. */
const maxPendingBytes = 1024 * 1024;

/** A viewer that does what docs/protocol.md says with its stream, and nothing else. */
export class Watcher {
  readonly kind: StreamKind;
  pendingBytes = 0;
  readonly rooms = new Map<string, number>();
  readonly servers = new Map<string, SeenServer>();
  state = '';
  isComplete = false;
  lastEventId: string | undefined;
  frames = 0;
  /** What was wrong with what it was sent, in words. */
  readonly complaints: string[] = [];
  #version: { of: string; number: number } | undefined;
  /** Frames that are on their way, while it does not read. */
  #unread: string[] = [];
  #drained: () => void = () => {};

  constructor(kind: StreamKind = 'changes') {
    this.kind = kind;
  }

  /** As the feed takes it. */
  get viewer(): Viewer {
    return this as unknown as Viewer;
  }

  /** Its first frame has come; of the stream of changes it tells the state, too. */
  get isWelcome(): boolean {
    return this.frames > 0 && (this.kind === 'rooms' || this.state !== '');
  }

  send(frame: Frame): boolean {
    const text = String(Array.isArray(frame) ? Buffer.concat(frame) : frame);
    if (this.pendingBytes > 0) {
      if (this.pendingBytes + text.length > maxPendingBytes) return false;
      this.pendingBytes += text.length;
      this.#unread.push(text);
    } else this.#read(text);
    return true;
  }

  /** Reads no more: so many bytes are waiting for it already. */
  stall(bytes: number): void {
    this.pendingBytes = bytes;
  }

  /** Reads what is waiting. Not every drain is announced. */
  drain(isAnnounced: boolean): void {
    if (this.pendingBytes === 0) return;
    this.pendingBytes = 0;
    for (const text of this.#unread.splice(0)) this.#read(text);
    if (isAnnounced) this.#drained();
  }

  /** The connection is gone, with what was on its way. */
  hangUp(): void {
    this.pendingBytes = 0;
    this.#unread = [];
  }

  onDrain(callback: () => void): void {
    this.#drained = callback;
  }

  heartbeatOrDisconnect(): void {}

  end(): void {}

  #read(text: string): void {
    const lines = text.split('\n');
    const [event = '', id = '', data = ''] = lines;
    if (event.startsWith('data: ')) this.#takeMap(JSON.parse(event.slice('data: '.length)));
    else if (event.startsWith('event: '))
      this.#takeEvent(event.slice('event: '.length), id.slice('id: '.length), data);
    else return;
    this.frames += 1;
  }

  #takeMap(rooms: Record<string, number>): void {
    this.rooms.clear();
    for (const [room, count] of Object.entries(rooms)) this.#count(room, count, 1);
  }

  #takeEvent(event: string, id: string, data: string): void {
    const told = JSON.parse(data.slice('data: '.length)) as ChangesData;
    this.#checkVersion(event, id, told.version);
    this.lastEventId = id;
    if (event === 'snapshot') {
      this.rooms.clear();
      this.servers.clear();
    }
    this.state = told.state ?? this.state;
    this.isComplete = told.complete ?? this.isComplete;
    for (const [room, count] of Object.entries(told.rooms ?? {}))
      this.#count(room, count, event === 'changes' ? 0 : 1);
    for (const { id: server, state, overLimit } of told.servers ?? [])
      if (state === 'gone') this.servers.delete(server);
      else this.servers.set(server, { state, overLimit });
  }

  /** Versions go on by one; a snapshot may skip some, and begins anew in another run of the service. */
  #checkVersion(event: string, id: string, number: number | undefined): void {
    const [of = ''] = id.split('.');
    if (number === undefined || !Number.isSafeInteger(number) || !id.endsWith(`-${number}`))
      this.complaints.push(`version ${number} of ${event} ${id}`);
    const last = this.#version?.of === of ? this.#version.number : undefined;
    this.#version = { of, number: number ?? 0 };
    const isNext =
      event === 'snapshot' ? (last ?? 0) <= Number(number) : number === Number(last) + 1;
    if (!isNext) this.complaints.push(`${event} ${id} after version ${last}`);
  }

  #count(room: string, count: number, min: number): void {
    if (!Number.isInteger(count) || count < min) this.complaints.push(`"${room}" is ${count}`);
    if (count === 0) this.rooms.delete(room);
    else this.rooms.set(room, count);
  }
}
