import { useSignal, useSignalEffect } from '@preact/signals';
import { streamStatus } from '../model/fleet.js';
import { now } from '../model/polling.js';
import type { StreamStatus } from '../stream/messages.js';
import { age, clockTime } from '../ui/time.js';

/** The state of this page's own stream, in few words. */
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
  if (status.kind === 'stale') return `Nothing for ${age(now.value - status.sinceMs)}`;
  if (status.kind === 'reconnecting') return `Reconnecting since ${clockTime(status.sinceMs)}`;
  return status.kind === 'signedOut' ? 'Signed out' : 'Connecting';
}

const sentences: Record<StreamStatus['kind'], string> = {
  connecting: '',
  live: 'The page is live.',
  stale: 'The page is out of date: nothing comes from the service.',
  reconnecting: 'The connection to the service is lost. The page reconnects by itself.',
  waiting: '',
  signedOut: 'You are signed out.',
};

/** Says to a screen reader when that state changes, and nothing else. */
function Announcement() {
  const said = useSignal('');
  useSignalEffect(() => {
    said.value = sentences[streamStatus.value.kind];
  });
  return (
    <span class="visually-hidden" role="status">
      {said}
    </span>
  );
}
