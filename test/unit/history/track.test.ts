import { describe, expect, test } from '@jest/globals';
import { Track } from '../../../server/history/track.js';

const newTrack = (stepSeconds = 1, length = 5, columns = 1) =>
  new Track({ stepSeconds, length, columns });

describe('Track', () => {
  test('has no entry at first', () => {
    expect(newTrack(1, 5, 2).read(1000)).toEqual({ fromSecond: undefined, columns: [[], []] });
  });

  test('has the numbers of each second, with gaps where there are none', () => {
    const track = newTrack(1, 5, 2);
    track.note(1000, [1, 10]);
    track.note(1001, [2, null]);
    track.note(1003, [3, 30]);
    expect(track.read(1003)).toEqual({
      fromSecond: 1000,
      columns: [
        [1, 2, null, 3],
        [10, null, null, 30],
      ],
    });
    expect(track.newestSecond).toBe(1003);
  });

  test('has the last numbers of each step', () => {
    const track = newTrack(30);
    for (const [second, count] of [
      [900, 1],
      [929, 2],
      [930, 3],
    ] as const)
      track.note(second, [count]);
    expect(track.read(959)).toEqual({ fromSecond: 900, columns: [[2, 3]] });
  });

  test('forgets what is older than its length, also when nothing is added', () => {
    const track = newTrack();
    for (let second = 0; second < 8; second += 1) track.note(second, [second]);
    expect(track.read(7)).toEqual({ fromSecond: 3, columns: [[3, 4, 5, 6, 7]] });
    expect(track.read(10)).toEqual({ fromSecond: 6, columns: [[6, 7]] });
    expect(track.read(12)).toEqual({ fromSecond: undefined, columns: [[]] });
  });

  test('shows nothing of the time before a gap that is longer than it', () => {
    const track = newTrack();
    track.note(3, [3]);
    track.note(8, [8]);
    expect(track.read(8)).toEqual({ fromSecond: 8, columns: [[8]] });
  });

  test('starts over when the clock is set back', () => {
    const track = newTrack();
    for (const second of [100, 101, 50]) track.note(second, [second]);
    expect(track.read(50)).toEqual({ fromSecond: 50, columns: [[50]] });
  });

  test('keeps numbers that are as large as it can hold', () => {
    const track = newTrack();
    track.note(100, [2 ** 40]);
    expect(track.read(100).columns).toEqual([[2 ** 31 - 1]]);
  });
});
