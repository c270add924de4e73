import { describe, expect, test } from '@jest/globals';
import { Activity } from '../../../server/activity/activity.js';
import { LeadersActivity } from '../../../server/cluster/leadersActivity.js';
import type { ActivityEvent } from '../../../server/wire/activityEvent.js';
import { goneEvent } from '../../support/goneEvent.js';
import { HandClock } from '../../support/handClock.js';

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Two instances with one store. */
function stage() {
  const clock = new HandClock();
  const redis = { saved: [] as ActivityEvent[], isAway: false };
  const orAway = async <T>(answer: () => T) => {
    if (redis.isAway) throw new Error('away');
    return answer();
  };
  const store = {
    load: () => orAway(() => [...redis.saved]),
    save: (events: readonly ActivityEvent[]) => orAway(() => void redis.saved.push(...events)),
  };
  let nowMs = 1000;
  const instance = (url: string) => {
    const activity = new Activity({ instance: url, now: () => nowMs++ });
    const leaders = new LeadersActivity({ activity, store, clock });
    activity.onEvent((event) => leaders.add(event));
    return { activity, leaders, names: () => namesOf(activity.since()) };
  };
  return { clock, redis, one: instance('a'), other: instance('b') };
}

const namesOf = (events: readonly ActivityEvent[]) => events.map(({ subject }) => subject.name);

describe('the activity of a cluster', () => {
  test('goes from one leader to the next, in the order of time', async () => {
    const { redis, one, other } = stage();
    one.activity.note(goneEvent('early'));
    one.leaders.lead();
    await settled();
    one.activity.note(goneEvent('first'));
    other.activity.note(goneEvent('between'));
    one.activity.note(goneEvent('second'));
    await settled();
    expect(namesOf(redis.saved)).toEqual(['early', 'first', 'second']);
    one.leaders.stopLeading();
    other.leaders.lead();
    await settled();
    expect(other.names()).toEqual(['early', 'first', 'between', 'second']);
    expect(namesOf(redis.saved)).toEqual(['early', 'first', 'second', 'between']);
    other.activity.note(goneEvent('third'));
    one.activity.note(goneEvent('of a follower'));
    await settled();
    expect(namesOf(redis.saved).at(-1)).toBe('third');
  });

  test('is loaded and saved when Redis answers again', async () => {
    const { clock, redis, one } = stage();
    redis.saved.push({ ...goneEvent('before'), id: '1-0a', at: '', instance: 'c' });
    redis.isAway = true;
    one.leaders.lead();
    await settled();
    one.activity.note(goneEvent('meanwhile'));
    redis.isAway = false;
    clock.advance(1000);
    await settled();
    expect(one.names()).toEqual(['before', 'meanwhile']);
    redis.isAway = true;
    one.activity.note(goneEvent('lost at first'));
    await settled();
    redis.isAway = false;
    one.activity.note(goneEvent('last'));
    await settled();
    expect(namesOf(redis.saved)).toEqual(['before', 'meanwhile', 'lost at first', 'last']);
  });

  test('is not loaded by an instance that leads no longer', async () => {
    const { clock, redis, one } = stage();
    redis.saved.push({ ...goneEvent('before'), id: '1-0a', at: '', instance: 'c' });
    one.leaders.lead();
    one.leaders.stopLeading();
    await settled();
    expect([one.names(), clock.pending]).toEqual([[], 0]);
  });
});
