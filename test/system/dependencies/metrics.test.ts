import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { scrape } from '../../support/metricSamples.js';
import { startRedis } from '../../support/redisServer.js';
import { startTestService } from '../../support/service.js';
import { owns } from '../../support/stage.js';

test('metrics say that Redis was killed and revived', async () => {
  const redis = owns(await startRedis(), (it) => it.stop());
  const service = owns(await startTestService({ REDIS_URL: redis.url }), (it) => it.stop());
  const up = (value: number) =>
    eventually(async () =>
      expect(await scrape(service)).toMatchObject({ 'dependency_up{dependency="redis"}': value }),
    );
  await up(1);
  await redis.stop();
  await up(0);
  const errors = (await scrape(service))['redis_errors_total{dependency="redis"}'];
  expect(errors).toBeGreaterThanOrEqual(1);
  await redis.restart();
  await up(1);
});
