import { expect, test } from '@jest/globals';
import { parseRedisTarget } from '../../../server/redis/redisTarget.js';

const a = { host: 'a', port: 1 };
const b = { host: 'b', port: 6379 };

test.each([
  ['redis://a:1', { kind: 'single', nodes: [a], isTls: false }],
  [
    'rediss://me:p%40%2Css@[::1]/3',
    {
      kind: 'single',
      nodes: [{ host: '::1', port: 6379 }],
      isTls: true,
      username: 'me',
      password: 'p@,ss',
      db: 3,
    },
  ],
  ['redis://:p,w@a:1,b', { kind: 'cluster', nodes: [a, b], isTls: false, password: 'p,w' }],
  ['redis://:pw@a:1, redis://b', { kind: 'cluster', nodes: [a, b], isTls: false, password: 'pw' }],
  [
    'redis://:pw@a:1,redis://:pw@b',
    { kind: 'cluster', nodes: [a, b], isTls: false, password: 'pw' },
  ],
  [
    'redis+sentinel://me:pw@a:1,b/main/2',
    {
      kind: 'sentinel',
      nodes: [a, { host: 'b', port: 26_379 }],
      isTls: false,
      username: 'me',
      password: 'pw',
      name: 'main',
      db: 2,
    },
  ],
  ['rediss+sentinel://a:1/main', { kind: 'sentinel', nodes: [a], isTls: true, name: 'main' }],
])('%s', (text, target) => {
  expect(parseRedisTarget(text)).toEqual(target);
});
