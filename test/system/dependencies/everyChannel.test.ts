import { expect, test } from '@jest/globals';
import type { ActivityEvent } from '../../../server/wire/activityEvent.js';
import { eventually } from '../../support/eventually.js';
import { ask } from '../../support/http.js';
import { scrape } from '../../support/metricSamples.js';
import { startRedis } from '../../support/redisServer.js';
import { startTestService } from '../../support/service.js';
import { owns } from '../../support/stage.js';

test('metrics and the activity say that Redis was killed and revived', async () => {
  const redis = owns(await startRedis(), (it) => it.stop());
  const service = owns(await startTestService({ REDIS_URL: redis.url }), (it) => it.stop());
  const untilUp = (value: number) =>
    eventually(async () =>
      expect(await scrape(service)).toMatchObject({ 'dependency_up{dependency="redis"}': value }),
    );
  const events = async () => {
    const all: ActivityEvent[] = JSON.parse((await ask(`${service.url}/api/activity`)).text);
    return all
      .filter(({ subject }) => subject.type === 'dependency')
      .map(({ kind, message, cause }) => ({ kind, message, cause }));
  };
  const about = `redis (127.0.0.1:${redis.port})`;
  const failed = {
    kind: 'dependency.failed',
    message: `${about} does not answer.`,
    // Which of them is seen first depends on the moment.
    cause: expect.stringMatching(/^connection (closed|refused|reset)$/),
  };
  await untilUp(1);
  await redis.stop();
  await untilUp(0);
  const errors = (await scrape(service))['redis_errors_total{dependency="redis"}'];
  expect(errors).toBeGreaterThanOrEqual(1);
  expect(await events()).toEqual([failed]);
  await redis.restart();
  await untilUp(1);
  const recovered = {
    kind: 'dependency.recovered',
    message: `${about} answers again.`,
    cause: null,
  };
  expect(await events()).toEqual([failed, recovered]);
});
