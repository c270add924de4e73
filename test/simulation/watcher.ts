import type { ServerId } from '../../machines/ports.js';
import type { ServerView } from '../../server/sse/feed.js';
import type { Frame } from '../../server/sse/frames.js';
import type { Viewer } from '../../server/sse/viewer.js';

interface ChangesData {
  version: number;
  state?: string;
  complete?: boolean;
  rooms?: Record<string, number>;
  servers?: ServerView[];
}

/** A viewer that does what docs/protocol.md says with the stream of changes, and nothing else. */
export class Watcher {
  readonly pendingBytes = 0;
  readonly rooms = new Map<string, number>();
  readonly servers = new Map<ServerId, string>();
  state = '';
  isComplete = false;
  lastEventId: string | undefined;
  frames = 0;
  isEnded = false;

  /** As the feed takes it. */
  get viewer(): Viewer {
    return this as unknown as Viewer;
  }

  send(frame: Frame): boolean {
    const text = String(Array.isArray(frame) ? Buffer.concat(frame) : frame);
    const [event, id, data] = text.split('\n');
    if (!event?.startsWith('event: ') || !id || !data) return true;
    this.frames += 1;
    this.lastEventId = id.slice('id: '.length);
    this.#apply(event.slice('event: '.length), JSON.parse(data.slice('data: '.length)));
    return true;
  }

  onDrain(): void {}

  beat(): void {}

  end(): void {
    this.isEnded = true;
  }

  #apply(event: string, { state, complete, rooms, servers }: ChangesData): void {
    if (event === 'snapshot') {
      this.rooms.clear();
      this.servers.clear();
    }
    if (state !== undefined) this.state = state;
    if (complete !== undefined) this.isComplete = complete;
    for (const [room, count] of Object.entries(rooms ?? {}))
      if (count === 0) this.rooms.delete(room);
      else this.rooms.set(room, count);
    for (const each of servers ?? [])
      if (each.state === 'gone') this.servers.delete(each.id);
      else this.servers.set(each.id, each.state);
  }
}
