import { expect, test } from '@jest/globals';
import { freePort } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import { startRedis } from '../../support/redisServer.js';
import { startTestService } from '../../support/service.js';
import { owns } from '../../support/stage.js';
import { startStaged, useBrowser } from './support/pages.js';

const browser = useBrowser();

test('the page names the Redis that does not answer, the cause and since when, until it answers', async () => {
  const port = await freePort();
  const service = await startStaged([], { REDIS_URL: `redis://:s3cret@127.0.0.1:${port}` });
  const page = await browser.open(service.url);
  const notice = page.locator('[data-notice="dependencies"]');
  await notice.waitFor();
  expect(await notice.textContent()).toMatch(
    new RegExp(
      `^Redis at 127\\.0\\.0\\.1:${port} does not answer: connection refused \\(since \\d+:\\d+:\\d+\\)\\. `,
    ),
  );
  const body = await page.locator('body').textContent();
  expect(body).not.toMatch(/set REDIS_URL|s3cret/i);

  const guarded = owns(await startRedis({ port, password: 'another' }), (it) => it.stop());
  await eventually(async () => expect(await notice.textContent()).toContain('WRONGPASS'));
  await guarded.stop();
  owns(await startRedis({ port, password: 's3cret' }), (it) => it.stop());
  await notice.waitFor({ state: 'detached' });
});

test('the page of an instance that knows no leader names the Redis of the cluster', async () => {
  const port = await freePort();
  const env = {
    CLUSTER_URL: `redis://127.0.0.1:${port}`,
    CLUSTER_SECRET: 'a secret of sixteen letters',
  };
  const service = owns(await startTestService(env), (it) => it.stop());
  const page = await browser.open(service.url, { allowed: /status of 503/ });
  const notice = page.locator('[data-notice="dependencies"]');
  await notice.getByText(`The Redis of the cluster at 127.0.0.1:${port} does not answer`).waitFor();
  owns(await startRedis({ port }), (it) => it.stop());
  await notice.waitFor({ state: 'detached' });
});
