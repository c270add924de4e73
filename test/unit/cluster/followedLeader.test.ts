import { beforeEach, expect, test } from '@jest/globals';
import type { Leader } from '../../../machines/ports.js';
import { FollowedLeader } from '../../../server/cluster/followedLeader.js';
import type { Upstream } from '../../../server/cluster/relay/upstream.js';

const leader: Leader = { instance: 'b', term: 7, url: 'http://10.0.0.2:8000', isActive: false };
const upstream = (term: number): Upstream => ({ term, open: () => ({ close() {} }) });

let told: unknown[];
let followed: FollowedLeader;
beforeEach(() => {
  told = [];
  followed = new FollowedLeader({
    relay: { follow: (to, why) => void told.push(['relay', to?.term, why]) },
    upstreamOf: ({ term }) => upstream(term),
    onChanged: (now) => void told.push(['rooms', now?.term]),
  });
});

test('the relay and the rooms follow a leader that is seen, and let go of it when it is gone', () => {
  followed.note(leader);
  expect(followed.now).toBe(leader);
  followed.note(undefined);
  expect(told).toEqual([
    ['relay', 7, 'no instance leads'],
    ['rooms', 7],
    ['relay', undefined, 'no instance leads'],
    ['rooms', undefined],
  ]);
});

test('a leader that is seen again is not followed again, but its activity is known', () => {
  followed.note(leader);
  told.length = 0;
  followed.note({ ...leader, isActive: true });
  expect(told).toEqual([]);
  expect(followed.now?.isActive).toBe(true);
});

test.each([{ term: 8 }, { url: 'http://10.0.0.3:8000' }, { instance: 'c' }])(
  'a leader with another %o is followed',
  (change) => {
    followed.note(leader);
    told.length = 0;
    followed.note({ ...leader, ...change });
    expect(told).toHaveLength(2);
  },
);

test('an instance starts until it knows a leader, or leads', () => {
  expect(followed.isStarting).toBe(true);
  followed.note(undefined);
  expect(followed.isStarting).toBe(true);
  followed.note(leader);
  expect(followed.isStarting).toBe(false);
  followed.note(undefined);
  expect(followed.isStarting).toBe(false);
});

test('while it leads, it follows itself and no other', () => {
  followed.note(leader);
  followed.note(undefined);
  told.length = 0;
  followed.lead(upstream(8));
  expect(followed.now).toBeUndefined();
  followed.stopLeading();
  followed.note(undefined);
  expect(told).toEqual([
    ['relay', 8, undefined],
    ['relay', undefined, 'this instance no longer leads'],
    ['rooms', undefined],
  ]);
});
