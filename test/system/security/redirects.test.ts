import { describe, expect, test } from '@jest/globals';
import { startStaged } from '../../support/stage.js';
import { operations, samplePath, sendFuzzed } from './requests.js';

const methods = ['GET', 'POST'];

/** Every path of the description, and how it may be mistyped. */
const targets = [...new Set(operations.map(samplePath))].flatMap((path) => [
  path,
  `${path}/`,
  `${path}//`,
  `/${path}`,
  path.toUpperCase(),
  `${path.toUpperCase()}/`,
]);

describe('no path of the description is answered with a redirect, with a slash behind it or without,', () => {
  test.each<[string, Record<string, string>]>([
    ['while the inspector is off', {}],
    ['while it is on', { INSPECT: 'true' }],
    ['and where a token is asked for', { INSPECT: 'true', DASHBOARD_TOKEN: 'token' }],
  ])('%s', async (_, env) => {
    const service = await startStaged([], env, { isHurried: true });
    expect(targets.length).toBeGreaterThan(100);
    const elsewhere: unknown[] = [];
    for (const target of targets)
      for (const method of methods) {
        const { status, headers } = await sendFuzzed(service.url, { method, target });
        // Nothing is asked for under a condition, so that 304 would be none as well.
        if (status < 200 || (status >= 300 && status < 400) || headers.location)
          elsewhere.push([method, target, status, headers.location]);
      }
    expect(elsewhere).toEqual([]);
  });
});
