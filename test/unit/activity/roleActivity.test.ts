import { describe, expect, test } from '@jest/globals';
import type { ElectionEvent, Leader } from '../../../machines/ports.js';
import { RoleActivity } from '../../../server/activity/roleActivity.js';
import type { NotedEvent } from '../../../server/wire/activityEvent.js';

const leader: Leader = { instance: 'b', term: 7, url: 'http://b', isActive: false };
const seen: ElectionEvent = { type: 'leader.seen', leader };
const lost: ElectionEvent = { type: 'redis.lost', cause: 'refused' };

function notedOf(events: readonly ElectionEvent[]): NotedEvent[] {
  const noted: NotedEvent[] = [];
  const activity = new RoleActivity('http://a', (event) => noted.push(event));
  for (const event of events) activity.noteElection(event);
  return noted;
}

const kindsOf = (...events: ElectionEvent[]) => notedOf(events).map(({ kind }) => kind);
const taken: ElectionEvent = { type: 'lease.taken', term: 8, wasActive: true };
const ended: ElectionEvent = { type: 'lease.lost', cause: 'no renewal succeeded' };

describe('the activity of an instance', () => {
  test('has one event when it follows, however often the leader is seen', () => {
    const again: ElectionEvent = { ...seen, leader: { ...leader, isActive: true } };
    expect(notedOf([seen, again])).toEqual([
      {
        kind: 'instance.following',
        level: 'info',
        subject: { type: 'instance', name: 'http://a' },
        message: 'Instance http://a follows http://b.',
        cause: null,
      },
    ]);
  });

  test('has events when it leads, and when another one leads after it', () => {
    expect(kindsOf(seen, { type: 'leader.gone' }, taken, ended, seen)).toEqual([
      'instance.following',
      'instance.leading',
      'instance.following',
    ]);
  });

  test('has a warning when it does not reach Redis, and an event when it follows again', () => {
    const noted = notedOf([seen, lost, { type: 'redis.answered' }, seen]);
    expect(noted.map(({ kind }) => kind)).toEqual([
      'instance.following',
      'instance.isolated',
      'instance.following',
    ]);
    expect(noted[1]).toMatchObject({ level: 'warning', cause: 'refused' });
  });

  test('has a leader as isolated only when its lease ends', () => {
    expect(kindsOf(taken, lost, { type: 'redis.answered' })).toEqual(['instance.leading']);
    expect(kindsOf(taken, lost, ended)).toEqual(['instance.leading', 'instance.isolated']);
    expect(kindsOf(taken, lost, { type: 'redis.answered' }, ended)).toEqual(['instance.leading']);
    expect(kindsOf(taken, ended, lost)).toEqual(['instance.leading', 'instance.isolated']);
  });

  test('says what an instance does in words', () => {
    expect(notedOf([taken, ended, lost]).map(({ message }) => message)).toEqual([
      'Instance http://a leads.',
      'Instance http://a does not reach the Redis of the cluster.',
    ]);
  });

  test('says that an instance without a cluster has started', () => {
    const noted: NotedEvent[] = [];
    new RoleActivity('http://a', (event) => noted.push(event)).noteAlone();
    const message = 'Instance http://a has started, and counts alone.';
    expect(noted).toMatchObject([{ kind: 'instance.alone', level: 'info', message }]);
  });
});
