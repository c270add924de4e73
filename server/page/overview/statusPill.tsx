import { useSignal, useSignalEffect } from '@preact/signals';
import { activation, known, streamStatus } from '../model/fleet.js';
import { now } from '../model/polling.js';
import { statusWords } from '../model/statusWords.js';

/** How well the service and its servers are heard, in words. Green only if all numbers are there and right. */
export function StatusPill() {
  const { status } = known.value;
  const { label, tone, isBusy, meaning } = statusWords(status, now.value);
  return (
    <>
      <span
        class={`badge ${tone} ${isBusy ? 'busy' : ''}`}
        title={meaning}
        data-status={status.is}
        data-stream={streamStatus.value.kind}
        data-service={activation.value}
      >
        {label}
      </span>
      <Announcement />
    </>
  );
}

/** Announces changes of the status to screen readers. */
function Announcement() {
  const text = useSignal('');
  useSignalEffect(() => {
    // Without ages, which would be announced every second.
    text.value = statusWords(known.value.status, 0).meaning;
  });
  return (
    <span class="visually-hidden" role="status">
      {text}
    </span>
  );
}
