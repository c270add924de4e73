import type {
  Upstream,
  UpstreamEvent,
  UpstreamEvents,
} from '../../server/cluster/relay/upstream.js';
import { messageFrame } from '../../server/sse/frames.js';
import type { LeaderStatus } from '../../server/wire/fleetEvents.js';

/** A leader's stream that a test writes. */
export class ScriptedUpstream implements Upstream {
  readonly term: number;
  /** The event ids with which it was opened; undefined: without one. */
  readonly openings: (string | undefined)[] = [];
  isOpen = false;
  version = 0;
  activation = 1;
  /** Called when it is opened, before `open` returns. */
  onOpen: () => void = () => {};
  #events: UpstreamEvents | undefined;

  constructor(term: number) {
    this.term = term;
  }

  open(events: UpstreamEvents, lastEventId?: string) {
    this.openings.push(lastEventId);
    this.#events = events;
    this.isOpen = true;
    this.onOpen();
    return {
      close: () => {
        if (this.#events === events) this.isOpen = false;
      },
    };
  }

  get id(): string {
    return `${this.term}.${this.activation}-${this.version}`;
  }

  beat(term = this.term): void {
    this.#events?.onBeat(term);
  }

  progress(): void {
    this.#events?.onProgress();
  }

  end(cause = 'cut'): void {
    this.isOpen = false;
    this.#events?.onEnd(cause);
  }

  status(status: Partial<LeaderStatus> = {}): void {
    const settled = { state: 'active', complete: true, reason: null, detail: 'watched' };
    this.send('status', { ...settled, isTakeover: false, ...status }, '');
  }

  resumed(): void {
    this.send('resumed', {}, '');
  }

  snapshot(rooms: Record<string, number>, servers: object[] = []): void {
    this.send('snapshot', { version: this.version, servers, rooms });
  }

  changes(rooms: Record<string, number>): void {
    this.version += 1;
    this.send('changes', { version: this.version, rooms });
  }

  servers(servers: object[]): void {
    this.version += 1;
    this.send('servers', { version: this.version, servers });
  }

  send(name: string, data: object | string, id = this.id): void {
    this.#events?.onEvent(upstreamEvent(name, data, id));
  }

  /** A beat, a snapshot and the status, as a leader begins. */
  begin(rooms: Record<string, number>, status: Partial<LeaderStatus> = {}): void {
    this.beat();
    this.snapshot(rooms);
    this.status(status);
  }
}

export function upstreamEvent(name: string, data: object | string, id = ''): UpstreamEvent {
  const json = typeof data === 'string' ? data : JSON.stringify(data);
  const frame = messageFrame(json, { event: name, id });
  return { name, id, data: Buffer.from(json), frame };
}
