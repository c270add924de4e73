import { pageMs } from '../api.js';
import { now, service } from '../model/polling.js';
import { age, clockTime } from '../ui/time.js';
import { Notice } from './notice.js';

/** How long a pause is shown after its end. */
const shownMs = 120_000;

/** The process of the service stood still, so silence of the servers in that time says nothing of them. */
export function PauseNotice() {
  const pause = service.value?.lastPause;
  if (!pause) return null;
  const endedAtMs = pageMs(pause.endedAt);
  if (now.value - endedAtMs > shownMs) return null;
  return (
    <Notice tone="accent" name="pause">
      <p class="notice-text">
        <strong>This service was paused for {age(pause.seconds * 1000)}</strong>, until{' '}
        {clockTime(endedAtMs)}. It did not count meanwhile, and has asked all servers again. The
        servers are not the cause: the process or its machine was suspended, or too busy to run.
      </p>
    </Notice>
  );
}
