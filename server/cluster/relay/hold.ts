import { isSettled } from '../../fleet/statusEvents.js';
import type { Clock, Timer } from '../../timing/clock.js';
import type { LeaderStatus } from '../../wire/fleetEvents.js';
import type { Fleet } from './fleet.js';

/** How long the last numbers stay at most while a new leader asks the servers. */
const holdMs = 5000;
/** States of servers whose counts are in the totals. */
const countedStates = new Set(['live', 'stale', 'deaf']);

/** What decides whether a new leader's fleet is shown. */
export interface HoldFacts {
  incoming: Fleet;
  word: LeaderStatus;
  /** The fleet that viewers see now; undefined: they see none. */
  shown: Fleet | undefined;
}

/** Holds a new leader's fleet back until its servers have answered: else rooms would vanish and come back. */
export class Hold {
  readonly #clock: Clock;
  readonly #onOver: () => void;
  #timer: Timer;
  #isOver = false;

  /** `onOver`: called when the time is over. Nothing is held back afterwards. */
  constructor(clock: Clock, onOver: () => void) {
    this.#clock = clock;
    this.#onOver = onOver;
  }

  /** Whether to wait. The first wait starts the timer. */
  holds({ incoming, word, shown }: HoldFacts): boolean {
    if (word.complete || this.#isOver) return false;
    const isMissing = shown ? !isSettled(word) || lacksServers(incoming, shown) : word.isTakeover;
    if (isMissing) this.#timer ??= this.#clock.setTimeout(() => this.#end(), holdMs);
    return isMissing;
  }

  /** Starts over for the next leader. */
  reset(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isOver = false;
  }

  #end(): void {
    this.#isOver = true;
    this.#onOver();
  }
}

/** Whether a server that was counted is not counted yet: its first answer may only be late. */
function lacksServers(incoming: Fleet, shown: Fleet): boolean {
  for (const { id, state } of shown.servers.values())
    if (countedStates.has(state) && incoming.servers.get(id)?.state !== 'live') return true;
  return false;
}
