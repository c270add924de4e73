import { describe, expect, test } from '@jest/globals';
import { AwakeClock } from '../../../server/timing/awakeClock.js';
import type { Clock } from '../../../server/timing/clock.js';
import { type Pause, PauseWatch } from '../../../server/timing/pauseWatch.js';
import { HandClock } from '../../support/handClock.js';

/** A watch, and a process that can be stopped. */
function stage() {
  const hand = new HandClock();
  const pauses: Pause[] = [];
  let suspendedMs = 0;
  /** Timers that became due while the process was stopped. */
  let due: (() => void)[] | undefined;
  const clock: Clock = {
    monotonicMs: () => hand.monotonicMs(),
    wallMs: () => hand.wallMs(),
    setTimeout: (fire, ms) => hand.setTimeout(() => (due ? due.push(fire) : fire()), ms),
    clearTimeout: (timer) => hand.clearTimeout(timer),
  };
  const watch = new PauseWatch({
    clock,
    uptimeMs: () => hand.monotonicMs() + suspendedMs,
    onPause: (pause) => pauses.push(pause),
  });
  return {
    clock: hand,
    pauses,
    watch,
    awake: new AwakeClock(watch, clock),
    /** As by SIGSTOP: the clocks run on. What becomes due meanwhile fires at the end, after `first`. */
    stop: (ms: number, first = () => {}) => {
      due = [];
      hand.advance(ms);
      const all = due;
      due = undefined;
      first();
      for (const fire of all) fire();
      hand.advance(0);
    },
    /** As of a laptop: the monotonic clock stands still. */
    suspend: (ms: number) => {
      suspendedMs += ms;
      hand.wallOffsetMs += ms;
    },
  };
}

describe('the watch', () => {
  test('tells of a stop with its length and its end', () => {
    const { clock, pauses, stop } = stage();
    clock.advance(10_000);
    expect(pauses).toEqual([]);
    stop(49_000);
    expect(pauses).toEqual([{ ms: 49_000, endedAtMs: clock.wallMs() }]);
    clock.advance(60_000);
    expect(pauses).toHaveLength(1);
  });

  test('tells of a suspend, in which the monotonic clock stood still', () => {
    const { clock, pauses, suspend } = stage();
    suspend(3_600_000);
    clock.advance(500);
    expect(pauses.map(({ ms }) => Math.round(ms / 60_000))).toEqual([60]);
    clock.advance(60_000);
    expect(pauses).toHaveLength(1);
  });

  test('tells once of a stop that somebody noticed before its beat', () => {
    const { clock, watch, pauses, stop } = stage();
    stop(10_000, () => watch.awakeMs());
    clock.advance(5000);
    expect(pauses).toHaveLength(1);
  });

  test('says nothing of short gaps, or when the wall clock is set', () => {
    const { clock, pauses, stop } = stage();
    for (let i = 0; i < 20; i += 1) {
      stop(2000);
      clock.advance(500);
    }
    clock.wallOffsetMs += 3_600_000;
    clock.advance(5000);
    expect(pauses).toEqual([]);
  });

  test('sets no timer after it was closed', () => {
    const { clock, watch } = stage();
    watch.close();
    expect(clock.pending).toBe(0);
  });
});

describe('a timer of the awake clock', () => {
  test('fires when it is due', () => {
    const { clock, awake } = stage();
    const fired: number[] = [];
    awake.setTimeout(() => fired.push(clock.monotonicMs()), 10_000);
    clock.advance(9999);
    expect(fired).toEqual([]);
    clock.advance(1);
    expect(fired).toEqual([10_000]);
  });

  test('has as long to go after a pause as before it', () => {
    const { clock, awake, stop } = stage();
    const fired: number[] = [];
    awake.setTimeout(() => fired.push(clock.monotonicMs()), 10_000);
    clock.advance(4000);
    stop(49_000);
    clock.advance(20_000);
    // What was left of the beat in which it was stopped does not count.
    expect(fired).toEqual([58_500]);
  });

  test('that is set in the first event after a pause is not delayed by it', () => {
    const { clock, awake, stop } = stage();
    let fired = 0;
    const note = () => {
      fired += 1;
    };
    stop(49_000, () => awake.setTimeout(note, 1000));
    expect(fired).toBe(0);
    clock.advance(1000);
    expect(fired).toBe(1);
  });

  test('does not fire after it was cleared', () => {
    const { clock, awake } = stage();
    const fired: string[] = [];
    awake.clearTimeout(awake.setTimeout(() => fired.push('cleared'), 1000));
    awake.clearTimeout(undefined);
    clock.advance(5000);
    expect(fired).toEqual([]);
  });
});
