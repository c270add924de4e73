import type { Logger } from 'pino';
import { pauseEvent } from '../activity/pauseActivity.js';
import { AwakeClock } from '../timing/awakeClock.js';
import { type Pause, PauseWatch } from '../timing/pauseWatch.js';
import type { NotedEvent } from '../wire/activityEvent.js';
import type { PauseReport } from '../wire/serviceState.js';
import type { Fleet } from './wireFleet.js';

/** What noticing pauses needs from the rest of the instance. */
export interface PauseWiringNeeds {
  log: Logger;
  /** URL of this instance. */
  url: string;
  note: (event: NotedEvent) => void;
  /** Undefined: another instance leads. */
  fleet: () => Fleet | undefined;
}

/** What notices that this process did not run for a while. */
export type PauseParts = ReturnType<typeof wirePauses>;

/**
 * Notices pauses of this process, so that servers are not blamed for them: the machines' delays do not count the
 * time of a pause, and after it all servers are asked for their connections, because posts may have been lost.
 */
export function wirePauses({ log, url, note, fleet }: PauseWiringNeeds) {
  let last: PauseReport | null = null;
  const onPause = ({ endedAtMs, ms }: Pause) => {
    const seconds = Math.round(ms / 1000);
    last = { endedAt: new Date(endedAtMs).toISOString(), seconds };
    log.warn({ seconds }, 'this service was paused; it asks all pub-sub servers again');
    note(pauseEvent(url, seconds));
    askAgain(fleet());
  };
  const watch = new PauseWatch({ onPause });
  return {
    /** For the delays of the machines. */
    clock: new AwakeClock(watch),
    last: () => last,
    /** How many pauses there were until now. */
    count: () => watch.count(),
    close: () => watch.close(),
  };
}

/** Only while the service counts: otherwise the servers are silent. */
function askAgain(fleet: Fleet | undefined): void {
  if (!fleet?.view.watching().isCounting) return;
  const servers = [...fleet.activation.getSnapshot().context.roster].map(({ server }) => server);
  fleet.activation.send({ type: 'evidence.found', servers });
}
