import { HostQueue } from '../timing/hostQueue.js';

const lastResults = ['answered', 'none', 'failed'] as const;

/** How the last request to a server ended; `none`: it was sent no request yet. */
export type LastResult = (typeof lastResults)[number];

interface Waiting {
  task: () => Promise<unknown>;
  signal: AbortSignal;
}

/** Tasks for servers with the same last result. */
interface Lane {
  readonly queue: HostQueue<Waiting>;
  readonly slots: number;
  usedSlots: number;
}

/**
 * Limits how many requests start at the same time, because starting one takes about a millisecond. One
 * task starts in a turn of the event loop, and holds a slot until it ends, at most `slotMs`. Servers that
 * are likely to answer go first and hosts take turns, so hung servers delay no others:
 * docs/decisions/likely-answers-first.md.
 */
export class RequestPacer {
  readonly #slots: number;
  readonly #slotMs: number;
  readonly #lanes: Record<LastResult, Lane>;
  #usedSlots = 0;
  #starts = 0;
  /** Tasks that have not ended. Some hold no slot any longer. */
  #running = 0;
  #hold: { onEnded: () => void } | undefined;
  #turn: NodeJS.Immediate | undefined;

  constructor({ slots = 16, slotMs = 50 } = {}) {
    this.#slots = slots;
    this.#slotMs = slotMs;
    this.#lanes = {
      answered: createLane(slots),
      none: createLane(slots),
      // These servers will probably hang again, which costs sockets and time of this process.
      failed: createLane(Math.ceil(slots / 4)),
    };
  }

  /** Runs the task when a slot is free. A task that is aborted before it starts never runs. */
  run(
    task: () => Promise<unknown>,
    { host, lastResult, signal }: { host: string; lastResult: LastResult; signal: AbortSignal },
  ): void {
    this.#lanes[lastResult].queue.put(host, { task, signal });
    this.#next();
  }

  /** Starts no task until `resume`. Calls `onEnded` once when all that have started have ended; never at once. */
  hold(onEnded: () => void): void {
    this.#hold = { onEnded };
    setImmediate(() => this.#tellIfEnded());
  }

  resume(): void {
    this.#hold = undefined;
    this.#next();
  }

  #tellIfEnded(): void {
    if (!this.#hold || this.#running > 0) return;
    const { onEnded } = this.#hold;
    this.#hold = { onEnded: () => {} };
    onEnded();
  }

  #next(): void {
    if (this.#turn || !Object.values(this.#lanes).some((lane) => this.#isReady(lane))) return;
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      if (this.#hold) return;
      this.#startOne();
      this.#next();
    });
  }

  #isReady({ queue, usedSlots, slots }: Lane): boolean {
    return !queue.isEmpty && usedSlots < slots && this.#usedSlots < this.#slots;
  }

  #startOne(): void {
    for (const lastResult of [firstInTurn(this.#starts), ...lastResults]) {
      const lane = this.#lanes[lastResult];
      const next = this.#isReady(lane) ? lane.queue.take()?.item : undefined;
      if (!next) continue;
      this.#starts += 1;
      this.#start(next.task, lane);
      return;
    }
  }

  #start(task: () => Promise<unknown>, lane: Lane): void {
    this.#usedSlots += 1;
    lane.usedSlots += 1;
    let isHeld = true;
    const release = () => {
      if (!isHeld) return;
      isHeld = false;
      clearTimeout(timer);
      this.#usedSlots -= 1;
      lane.usedSlots -= 1;
      this.#next();
    };
    const timer = setTimeout(release, this.#slotMs);
    this.#running += 1;
    task().finally(() => {
      this.#running -= 1;
      release();
      this.#tellIfEnded();
    });
  }
}

function createLane(slots: number): Lane {
  return { queue: new HostQueue<Waiting>(), slots, usedSlots: 0 };
}

/** The lane that goes first. Two starts in eight are for the less likely lanes, or they would starve. */
function firstInTurn(starts: number): LastResult {
  if (starts % 8 === 3) return 'none';
  return starts % 8 === 7 ? 'failed' : 'answered';
}
