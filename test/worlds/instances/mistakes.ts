import type { Upstream, UpstreamEvents } from '../../../server/cluster/relay/upstream.js';
import type { StreamViewer } from '../../../server/sse/channel.js';
import { type Frame, messageFrame } from '../../../server/sse/frames.js';
import { eventsIn, textOf } from './person.js';

/** The upstream of any term looks like that of one, and can be resumed after another. */
export function withoutTerm(upstream: Upstream): Upstream {
  const open: Upstream['open'] = (events, lastEventId) => {
    const changed: UpstreamEvents = {
      onEvent: (event) => events.onEvent(event),
      onProgress: () => events.onProgress(),
      onBeat: () => events.onBeat(1),
      onEnd: (cause) => events.onEnd(cause),
    };
    return upstream.open(changed, lastEventId);
  };
  return { term: 1, open };
}

/** Says of the numbers what the leader once said, however long ago. */
export class Believing {
  #isComplete = false;
  readonly #viewers = new Map<StreamViewer, StreamViewer>();

  /** Listens to what the leader says. */
  heed(upstream: Upstream): Upstream {
    const open: Upstream['open'] = (events, lastEventId) => {
      const changed: UpstreamEvents = {
        onProgress: () => events.onProgress(),
        onEvent: (event) => {
          const { complete } = JSON.parse(String(event.data)) as { complete?: boolean };
          this.#isComplete = complete ?? this.#isComplete;
          events.onEvent(event);
        },
        onBeat: (term) => events.onBeat(term),
        onEnd: (cause) => events.onEnd(cause),
      };
      return upstream.open(changed, lastEventId);
    };
    return { term: upstream.term, open };
  }

  viewer(viewer: StreamViewer): StreamViewer {
    const known = this.#viewers.get(viewer);
    if (known) return known;
    const changed: StreamViewer = {
      pendingBytes: 0,
      send: (frame) => viewer.send(this.#changed(frame)),
      onDrain: (callback) => viewer.onDrain(callback),
      heartbeatOrDisconnect: () => {},
      end: () => viewer.end(),
    };
    this.#viewers.set(viewer, changed);
    return changed;
  }

  #changed(frame: Frame): Frame {
    return eventsIn(textOf(frame)).map(({ name, id, data }) => {
      const told = JSON.parse(data) as object;
      const said = name === 'status' ? { ...told, complete: this.#isComplete } : told;
      return messageFrame(JSON.stringify(said), { event: name, ...(id !== undefined && { id }) });
    });
  }
}
