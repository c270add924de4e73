import type { StreamViewer } from '../../sse/channel.js';
import type { Frame } from '../../sse/frames.js';
import type { Clock } from '../../timing/clock.js';
import { Beats, type LeadingFeed } from './beats.js';
import { MessageReader } from './messageReader.js';
import type { OpenUpstream, Upstream, UpstreamEvents } from './upstream.js';

/** The upstream of the instance that leads: its own feed. */
export function localUpstream(leading: LeadingFeed, clock: Clock): Upstream {
  return {
    term: leading.term,
    open(events, lastEventId) {
      if (leading.isHeld()) return openFeed({ leading, clock, events, lastEventId });
      events.onEnd('the lease has ended');
      return { close() {} };
    },
  };
}

interface Opening {
  leading: LeadingFeed;
  clock: Clock;
  events: UpstreamEvents;
  lastEventId: string | undefined;
}

function openFeed({ leading, clock, events, lastEventId }: Opening): OpenUpstream {
  const { feed, viewerConnected, viewerDisconnected } = leading;
  const viewer = new FeedReader(events);
  const beats = new Beats(leading, clock, {
    viewer,
    beat: (term) => events.onBeat(term),
    progress: () => events.onProgress(),
  });
  beats.start();
  feed.add(viewer, 'changes', lastEventId);
  // As with other viewers: first what there is, then what changes because of the viewer.
  viewerConnected();
  let isClosed = false;
  return {
    close() {
      if (isClosed) return;
      isClosed = true;
      beats.stop();
      feed.remove(viewer);
      viewerDisconnected();
    },
  };
}

/** A viewer of the feed that hands on events. It takes every frame. */
class FeedReader implements StreamViewer {
  readonly pendingBytes = 0;
  readonly #events: UpstreamEvents;
  readonly #reader: MessageReader;

  constructor(events: UpstreamEvents) {
    this.#events = events;
    this.#reader = new MessageReader((message) => events.onEvent(message));
  }

  send(frame: Frame): boolean {
    for (const part of Buffer.isBuffer(frame) ? [frame] : frame) this.#reader.push(part);
    return true;
  }

  onDrain(): void {}

  heartbeatOrDisconnect(): void {}

  end(): void {
    this.#events.onEnd('the feed has ended');
  }
}
