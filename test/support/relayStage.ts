import { Relay } from '../../server/cluster/relay/relay.js';
import type { Upstream } from '../../server/cluster/relay/upstream.js';
import type { StreamKind } from '../../server/fleet/feed.js';
import { FakeViewer } from './fakeViewer.js';
import { HandClock } from './handClock.js';

/** A relay with a clock that stands still, and viewers whose frames a test reads. */
export class RelayStage {
  readonly clock = new HandClock();
  readonly endings: string[] = [];
  readonly relay = new Relay({
    clock: this.clock,
    frameIntervalMs: 50,
    lingerMs: 10_000,
    random: () => 0,
    onUpstreamEnded: (cause) => this.endings.push(cause),
  });

  join(kind: StreamKind = 'changes', lastEventId?: string): FakeViewer {
    const viewer = new FakeViewer();
    this.relay.add(viewer.viewer, kind, lastEventId);
    return viewer;
  }

  leave(viewer: FakeViewer): void {
    this.relay.remove(viewer.viewer);
  }

  follow(upstream: Upstream | undefined): void {
    this.relay.follow(upstream);
  }

  /** Lets time pass while a leader beats. */
  beatFor(ms: number, leader: { beat: () => void }): void {
    for (let passed = 0; passed < ms; passed += 500) {
      this.clock.advance(500);
      leader.beat();
    }
  }
}

/** The events that a viewer got since the last call, in words: `snapshot {"a":1}`, `status complete`. */
export function told(viewer: FakeViewer): string[] {
  return messagesOf(viewer).map((message) => {
    const event = /^event: (.*)$/m.exec(message)?.[1] ?? 'map';
    const data = JSON.parse(/^data: (.*)$/m.exec(message)?.[1] ?? 'null');
    if (event === 'status') return statusInWords(data);
    if (event === 'servers')
      return `servers ${data.servers.map((one: { id: string; state: string }) => `${one.id} ${one.state}`)}`;
    return `${event} ${event === 'map' ? JSON.stringify(data) : roomsOf(message)}`;
  });
}

/** The messages that a viewer got since the last call, as text. */
export function messagesOf(viewer: FakeViewer): string[] {
  return viewer.frames.splice(0).join('').split('\n\n').filter(Boolean);
}

/** The event ids of messages, an empty text for those without. */
export const idsOf = (messages: string[]) =>
  messages.map((message) => /^id: (.*)$/m.exec(message)?.[1] ?? '');

const roomsOf = (message: string) => /"rooms":(\{[^}]*\})\}$/.exec(message)?.[1] ?? '';

function statusInWords({ complete, reason, ageMs }: Record<string, unknown>): string {
  if (complete) return 'status complete';
  return `status ${reason}${ageMs === undefined ? '' : ` for ${ageMs} ms`}`;
}
