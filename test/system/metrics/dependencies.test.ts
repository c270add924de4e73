import { expect, test } from '@jest/globals';
import { freePort } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import { useHarness } from '../../support/harness.js';
import { scrape } from '../../support/metricSamples.js';
import { startRedis } from '../../support/redisServer.js';
import { owns } from '../../support/stage.js';

const harness = useHarness();

test('a Redis that does not answer is a metric, with its failures, until it answers', async () => {
  const port = await freePort();
  const service = await harness.service(
    { REDIS_URL: `redis://127.0.0.1:${port}` },
    { checks: { everyMs: 50 } },
  );
  const errors = 'redis_errors_total{dependency="redis"}';
  await eventually(async () => {
    const samples = await scrape(service);
    expect(samples).toMatchObject({ 'dependency_up{dependency="redis"}': 0 });
    expect(samples[errors]).toBeGreaterThanOrEqual(1);
  });
  owns(await startRedis({ port }), (it) => it.stop());
  await eventually(async () =>
    expect(await scrape(service)).toMatchObject({ 'dependency_up{dependency="redis"}': 1 }),
  );
  expect((await scrape(service))[errors]).toBeGreaterThanOrEqual(1);
});
