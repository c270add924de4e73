import { describe, expect, test } from '@jest/globals';
import { startStaged } from '../../support/stage.js';
import { operations, samplePath, sendFuzzed } from './requests.js';

const methods = ['GET', 'POST'];

/** Every path of the description, and mistyped forms of it. */
const targets = [...new Set(operations.map(samplePath))].flatMap((path) => [
  path,
  `${path}/`,
  `${path}//`,
  `/${path}`,
  path.toUpperCase(),
  `${path.toUpperCase()}/`,
]);

describe('no path of the description is answered with a redirect, with or without a trailing slash,', () => {
  test.each<[string, Record<string, string>]>([
    ['while the inspector is off', {}],
    ['while the inspector is on', { INSPECT: 'true' }],
    ['while a token is required', { INSPECT: 'true', DASHBOARD_TOKEN: 'token' }],
  ])('%s', async (_, env) => {
    const service = await startStaged([], env, { isHurried: true });
    expect(targets.length).toBeGreaterThan(100);
    const elsewhere: unknown[] = [];
    for (const target of targets)
      for (const method of methods) {
        const { status, headers } = await sendFuzzed(service.url, { method, target });
        // No request is conditional, so 304 would be wrong too.
        if (status < 200 || (status >= 300 && status < 400) || headers.location)
          elsewhere.push([method, target, status, headers.location]);
      }
    expect(elsewhere).toEqual([]);
  });
});
