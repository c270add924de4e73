import { expect, jest, test } from '@jest/globals';

const asked: string[] = [];
let isAway = true;
jest.unstable_mockModule('node:dns/promises', () => ({
  lookup: async (name: string) => {
    asked.push(name);
    if (isAway) throw new Error('EAI_AGAIN');
    return [{ address: '::ffff:10.0.0.1' }, { address: '2001:DB8::1' }];
  },
}));
const { Resolver } = await import('../../../server/agent/addresses.js');

test('addresses of a name are kept, but not that there were none', async () => {
  const resolver = new Resolver();
  expect(await resolver.addressesOf('web-1.example')).toEqual([]);
  isAway = false;
  for (const name of ['web-1.example', 'WEB-1.example.']) {
    expect(await resolver.addressesOf(name)).toEqual(['10.0.0.1', '2001:db8::1']);
  }
  expect(await resolver.addressesOf('[::1]')).toEqual(['::1']);
  expect(asked).toEqual(['web-1.example', 'web-1.example']);
});
