interface Timer {
  readonly dueMs: number;
  /** Timers that are due at the same time fire in the order in which they were set. */
  readonly order: number;
  readonly fire: () => void;
}

const isBefore = (a: Timer, b: Timer) =>
  a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);

/** Products of a time and a jitter are off by a trifle. */
const toMicroseconds = (ms: number) => Math.round(ms * 1000) / 1000;

/**
 * A clock for `createActor(..., { clock })` that stands still until it is advanced. Timers wait in a
 * heap and fire one by one at their own time, those that are set meanwhile among them.
 */
export class HeapClock {
  nowMs = 0;
  /** Called whenever a timer has fired. */
  afterFiring: () => void = () => {};
  readonly #heap: Timer[] = [];
  readonly #waiting = new Map<number, Timer>();
  #orders = 0;

  readonly setTimeout = (fire: () => void, delayMs: number): number => {
    this.#orders += 1;
    const dueMs = toMicroseconds(this.nowMs + Math.max(0, delayMs));
    const timer = { dueMs, order: this.#orders, fire };
    this.#waiting.set(timer.order, timer);
    this.#push(timer);
    return timer.order;
  };

  readonly clearTimeout = (order: number | undefined): void => {
    if (order !== undefined) this.#waiting.delete(order);
  };

  /** Timers that were set and have neither fired nor been cleared. */
  get pending(): number {
    return this.#waiting.size;
  }

  /** Lets time pass, and every timer fire that becomes due. */
  advance(ms: number): void {
    const endMs = toMicroseconds(this.nowMs + ms);
    for (let next = this.#heap[0]; next && next.dueMs <= endMs; next = this.#heap[0]) {
      this.#pop();
      if (!this.#waiting.delete(next.order)) continue;
      this.nowMs = next.dueMs;
      next.fire();
      this.afterFiring();
    }
    this.nowMs = endMs;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let i = heap.push(timer) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(timer, heap[parent] as Timer)) break;
      heap[i] = heap[parent] as Timer;
      i = parent;
    }
    heap[i] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      const right = heap[child + 1];
      if (right && isBefore(right, heap[child] as Timer)) child += 1;
      const least = heap[child];
      if (!least || !isBefore(least, last)) break;
      heap[i] = least;
      i = child;
    }
    heap[i] = last;
  }
}
