import type { Leader } from '../../../machines/ports.js';
import { causeOf } from '../../causeOf.js';
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
  opening: ReturnType<InstanceRequests['open']>,
  events: UpstreamEvents,
  signal: AbortSignal,
): Promise<void> {
  let cause = 'the stream has ended';
  try {
    const { status, headers, body } = await opening;
    if (status === 200 && headers['content-type']?.startsWith('text/event-stream')) {
      const reader = new MessageReader((message) => report(message, events));
      for await (const chunk of body) {
        if (signal.aborted) return;
        events.onProgress();
        reader.push(chunk);
      }
    } else {
      body.destroy();
      cause = `answered ${status}`;
    }
  } catch (error) {
    cause = causeOf(error);
  }
  if (!signal.aborted) events.onEnd(cause);
}

function report(message: UpstreamEvent, events: UpstreamEvents): void {
  if (message.name === 'beat') events.onBeat(JSON.parse(message.data.toString()).term);
  else events.onEvent(ownCopy(message));
}

/** A small message would keep the whole chunk in memory that it came with. */
function ownCopy(message: UpstreamEvent): UpstreamEvent {
  const { frame, data } = message;
  if (frame.length * 2 > frame.buffer.byteLength) return message;
  const copy = Buffer.from(frame);
  const start = data.byteOffset - frame.byteOffset;
  return { ...message, frame: copy, data: copy.subarray(start, start + data.length) };
}
