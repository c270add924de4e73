import { Track, type TrackPart } from './track.js';

/** Seconds from one entry to the next. */
export type Step = 1 | 30;

/** Ten minutes by second, and a day by half minutes. */
export const lengths: Record<Step, number> = { 1: 600, 30: 2880 };

/** The same numbers at both steps. Each column takes 14 kB. */
export class NumberTracks {
  readonly #tracks: Record<Step, Track>;

  constructor(columns: number) {
    const track = (stepSeconds: Step) =>
      new Track({ stepSeconds, length: lengths[stepSeconds], columns });
    this.#tracks = { 1: track(1), 30: track(30) };
  }

  note(second: number, numbers: readonly (number | null)[]): void {
    this.#tracks[1].note(second, numbers);
    this.#tracks[30].note(second, numbers);
  }

  read(step: Step, nowSecond: number): TrackPart {
    return this.#tracks[step].read(nowSecond);
  }

  get newestSecond(): number {
    return this.#tracks[1].newestSecond ?? 0;
  }
}
