import { HostQueue } from '../timing/hostQueue.js';

const outlooks = ['answering', 'unheard', 'failing'] as const;

/** What to expect of a server: how its last request ended, if it was sent any. */
export type Outlook = (typeof outlooks)[number];

interface Waiting {
  task: () => Promise<unknown>;
  signal: AbortSignal;
}

interface Lane {
  readonly queue: HostQueue<Waiting>;
  readonly youngAtOnce: number;
  young: number;
}

/**
 * Starts tasks, a few young ones at a time and one in a turn of the event loop: to start a request
 * takes about a millisecond. A task that lasts gives its place back after `youngMs`. Who is likely to
 * be answered goes first, and hosts take turns, so that hung servers hold up nobody; see
 * docs/decisions/likely-answers-first.md.
 */
export class RequestPacer {
  readonly #youngAtOnce: number;
  readonly #youngMs: number;
  readonly #lanes: Record<Outlook, Lane>;
  #young = 0;
  #starts = 0;
  #turn: NodeJS.Immediate | undefined;

  constructor({ youngAtOnce = 16, youngMs = 50 } = {}) {
    this.#youngAtOnce = youngAtOnce;
    this.#youngMs = youngMs;
    const lane = (places: number) => ({
      queue: new HostQueue<Waiting>(),
      youngAtOnce: places,
      young: 0,
    });
    this.#lanes = {
      answering: lane(youngAtOnce),
      unheard: lane(youngAtOnce),
      // They will probably hang again: that costs sockets, and the time of this process.
      failing: lane(Math.ceil(youngAtOnce / 4)),
    };
  }

  /** Runs the task when a place is free; an aborted one that has not started never does. */
  run(
    task: () => Promise<unknown>,
    { host, outlook, signal }: { host: string; outlook: Outlook; signal: AbortSignal },
  ): void {
    this.#lanes[outlook].queue.put(host, { task, signal });
    this.#next();
  }

  #next(): void {
    if (this.#turn || !outlooks.some((outlook) => this.#isReady(this.#lanes[outlook]))) return;
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      this.#startOne();
      this.#next();
    });
  }

  #isReady({ queue, young, youngAtOnce }: Lane): boolean {
    return !queue.isEmpty && young < youngAtOnce && this.#young < this.#youngAtOnce;
  }

  #startOne(): void {
    for (const outlook of [firstOf(this.#starts), ...outlooks]) {
      const lane = this.#lanes[outlook];
      const next = this.#isReady(lane) ? lane.queue.take()?.item : undefined;
      if (!next) continue;
      this.#starts += 1;
      this.#start(next.task, lane);
      return;
    }
  }

  #start(task: () => Promise<unknown>, lane: Lane): void {
    this.#young += 1;
    lane.young += 1;
    let isYoung = true;
    const age = () => {
      if (!isYoung) return;
      isYoung = false;
      clearTimeout(timer);
      this.#young -= 1;
      lane.young -= 1;
      this.#next();
    };
    const timer = setTimeout(age, this.#youngMs);
    task().finally(age);
  }
}

/** Who goes first at this start: two in eight are for the less likely, who would else wait for ever. */
function firstOf(starts: number): Outlook {
  if (starts % 8 === 3) return 'unheard';
  return starts % 8 === 7 ? 'failing' : 'answering';
}
