import { describe, expect, test } from '@jest/globals';
import { createApp } from '../../../server/http/app.js';
import { Admission } from '../../../server/http/guards/admission.js';
import type { Answerer } from '../../../server/sse/retry.js';
import { appNeeds } from '../../support/appNeeds.js';
import { clusterNeeds } from '../../support/clusterNeeds.js';
import { eventually } from '../../support/eventually.js';
import { FakeSource } from '../../support/fakeSource.js';
import { useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';

const harness = useHarness();
const start = async (overrides: Parameters<typeof appNeeds>[0]) =>
  (await harness.app(createApp(appNeeds(overrides)))).url;

describe('an instance of a cluster', () => {
  test('is ready once it knows a leader, until it shuts down', async () => {
    let [isStarting, isDraining] = [true, false];
    const cluster = clusterNeeds(undefined, { isStarting: () => isStarting });
    const url = await start({ cluster, isDraining: () => isDraining });
    expect(await ask(`${url}/ready`)).toMatchObject({ status: 503, code: 'no_leader' });
    expect(await ask(`${url}/health`)).toMatchObject({ status: 200 });
    isStarting = false;
    expect(await ask(`${url}/ready`)).toMatchObject({ status: 200 });
    isDraining = true;
    expect(await ask(`${url}/ready`)).toMatchObject({ status: 503, code: 'draining' });
  });

  const admission = (successor: () => Answerer, isDraining = () => false) =>
    new Admission({
      maxViewers: 10,
      maxViewersPerAddress: 10,
      viewers: () => 0,
      isDraining,
      trustedProxies: undefined,
      successor,
    });
  const waitMs = (text: string) => Number(/^retry: (\d+)$/m.exec(text)?.[1]);

  test('asks viewers to come back in 1 to 3 s if others are there, else in 5 to 15 s', async () => {
    let successor: Answerer = 'present';
    const feed = harness.feed(new FakeSource());
    const url = await start({ streams: { feed }, admission: admission(() => successor) });
    const ended = ask(`${url}/api/events`);
    const later = ask(`${url}/api/events?stream=changes`);
    await eventually(() => expect(feed.viewers).toBe(2));
    feed.close();
    expect(waitMs((await ended).text)).toBeLessThanOrEqual(3000);
    expect(waitMs((await later).text)).toBeLessThanOrEqual(3000);
    successor = 'absent';
    const full = await start({
      admission: admission(
        () => successor,
        () => true,
      ),
    });
    expect(waitMs((await ask(`${full}/api/events`)).text)).toBeGreaterThanOrEqual(5000);
    successor = 'present';
    expect(waitMs((await ask(`${full}/api/events`)).text)).toBeLessThanOrEqual(3000);
  });
});
