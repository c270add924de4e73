import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import { Dependencies } from '../../../server/dependencies/dependencies.js';
import { DependencyLog } from '../../../server/dependencies/dependencyLog.js';

const [info, warning] = [30, 40];
let lines: Record<string, unknown>[];
let dependencies: Dependencies;
let log: DependencyLog;

beforeEach(() => {
  jest.useFakeTimers();
  lines = [];
  dependencies = new Dependencies(() => 1000);
  const write = (line: string) => void lines.push(JSON.parse(line));
  log = new DependencyLog(dependencies, pino({ base: null, timestamp: false }, { write }));
});

afterEach(() => {
  log.close();
  jest.useRealTimers();
});

test('what fails, fails otherwise and answers again is a line each', () => {
  const redis = dependencies.add('redis', 'a:1');
  for (const cause of ['connection closed', 'connection refused', 'connection refused'])
    redis.failed(cause);
  redis.answered();
  redis.answered();
  const about = { dependency: 'redis', where: 'a:1' };
  const failing = { level: warning, ...about, msg: 'a dependency does not answer' };
  expect(lines).toEqual([
    { ...failing, cause: 'connection closed' },
    { ...failing, cause: 'connection refused' },
    {
      level: info,
      ...about,
      failedSince: '1970-01-01T00:00:01.000Z',
      answersSince: '1970-01-01T00:00:01.000Z',
      msg: 'a dependency answers again',
    },
  ]);
});

test('the start is summed up when all have answered', () => {
  const [redis, rooms] = [dependencies.add('redis', 'a:1'), dependencies.add('rooms', 'table r')];
  log.begin();
  redis.answered();
  expect(lines).toEqual([]);
  rooms.answered();
  // At once.
  const summary = { level: info, answering: ['redis', 'rooms'], msg: 'every dependency answers' };
  expect(lines).toEqual([summary]);
  jest.advanceTimersByTime(60_000);
  redis.failed('connection refused');
  redis.answered();
  expect(lines.filter(({ answering }) => answering)).toEqual([summary]);
});

test('the start is summed up at once if all answered before', () => {
  dependencies.add('redis', 'a:1').answered();
  log.begin();
  expect(lines).toMatchObject([{ msg: 'every dependency answers' }]);
});

test('a service that ends first sums nothing up', () => {
  const redis = dependencies.add('redis', 'a:1');
  log.begin();
  log.close();
  redis.answered();
  jest.advanceTimersByTime(60_000);
  expect(lines).toEqual([]);
});

test('the start is summed up after 5 s although one hangs', () => {
  dependencies.add('redis', 'a:1').failed('connection refused');
  dependencies.add('ecs', 'service a in b').answered();
  dependencies.add('rooms', 'table r');
  log.begin();
  jest.advanceTimersByTime(4999);
  expect(lines).toHaveLength(1);
  jest.advanceTimersByTime(60_000);
  expect(lines.slice(1)).toEqual([
    {
      level: warning,
      dependency: 'rooms',
      where: 'table r',
      msg: 'a dependency has not answered yet',
    },
    {
      level: warning,
      answering: ['ecs'],
      failing: ['redis'],
      unknown: ['rooms'],
      msg: 'not every dependency answers',
    },
  ]);
});

test('a service that uses nothing outside logs nothing', () => {
  log.begin();
  jest.advanceTimersByTime(60_000);
  expect(lines).toEqual([]);
});
