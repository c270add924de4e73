import type { Leader } from '../../../machines/ports.js';
import { type OpenAnswer, readEventStream } from '../instanceEvents.js';
import type { InstanceRequests } from '../instanceRequests.js';
import { MessageReader } from './messageReader.js';
import type { Upstream, UpstreamEvent, UpstreamEvents } from './upstream.js';

/** Where a leader sends its stream for instances. */
export const instanceEventsPath = '/api/instances/events';

/** What the upstream of another instance is made of. */
export interface HttpUpstreamNeeds {
  leader: Pick<Leader, 'instance' | 'url' | 'term'>;
  requests: Pick<InstanceRequests, 'open'>;
}

/** The upstream of an instance that follows: the leader's stream over HTTP. */
export function httpUpstream({ leader, requests }: HttpUpstreamNeeds): Upstream {
  return {
    term: leader.term,
    open(events, lastEventId) {
      const closing = new AbortController();
      const { signal } = closing;
      const headers = {
        Accept: 'text/event-stream',
        ...(lastEventId !== undefined && { 'Last-Event-ID': lastEventId }),
      };
      const opening = requests.open(leader, instanceEventsPath, { headers, signal });
      void follow(opening, events, signal);
      return { close: () => closing.abort() };
    },
  };
}

/** Reads a stream to its end. Never rejects. */
async function follow(
  opening: Promise<OpenAnswer>,
  events: UpstreamEvents,
  signal: AbortSignal,
): Promise<void> {
  const reader = new MessageReader((message) => report(message, events));
  const onChunk = (chunk: Buffer) => {
    events.onProgress();
    reader.push(chunk);
  };
  const failure = await readEventStream(opening, { onChunk }, { signal });
  if (!signal.aborted) events.onEnd(failure ?? 'the stream has ended');
}

function report(message: UpstreamEvent, events: UpstreamEvents): void {
  if (message.name === 'beat') events.onBeat(JSON.parse(message.data.toString()).term);
  else events.onEvent(ownCopy(message));
}

/** A small message would keep its whole chunk in memory. */
function ownCopy(message: UpstreamEvent): UpstreamEvent {
  const { frame, data } = message;
  if (frame.length * 2 > frame.buffer.byteLength) return message;
  const copy = Buffer.from(frame);
  const start = data.byteOffset - frame.byteOffset;
  return { ...message, frame: copy, data: copy.subarray(start, start + data.length) };
}
