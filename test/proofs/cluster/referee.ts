import type { EventSourceMessage } from 'eventsource-parser';
import type { Truth } from './truth.js';
import type { Watcher } from './watcher.js';

/** What a watcher shows: `apart` is without a connection, or at an instance that is paused. */
export type Verdict = 'apart' | 'incomplete' | 'wrong' | 'right';

/** A broken promise. */
export interface Offence {
  readonly atMs: number;
  text: string;
}

/** What a referee compares, and what it is told of a room that is wrong. */
export interface RefereeNeeds {
  truth: Truth;
  watchers: ReadonlySet<Watcher>;
  /** Rooms whose count never changes. They may not flicker, complete or not. */
  steady: ReadonlyMap<string, number>;
  /** What the servers themselves count in a room, in words. */
  ask?: (room: string) => Promise<string>;
}

const sampleMs = 20;
/** A number that was true so recently is right: it takes a moment until a change arrives. */
const freshMs = 500;
/** A complete number may be wrong for so long: as long as it takes to notice. */
const noticeMs = 3_000;
const maxOffences = 20;
const courseLength = 30;

/** Compares watchers with the truth all the time. */
export class Referee {
  readonly offences: Offence[] = [];
  /** The longest time that a wrong number was said to be complete. */
  longestWrongMs = 0;
  /** How it came about. */
  longestWrong = '';
  /** The longest time that this process itself was busy: judgements are late by as much. */
  longestPauseMs = 0;
  readonly #truth: Truth;
  readonly #watchers: ReadonlySet<Watcher>;
  readonly #steady: ReadonlyMap<string, number>;
  readonly #ask: RefereeNeeds['ask'];
  /** Since when each watcher has shown a wrong number of a room as complete. */
  readonly #wrongSince = new Map<Watcher, Map<string, number>>();
  /** Watchers and rooms that were accused, with the beginning. */
  readonly #accused = new Set<string>();
  readonly #pausedInstances = new Map<string, number>();
  /** Watchers that had everything once. */
  readonly #informed = new WeakSet<Watcher>();
  /** When each watcher was last something else than right. */
  readonly #lastBadMs = new Map<Watcher, number>();
  /** The newest changes of what each watcher was told, and whether it was right, with their time. */
  readonly #courses = new Map<Watcher, string[]>();
  readonly #timer: NodeJS.Timeout;
  #sampledMs = performance.now();
  #excusedUntilMs = 0;

  constructor(needs: RefereeNeeds) {
    this.#truth = needs.truth;
    this.#watchers = needs.watchers;
    this.#steady = needs.steady;
    this.#ask = needs.ask;
    this.#timer = setInterval(() => this.#sample(), sampleMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Watchers at this instance are not judged from now on: nobody can tell them anything. */
  pause(instance: string): void {
    this.#pausedInstances.set(instance, Number.POSITIVE_INFINITY);
  }

  /** They are judged again, after the time that it takes to notice. */
  resume(instance: string): void {
    this.#pausedInstances.set(instance, performance.now() + noticeMs);
  }

  /** When the last of all watchers, or this one, was last not right. Now, if it was never judged. */
  lastBadMs(watcher?: Watcher): number {
    const now = performance.now();
    if (watcher) return this.#lastBadMs.get(watcher) ?? now;
    return Math.max(...[...this.#watchers].map((each) => this.#lastBadMs.get(each) ?? now));
  }

  /** How the watcher that was right last came to be so. */
  courseOfLast(): string {
    const [last] = [...this.#watchers].sort((a, b) => this.lastBadMs(b) - this.lastBadMs(a));
    return last ? (this.#courses.get(last) ?? []).join('; ') : '';
  }

  /** Called by each watcher after an event. */
  onEvent(watcher: Watcher, event: EventSourceMessage): void {
    if (!this.#informed.has(watcher)) return;
    if (watcher.rooms.size === 0) {
      this.#accuse(watcher, `an empty map by ${event.event} ${event.id}`);
      return;
    }
    for (const [room, count] of this.#steady) {
      const shown = watcher.rooms.get(room) ?? 0;
      if (shown !== count)
        this.#accuse(watcher, `${room} flickers: ${shown} instead of ${count} by ${event.event}`);
    }
  }

  #sample(): void {
    const now = performance.now();
    const pauseMs = now - this.#sampledMs;
    this.#sampledMs = now;
    this.longestPauseMs = Math.max(this.longestPauseMs, pauseMs);
    // What waits in the sockets of this process was told in time.
    if (pauseMs > 10 * sampleMs) this.#excusedUntilMs = now + pauseMs;
    for (const watcher of this.#watchers) this.#judge(watcher, now);
  }

  #judge(watcher: Watcher, now: number): void {
    const verdict = this.verdictOf(watcher, now);
    this.#noteCourse(watcher, verdict, now);
    if (verdict === 'right') this.#informed.add(watcher);
    if (verdict !== 'right' || !this.#lastBadMs.has(watcher)) this.#lastBadMs.set(watcher, now);
    const wrong = verdict === 'wrong' ? this.#wrongRooms(watcher, now - freshMs) : [];
    const before = this.#wrongSince.get(watcher);
    const since = new Map(wrong.map((room) => [room, before?.get(room) ?? now - freshMs]));
    this.#wrongSince.set(watcher, since);
    if (now < this.#excusedUntilMs) return;
    for (const [room, sinceMs] of since) this.#judgeRoom(watcher, room, sinceMs, now);
  }

  #noteCourse(watcher: Watcher, verdict: Verdict, now: number): void {
    const course = this.#courses.get(watcher) ?? [];
    const states = [...watcher.servers].map(([server, state]) => `${server} ${state}`).sort();
    const what = `${verdict} ${watcher.told}, ${states.join(', ')}`;
    if (course.at(-1)?.endsWith(what)) return;
    this.#courses.set(watcher, [...course.slice(-courseLength), `${Math.round(now)} ${what}`]);
  }

  #judgeRoom(watcher: Watcher, room: string, sinceMs: number, now: number): void {
    const wrongMs = now - sinceMs;
    if (wrongMs > this.longestWrongMs) {
      this.longestWrongMs = wrongMs;
      this.longestWrong = `${this.#inWords(watcher, room, now)} | ${watcher.inWords()}`;
    }
    const key = `${watcher.name} ${sinceMs} ${room}`;
    if (wrongMs <= noticeMs || this.#accused.has(key)) return;
    this.#accused.add(key);
    this.#accuse(watcher, this.#inWords(watcher, room, now), room);
  }

  /** What a watcher shows of a room, and what was true of late. */
  #inWords({ rooms, history }: Watcher, room: string, now: number): string {
    const truth = this.#truth.inWords(room, now - 2 * noticeMs);
    const shown = history.get(room)?.join(', ') ?? 'nothing';
    return `${room} is ${rooms.get(room) ?? 0}, true: ${truth}; shown: ${shown}`;
  }

  verdictOf(watcher: Watcher, now = performance.now()): Verdict {
    if (!watcher.isConnected || this.#isPaused(watcher, now)) return 'apart';
    if (!watcher.isComplete) return 'incomplete';
    return this.#wrongRooms(watcher, now - freshMs).length === 0 ? 'right' : 'wrong';
  }

  #isPaused({ instance = '' }: Watcher, now: number): boolean {
    return (this.#pausedInstances.get(instance) ?? 0) > now;
  }

  /** Rooms whose count was not true at any time since then. */
  #wrongRooms({ rooms }: Watcher, sinceMs: number): string[] {
    const all = new Set([...this.#truth.rooms(), ...rooms.keys()]);
    return [...all].filter((room) => !this.#truth.wasTrue(room, rooms.get(room) ?? 0, sinceMs));
  }

  #accuse(watcher: Watcher, what: string, room?: string): void {
    const atMs = performance.now();
    const text = `at ${Math.round(atMs)} ${what} | ${watcher.inWords()}`;
    const offence = { atMs, text };
    if (this.offences.length >= maxOffences) return;
    this.offences.push(offence);
    if (room === undefined) return;
    this.#ask?.(room).then(
      (answer) => {
        offence.text += ` | the servers: ${answer}`;
      },
      () => undefined,
    );
  }
}
