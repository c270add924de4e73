import { afterEach, beforeEach, expect, jest } from '@jest/globals';
import { LeadingReceiver } from './leadingReceiver.js';

/** How `LeadingReceiver` is started. */
export type LeaderOptions = ConstructorParameters<typeof LeadingReceiver>[0];

/** For a file of tests under fake timers: starts leaders. After each test none may have failed, and all are closed. */
export function startLeaders(): (options: LeaderOptions) => LeadingReceiver {
  let leaders: LeadingReceiver[] = [];
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    const started = leaders;
    leaders = [];
    expect(started.flatMap(({ fleet }) => fleet.errors)).toEqual([]);
    for (const leader of started) leader.close();
    jest.useRealTimers();
  });
  return (options) => {
    const leader = new LeadingReceiver(options, (ms) => jest.advanceTimersByTime(ms));
    leaders.push(leader);
    return leader;
  };
}
