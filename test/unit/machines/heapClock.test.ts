import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HeapClock } from './heapClock.js';

describe('the simulated clock', () => {
  test('fires every timer at its own time and in order, but no cleared timer', () => {
    const timer = fc.record({ ms: fc.nat({ max: 50 }), isCleared: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(timer),
        fc.array(fc.nat({ max: 20 }), { minLength: 1 }),
        (timers, steps) => {
          const clock = new HeapClock();
          const fired: { ms: number; i: number; atMs: number }[] = [];
          const ids = timers.map(({ ms }, i) =>
            clock.setTimeout(() => fired.push({ ms, i, atMs: clock.nowMs }), ms),
          );
          timers.forEach(({ isCleared }, i) => {
            if (isCleared) clock.clearTimeout(ids[i] as number);
          });
          for (const step of steps) clock.advance(step);
          const expected = timers
            .map(({ ms, isCleared }, i) => ({ ms, i, isCleared, atMs: ms }))
            .filter(({ ms, isCleared }) => !isCleared && ms <= clock.nowMs)
            .sort((a, b) => a.ms - b.ms || a.i - b.i)
            .map(({ ms, i, atMs }) => ({ ms, i, atMs }));
          expect(fired).toEqual(expected);
          const kept = timers.filter(({ isCleared }) => !isCleared).length;
          expect(clock.pending).toBe(kept - fired.length);
        },
      ),
    );
  });

  test('fires what a timer sets when that becomes due, within the same advance', () => {
    const clock = new HeapClock();
    const atMs: number[] = [];
    const tick = () => {
      atMs.push(clock.nowMs);
      clock.setTimeout(tick, 10);
    };
    clock.setTimeout(tick, 10);
    clock.advance(35);
    expect(atMs).toEqual([10, 20, 30]);
    expect(clock.nowMs).toBe(35);
  });

  test('never goes back, whatever parts of a millisecond it is advanced by', () => {
    const partMs = fc.double({ min: 0, max: 20, noNaN: true });
    fc.assert(
      fc.property(fc.array(partMs, { minLength: 1 }), (steps) => {
        const clock = new HeapClock();
        let latestMs = 0;
        const look = () => {
          expect(clock.nowMs).toBeGreaterThanOrEqual(latestMs);
          latestMs = clock.nowMs;
        };
        for (const step of steps) {
          clock.setTimeout(look, 0);
          clock.advance(step);
          look();
        }
      }),
    );
  });
});
