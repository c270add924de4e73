import { describe, expect, test } from '@jest/globals';
import { Activity } from '../../../server/activity/activity.js';
import { goneEvent } from '../../support/goneEvent.js';

const instance = 'http://10.0.0.5:8000';
const namesOf = (events: readonly { subject: { name: string } }[]) =>
  events.map(({ subject }) => subject.name);

describe('Activity', () => {
  test('keeps events in order, with a time, an id and the instance', () => {
    const activity = new Activity({ instance, now: () => Date.UTC(2026, 0, 1) });
    activity.note(goneEvent('a'));
    activity.note(goneEvent('b'));
    const [first, second] = activity.since();
    expect(first).toEqual({
      ...goneEvent('a'),
      id: expect.stringMatching(/^1767225600000000-[0-9a-f]{8}$/),
      at: '2026-01-01T00:00:00.000Z',
      instance,
    });
    expect(second?.id).toMatch(/^1767225600000001-/);
    expect(namesOf(activity.since(first?.id))).toEqual(['b']);
    expect(activity.since(second?.id)).toEqual([]);
  });

  test('keeps the last 500 events', () => {
    const activity = new Activity({ instance });
    for (let i = 0; i <= 500; i += 1) activity.note(goneEvent(`s${i}`));
    expect(activity.since()).toHaveLength(500);
    expect(namesOf(activity.since())[0]).toBe('s1');
  });

  test('answers with everything after an id that it does not keep', () => {
    const activity = new Activity({ instance });
    activity.note(goneEvent('a'));
    expect(namesOf(activity.since('1-00'))).toEqual(['a']);
  });

  test('has ids that grow although the clock is set back', () => {
    let nowMs = 2000;
    const activity = new Activity({ instance, now: () => nowMs });
    activity.note(goneEvent('a'));
    nowMs = 1000;
    activity.note(goneEvent('b'));
    expect(activity.since().map(({ id }) => id.split('-')[0])).toEqual(['2000000', '2000001']);
  });

  test('restores events of earlier leaders in the order of time, without telling anybody', () => {
    let nowMs = 5000;
    const at = (ms: number, name: string) => {
      const earlier = new Activity({ instance: 'http://b', now: () => ms });
      earlier.note(goneEvent(name));
      return earlier.since();
    };
    const activity = new Activity({ instance, now: () => nowMs });
    activity.note(goneEvent('own'));
    const told: unknown[] = [];
    activity.onEvent((event) => told.push(event));
    const [own] = activity.since();
    activity.restore([...at(9000, 'later'), ...at(10, 'earlier'), ...(own ? [own] : [])]);
    expect(namesOf(activity.since())).toEqual(['earlier', 'own', 'later']);
    expect(told).toEqual([]);
    nowMs = 10_000;
    activity.note(goneEvent('new'));
    expect(namesOf(activity.since())).toEqual(['earlier', 'own', 'later', 'new']);
  });

  test('restores the last 500', () => {
    const earlier = new Activity({ instance: 'http://b', now: () => 1000 });
    for (let i = 0; i < 500; i += 1) earlier.note(goneEvent(`s${i}`));
    const activity = new Activity({ instance, now: () => 2000 });
    activity.note(goneEvent('own'));
    activity.restore(earlier.since());
    const names = namesOf(activity.since());
    expect([names.length, names[0], names.at(-1)]).toEqual([500, 's1', 'own']);
  });

  test('takes events of other instances once, and tells listeners whose they are', () => {
    const [one, other] = [new Activity({ instance }), new Activity({ instance: 'http://b' })];
    const told: [string, boolean][] = [];
    one.onEvent(({ subject }, isOwn) => told.push([subject.name, isOwn]));
    other.note(goneEvent('theirs'));
    one.note(goneEvent('ours'));
    for (const event of [...other.since(), ...other.since()]) one.take(event);
    expect(told).toEqual([
      ['ours', true],
      ['theirs', false],
    ]);
    expect(one.since().map((event) => event.instance)).toEqual([instance, 'http://b']);
  });
});
