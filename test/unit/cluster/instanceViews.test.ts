import { expect, test } from '@jest/globals';
import { instanceViews, viewAlone } from '../../../server/cluster/instanceViews.js';
import { infoOf } from '../../support/infoOf.js';

const info = (id: string, startedAtMs: number) => infoOf(id, { viewers: startedAtMs, startedAtMs });
const known = (id: string, startedAtMs: number, isThere = true) => ({
  ...info(id, startedAtMs),
  beatAgoMs: startedAtMs * 100,
  isThere,
});
const leader = { instance: 'a', term: 7, url: 'http://a', isActive: true };
const instances = [known('c', 1, false), known('b', 3), known('a', 2)];
const self = info('b', 3);

test('the instances are listed from the oldest on, with the role of each', () => {
  expect(instanceViews({ self, instances, leader, isConnected: true })).toEqual([
    {
      id: 'c',
      role: 'gone',
      term: null,
      url: 'http://c',
      version: '1.0.0',
      viewers: 1,
      since: '1970-01-01T00:00:00.001Z',
      lagMs: 100,
    },
    expect.objectContaining({ id: 'a', role: 'leading', term: 7, lagMs: 200 }),
    expect.objectContaining({ id: 'b', role: 'following', term: null, lagMs: 0 }),
  ]);
});

test('an instance that is gone is not listed once another one runs at its URL', () => {
  const restarted = [...instances, { ...known('d', 4), url: 'http://c', beatAgoMs: 0.6 }];
  const views = instanceViews({ self, instances: restarted, leader, isConnected: true });
  expect(views.map(({ id, role, lagMs }) => [id, role, lagMs])).toEqual([
    ['a', 'leading', 200],
    ['b', 'following', 0],
    ['d', 'following', 1],
  ]);
});

test('an instance without Redis is isolated, and knows no lag', () => {
  const views = instanceViews({ self, instances, leader, isConnected: false });
  expect(views.map(({ id, role, lagMs }) => [id, role, lagMs])).toEqual([
    ['c', 'gone', null],
    ['a', 'leading', null],
    ['b', 'isolated', null],
  ]);
});

test('an instance that Redis does not know yet lists itself', () => {
  const views = instanceViews({ self, instances: [], leader: undefined, isConnected: true });
  expect(views).toMatchObject([{ id: 'b', role: 'following' }]);
});

test('without a cluster there is one instance, which is alone', () => {
  expect(viewAlone(self)).toMatchObject([{ id: 'b', role: 'alone', term: null, lagMs: 0 }]);
});
