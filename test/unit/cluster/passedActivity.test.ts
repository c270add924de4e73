import { describe, expect, test } from '@jest/globals';
import type { Leader } from '../../../machines/ports.js';
import { PassedActivity, parsePassedActivity } from '../../../server/cluster/passedActivity.js';
import type { ActivityEvent } from '../../../server/wire/activityEvent.js';
import { HandClock } from '../../support/handClock.js';

const leader: Leader = { instance: 'b', term: 7, url: 'http://b', isActive: false };
const eventOf = (number: number): ActivityEvent => ({
  id: `${number}-0a`,
  at: '2026-01-01T00:00:00.000Z',
  kind: 'instance.following',
  level: 'info',
  subject: { type: 'instance', name: 'http://a' },
  message: 'Instance http://a follows http://b.',
  cause: null,
  instance: 'http://a',
});

function stage() {
  const clock = new HandClock();
  const cluster = { isLeading: false, leader: leader as Leader | undefined, status: 204 };
  const bodies: string[] = [];
  const passed = new PassedActivity({
    clock,
    isLeading: () => cluster.isLeading,
    leader: () => cluster.leader,
    ask: async (_to, _path, body) => {
      bodies.push(body);
      return { status: cluster.status };
    },
  });
  const advance = async (ms: number) => {
    clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  /** The numbers of the events of each request. */
  const told = () =>
    bodies
      .splice(0)
      .map((body) => parsePassedActivity(body)?.map(({ id }) => Number.parseInt(id, 10)));
  return { clock, cluster, passed, advance, told };
}

describe('an instance that follows', () => {
  test('passes its events on, as they are', async () => {
    const { advance, passed, told } = stage();
    passed.add(eventOf(1));
    passed.add(eventOf(2));
    await advance(0);
    expect(told()).toEqual([[1, 2]]);
    await advance(5000);
    expect(told()).toEqual([]);
  });

  test('tries again every second until a leader has taken them', async () => {
    const { advance, cluster, passed, told } = stage();
    cluster.status = 503;
    passed.add(eventOf(1));
    await advance(0);
    cluster.leader = undefined;
    await advance(1000);
    cluster.leader = leader;
    cluster.status = 204;
    expect(told()).toEqual([[1]]);
    passed.add(eventOf(2));
    await advance(1000);
    expect(told()).toEqual([[1, 2]]);
    await advance(5000);
    expect(told()).toEqual([]);
  });

  test('keeps 500, and passes 50 on at a time', async () => {
    const { advance, passed, told } = stage();
    for (let i = 0; i < 501; i += 1) passed.add(eventOf(i));
    for (let i = 0; i < 12; i += 1) await advance(0);
    const requests = told();
    expect(requests.map((request) => request?.length)).toEqual(Array(10).fill(50));
    expect([requests[0]?.[0], requests.at(-1)?.at(-1)]).toEqual([1, 500]);
  });

  test('passes nothing on once it leads or is closed', async () => {
    const { clock, advance, cluster, passed, told } = stage();
    passed.add(eventOf(1));
    cluster.isLeading = true;
    await advance(0);
    expect([told(), clock.pending]).toEqual([[], 0]);
    cluster.isLeading = false;
    passed.add(eventOf(2));
    passed.close();
    await advance(1000);
    expect([told(), clock.pending]).toEqual([[], 0]);
  });
});

test.each([
  '',
  '{',
  '[]',
  '{"events":[{}]}',
  JSON.stringify({ events: [{ ...eventOf(1), id: 'x' }] }),
])('a body that is no list of events is not read: %s', (body) => {
  expect(parsePassedActivity(body)).toBeUndefined();
});
