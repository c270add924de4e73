import { expect, test } from '@jest/globals';
import { spreadOf } from '../../../machines/spread.js';

// http://www.isthe.com/chongo/tech/comp/fnv/ lists these hashes.
test.each([
  ['', 0x811c9dc5],
  ['a', 0xe40c292c],
  ['foobar', 0xbf9cf968],
])('the spread of "%s" is its FNV-1a hash, from 0 to 1', (text, hash) => {
  expect(spreadOf(text)).toBe(hash / 2 ** 32);
});
