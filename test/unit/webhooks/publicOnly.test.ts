import type { lookup as systemLookup } from 'node:dns';
import { expect, test } from '@jest/globals';
import { publicOnly } from '../../../server/webhooks/publicOnly.js';

const address = (text: string) => ({ address: text, family: text.includes(':') ? 6 : 4 });

/** Looks a name up that has these addresses. Returns what the callback got, and which options were passed on. */
function found(addresses: string[] | Error, options: { all?: boolean } = {}) {
  let passed: object = {};
  const lookup = ((_name: string, given: object, done: (...results: unknown[]) => void) => {
    passed = given;
    if (addresses instanceof Error) done(addresses);
    else done(null, addresses.map(address));
  }) as unknown as typeof systemLookup;
  let results: unknown[] = [];
  publicOnly(lookup)('hooks.example', options, (...given) => {
    results = given;
  });
  return { results, passed };
}

const mixed = ['10.0.0.1', '8.8.8.8', '::1', '2001:4860:4860::8888'];

test('private addresses are left out', () => {
  const { results, passed } = found(mixed, { all: true });
  expect(results).toEqual([null, [address('8.8.8.8'), address('2001:4860:4860::8888')]]);
  expect(passed).toEqual({ all: true });
});

test('who wants one address gets the first public one', () => {
  const { results, passed } = found(mixed, { all: false });
  expect(results).toEqual([null, '8.8.8.8', 4]);
  expect(passed).toEqual({ all: true });
});

test('a name with private addresses alone is an error that says so', () => {
  expect(found(['10.0.0.1', '127.0.0.1']).results).toEqual([
    expect.objectContaining({ message: expect.stringContaining('WEBHOOK_ALLOW_PRIVATE') }),
  ]);
});

test('an error of the resolver is passed on', () => {
  const error = new Error('ENOTFOUND');
  expect(found(error).results).toEqual([error]);
});
