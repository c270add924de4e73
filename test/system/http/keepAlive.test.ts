import { expect, test } from '@jest/globals';
import { useHarness } from '../../support/harness.js';

const harness = useHarness();

test('an idle connection is kept for longer than load balancers reuse one', async () => {
  const { url } = await harness.service();
  const { headers } = await fetch(`${url}/health`);
  const [, seconds] = headers.get('keep-alive')?.match(/^timeout=(\d+)$/) ?? [];
  expect(Number(seconds)).toBeGreaterThan(60);
});
