import { expect, test } from '@jest/globals';
import { noteDependencies } from '../../../server/activity/dependencyActivity.js';
import { Dependencies } from '../../../server/dependencies/dependencies.js';
import type { NotedEvent } from '../../../server/wire/activityEvent.js';

test('a dependency that fails and answers again is noted, its first answer is not', () => {
  const dependencies = new Dependencies(Date.now);
  const early = dependencies.add('cluster', 'a:1');
  early.failed('connection refused');
  const redis = dependencies.add('redis', 'b:1');
  const noted: NotedEvent[] = [];
  noteDependencies(dependencies, (event) => noted.push(event));
  redis.answered();
  redis.failed('NOAUTH Authentication required.');
  redis.failed('connection refused');
  redis.answered();
  expect(noted.map(({ kind, level, message, cause }) => [kind, level, message, cause])).toEqual([
    ['dependency.failed', 'warning', 'cluster (a:1) does not answer.', 'connection refused'],
    [
      'dependency.failed',
      'warning',
      'redis (b:1) does not answer.',
      'NOAUTH Authentication required.',
    ],
    ['dependency.recovered', 'info', 'redis (b:1) answers again.', null],
  ]);
  const subject = { type: 'dependency', name: 'redis' };
  expect([noted[1]?.subject, noted[2]?.subject]).toEqual([subject, subject]);
});
