import type { InstanceEvents } from '../../cluster/instanceEvents.js';
import type { Clock, Timer } from '../../timing/clock.js';
import type { LeaderLink } from './leaderLink.js';

const retryMs = { first: 250, max: 4000 };

/** What a stream of the leader needs. */
export interface SteadyStreamNeeds {
  link: LeaderLink;
  path: string;
  clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>;
  /** `onEnd`: the stream was lost, and is opened again until `close`. */
  events: InstanceEvents;
}

/** A stream of the leader that is opened again whenever it ends. */
export class SteadyStream {
  readonly #needs: SteadyStreamNeeds;
  #stream: { close(): void } | undefined;
  #timer: Timer;
  /** Since it was last open. */
  #failures = 0;
  #isClosed = false;

  constructor(needs: SteadyStreamNeeds) {
    this.#needs = needs;
    this.#open();
  }

  close(): void {
    this.#isClosed = true;
    this.#needs.clock.clearTimeout(this.#timer);
    this.#stream?.close();
  }

  #open(): void {
    const { link, path, events } = this.#needs;
    this.#stream = link.stream(path, {
      onOpen: () => {
        this.#failures = 0;
        events.onOpen?.();
      },
      onEvent: events.onEvent,
      onEnd: (cause) => {
        events.onEnd(cause);
        this.#reopen();
      },
    });
  }

  #reopen(): void {
    if (this.#isClosed) return;
    const ms = Math.min(retryMs.max, retryMs.first * 2 ** this.#failures);
    this.#failures += 1;
    this.#timer = this.#needs.clock.setTimeout(() => this.#open(), ms);
  }
}
