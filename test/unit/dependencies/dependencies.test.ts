import { describe, expect, test } from '@jest/globals';
import { Dependencies } from '../../../server/dependencies/dependencies.js';

function dependenciesAt(clock: { ms: number }) {
  const dependencies = new Dependencies(() => clock.ms);
  const changes: string[] = [];
  dependencies.onChange(({ name, state, cause }) => changes.push(`${name} ${state} ${cause}`));
  return { dependencies, changes };
}

describe('dependencies', () => {
  test('are unknown until they answer or fail', () => {
    const { dependencies, changes } = dependenciesAt({ ms: 0 });
    dependencies.add('redis', 'redis.internal:6379');
    expect(dependencies.reports()).toEqual([
      {
        name: 'redis',
        where: 'redis.internal:6379',
        state: 'unknown',
        since: null,
        cause: null,
        errors: 0,
      },
    ]);
    expect(changes).toEqual([]);
  });

  test('report since when they fail, why, and how often', () => {
    const clock = { ms: 1000 };
    const { dependencies } = dependenciesAt(clock);
    const redis = dependencies.add('redis', 'a:1');
    redis.failed('connection refused');
    clock.ms = 2000;
    redis.failed('NOAUTH Authentication required.');
    expect(dependencies.reports()[0]).toEqual({
      name: 'redis',
      where: 'a:1',
      state: 'fails',
      since: new Date(1000).toISOString(),
      cause: 'NOAUTH Authentication required.',
      errors: 2,
    });
    redis.answered();
    expect(dependencies.reports()[0]).toMatchObject({
      state: 'answers',
      since: new Date(2000).toISOString(),
      cause: null,
      errors: 2,
    });
  });

  test('tell listeners of changes of the state alone', () => {
    const { dependencies, changes } = dependenciesAt({ ms: 0 });
    const redis = dependencies.add('redis', 'a:1');
    redis.failed('connection refused');
    redis.failed('no answer');
    redis.locate('b:1');
    redis.answered();
    redis.answered();
    expect(changes).toEqual(['redis fails connection refused', 'redis answers null']);
    expect(dependencies.reports()[0]?.where).toBe('b:1');
  });

  test('count a failed request without a change of the state', () => {
    const { dependencies, changes } = dependenciesAt({ ms: 0 });
    dependencies.add('rooms', 'table rooms').erred();
    expect(dependencies.reports()[0]).toMatchObject({ state: 'unknown', errors: 1 });
    expect(changes).toEqual([]);
  });

  test('tell other listeners of another cause', () => {
    const { dependencies } = dependenciesAt({ ms: 0 });
    const causes: string[] = [];
    dependencies.onCause(({ cause }, before) => causes.push(`${before.cause}, ${cause}`));
    const redis = dependencies.add('redis', 'a:1');
    for (const cause of ['refused', 'refused', 'NOAUTH']) redis.failed(cause);
    expect(causes).toEqual(['refused, NOAUTH']);
  });

  test('do not change a report that a listener keeps', () => {
    const { dependencies } = dependenciesAt({ ms: 0 });
    const redis = dependencies.add('redis', 'a:1');
    const [kept] = dependencies.reports();
    redis.failed('connection refused');
    expect(kept?.state).toBe('unknown');
  });

  test('refuse the same name twice', () => {
    const { dependencies } = dependenciesAt({ ms: 0 });
    dependencies.add('redis', 'a:1');
    expect(() => dependencies.add('redis', 'b:1')).toThrow('added twice');
  });

  test('shorten a long cause', () => {
    const { dependencies } = dependenciesAt({ ms: 0 });
    dependencies.add('ecs', 'a').failed('x'.repeat(1000));
    expect(dependencies.reports()[0]?.cause).toHaveLength(300);
  });
});
