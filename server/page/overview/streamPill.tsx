import { useSignal, useSignalEffect } from '@preact/signals';
import { streamStatus } from '../model/fleet.js';
import { now } from '../model/polling.js';
import type { StreamStatus } from '../stream/messages.js';
import { age, clockTime } from '../ui/time.js';

/** The state of this page's own stream. */
export function StreamPill() {
  const status = streamStatus.value;
  return (
    <>
      <span class={`badge ${toneOf(status)}`} data-stream={status.kind}>
        {wordsOf(status)}
      </span>
      <Announcement />
    </>
  );
}

function toneOf({ kind }: StreamStatus): string {
  if (kind === 'live') return 'good';
  if (kind === 'stale') return 'warn';
  return kind === 'reconnecting' ? 'bad busy' : 'busy';
}

function wordsOf(status: StreamStatus): string {
  if (status.kind === 'live') return 'Live';
  if (status.kind === 'stale') return `No data for ${age(now.value - status.sinceMs)}`;
  if (status.kind === 'reconnecting') return `Reconnecting since ${clockTime(status.sinceMs)}`;
  return status.kind === 'signedOut' ? 'Signed out' : 'Connecting';
}

const sentences: Record<StreamStatus['kind'], string> = {
  connecting: '',
  live: 'The page is live.',
  stale: 'No data from the service. The page may be out of date.',
  reconnecting: 'Lost the connection to the service. The page keeps retrying.',
  waiting: '',
  signedOut: 'You are signed out.',
};

/** Announces changes of that state to screen readers. */
function Announcement() {
  const text = useSignal('');
  useSignalEffect(() => {
    text.value = sentences[streamStatus.value.kind];
  });
  return (
    <span class="visually-hidden" role="status">
      {text}
    </span>
  );
}
