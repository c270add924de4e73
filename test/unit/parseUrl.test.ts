import { expect, test } from '@jest/globals';
import { parseUrl } from '../../server/parseUrl.js';

test('an invalid URL stays invalid, however often it is parsed', () => {
  // Found by the fuzzer in an Origin header: "URL.canParse" takes it after some thousand calls.
  const text = 'https://a.eh\u00c3\u0087xample:8443';
  for (let i = 0; i < 20_000; i += 1) if (parseUrl(text)) throw new Error(`at call ${i}`);
  expect(parseUrl('https://a.example:8443')?.host).toBe('a.example:8443');
  expect(parseUrl('')).toBeUndefined();
});
