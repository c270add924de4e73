import { createParser } from 'eventsource-parser';
import type { StreamKind } from '../../../server/fleet/feed.js';
import type { Frame } from '../../../server/sse/frames.js';
import type { Viewer } from '../../../server/sse/viewer.js';
import type { InstancesWorld } from './instancesWorld.js';
import type { Site } from './site.js';

interface Told {
  version?: number;
  state?: string;
  complete?: boolean;
  reason?: string | null;
  rooms?: Record<string, number>;
}

/** One event of a stream. */
export interface StreamEvent {
  readonly name: string;
  readonly id: string | undefined;
  readonly data: string;
}

/** The events in the text of a frame; comments and `retry` are none. */
export function eventsIn(text: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  const parser = createParser({
    onEvent: ({ event = 'message', id, data }) => events.push({ name: event, id, data }),
  });
  parser.feed(text);
  return events;
}

export const textOf = (frame: Frame): string =>
  String(Array.isArray(frame) ? Buffer.concat(frame) : frame);

/** Somebody who looks: an EventSource that comes back wherever the balancer leads it. */
export class Person {
  readonly kind: StreamKind;
  readonly rooms = new Map<string, number>();
  state = '';
  isComplete = false;
  reason: string | null | undefined;
  lastEventId: string | undefined;
  /** Where its stream comes from; undefined: it has none. */
  site: Site | undefined;
  attachedAtMs = 0;
  /** Whether the leader was lost since the last event with an id. */
  #wasLost = false;
  /** Whether it was ever told numbers. */
  hasMap = false;
  /** Whether it has closed its tab. */
  hasLeft = false;
  /** Events of the stream that it has now. */
  read = 0;
  readonly #world: InstancesWorld;
  readonly name: string;

  constructor(world: InstancesWorld, name: string, kind: StreamKind) {
    this.#world = world;
    this.name = name;
    this.kind = kind;
  }

  /** A stream has begun. */
  attach(site: Site): void {
    this.site = site;
    this.attachedAtMs = this.#world.nowMs;
    this.read = 0;
    // Whether the numbers are complete is told at every connection.
    this.isComplete = false;
    this.state = '';
  }

  detach(): void {
    this.site = undefined;
    this.isComplete = false;
  }

  take(text: string): void {
    for (const event of eventsIn(text)) {
      this.#world.note(() => `${this.name} reads ${event.name} ${event.id ?? ''} ${event.data}`);
      this.read += 1;
      this.#takeEvent(event);
      this.#world.oracle.atRead(this, event);
    }
  }

  #takeEvent({ name, id, data }: StreamEvent): void {
    const told = JSON.parse(data) as Told & Record<string, number>;
    if (name === 'message') {
      this.#setRooms(told as Record<string, number>);
      return;
    }
    if (name === 'snapshot') this.hasMap = true;
    if (name !== 'status') this.#checkVersion(name, id, told.version);
    if (name === 'snapshot') this.rooms.clear();
    this.state = told.state ?? this.state;
    this.isComplete = told.complete ?? this.isComplete;
    if (told.reason !== undefined) this.reason = told.reason;
    this.#wasLost ||= this.reason === 'leader_lost' || this.reason === 'no_leader';
    for (const [room, count] of Object.entries(told.rooms ?? {})) this.#count(room, count, name);
  }

  #setRooms(rooms: Record<string, number>): void {
    this.hasMap = true;
    this.rooms.clear();
    for (const [room, count] of Object.entries(rooms)) this.#count(room, count, 'message');
  }

  /**
   * Versions of one activation go on by one, unless the leader was lost meanwhile; a snapshot may have any. After
   * an event without an id, more of it follows.
   */
  #checkVersion(name: string, id: string | undefined, version: number | undefined): void {
    if (id === undefined) return;
    const [run, number] = splitId(id);
    const [lastRun, last] = splitId(this.lastEventId ?? '');
    if (number !== version) this.#fail(`version ${version} of ${name} ${id}`);
    // An instance that stood still has an older map, and says so.
    const isNext = this.#wasLost ? number > last : number === last + 1;
    const isGap = name !== 'snapshot' && !isNext;
    if (run === lastRun && isGap) this.#fail(`${name} ${id} follows ${this.lastEventId}`);
    this.lastEventId = id;
    this.#wasLost = false;
  }

  #count(room: string, count: number, name: string): void {
    const min = name === 'changes' ? 0 : 1;
    if (!Number.isInteger(count) || count < min) this.#fail(`"${room}" is ${count}`);
    if (count === 0) this.rooms.delete(room);
    else this.rooms.set(room, count);
  }

  #fail(why: string): void {
    this.#world.fail('4: anywhere', `${this.name} at ${this.site?.name}: ${why}`);
  }
}

function splitId(id: string): [run: string, version: number] {
  const at = id.lastIndexOf('-');
  return [id.slice(0, at), Number(id.slice(at + 1))];
}

/** What a stream gives to the instance that it comes from, as `server/sse/viewer.ts` does. */
export class StreamEnd {
  readonly pendingBytes = 0;
  readonly #sent: (frame: Frame) => void;
  readonly #ended: () => void;
  #hasEnded = false;

  constructor(sent: (frame: Frame) => void, ended: () => void) {
    this.#sent = sent;
    this.#ended = ended;
  }

  get viewer(): Viewer {
    return this as unknown as Viewer;
  }

  send(frame: Frame): boolean {
    if (!this.#hasEnded) this.#sent(frame);
    return true;
  }

  onDrain(): void {}
  heartbeatOrDisconnect(): void {}

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#ended();
  }
}
