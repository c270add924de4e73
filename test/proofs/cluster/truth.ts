/** Counts that were possible from a moment on: connections that are being opened or closed may count or not. */
interface Span {
  readonly fromMs: number;
  readonly least: number;
  readonly most: number;
}

const keepMs = 60_000;

/**
 * The true connections of each room, as the run itself opened and closed them, with their history. Times
 * are those of `performance.now()`.
 */
export class Truth {
  readonly #spans = new Map<string, Span[]>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A connection is being opened: it may count from now on. */
  opening(room: string): void {
    this.#add(room, 0, 1);
  }

  opened(room: string): void {
    this.#add(room, 1, 0);
  }

  /** A connection is being closed: it may count no longer. */
  closing(room: string): void {
    this.#add(room, -1, 0);
  }

  closed(room: string): void {
    this.#add(room, 0, -1);
  }

  rooms(): Iterable<string> {
    return this.#spans.keys();
  }

  /** Whether the room may have had this many connections at any time since then. */
  wasTrue(room: string, count: number, sinceMs: number): boolean {
    const spans = this.#spans.get(room) ?? [];
    // Before its first span a room had no connections.
    if (count === 0 && !(spans[0] && spans[0].fromMs <= sinceMs)) return true;
    for (let index = spans.length - 1; index >= 0; index -= 1) {
      const { least, most, fromMs } = spans[index] as Span;
      if (least <= count && count <= most) return true;
      if (fromMs <= sinceMs) return false;
    }
    return false;
  }

  /** What was true since then, in words. */
  inWords(room: string, sinceMs: number): string {
    const spans = this.#spans.get(room) ?? [];
    const first = spans.findLastIndex(({ fromMs }) => fromMs <= sinceMs);
    return spans
      .slice(Math.max(0, first))
      .map(({ fromMs, least, most }) => `${least}..${most} from ${Math.round(fromMs)}`)
      .join(', ');
  }

  /** Connections that certainly count now, in all rooms. */
  total(): number {
    let sum = 0;
    for (const spans of this.#spans.values()) sum += spans.at(-1)?.least ?? 0;
    return sum;
  }

  #add(room: string, toLeast: number, toMost: number): void {
    const spans = this.#spans.get(room) ?? [];
    const { least, most } = spans.at(-1) ?? { least: 0, most: 0 };
    const fromMs = this.#now();
    spans.push({ fromMs, least: least + toLeast, most: most + toMost });
    const old = spans.findLastIndex((span) => span.fromMs < fromMs - keepMs);
    if (old > 100) spans.splice(0, old);
    this.#spans.set(room, spans);
  }
}
