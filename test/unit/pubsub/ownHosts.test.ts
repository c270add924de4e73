import { networkInterfaces } from 'node:os';
import { expect, test } from '@jest/globals';
import { isForUs } from '../../../server/pubsub/ownHosts.js';

const names: Record<string, string[]> = { here: ['127.0.0.1'], there: ['192.0.2.9'] };
const ask = (hostname: string | undefined, address: string, isConfigured = false) =>
  isForUs({ hostname, address, isConfigured }, async (host) => names[host] ?? []);

const own = Object.values(networkInterfaces())
  .flatMap((entries) => entries ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

test.each([
  ['a configured name', 'dash.example', '10.0.0.3', true],
  ['no name', undefined, '127.0.0.1', false],
  ['loopback, from this machine', '127.0.0.1', '127.0.0.1', true],
  ['localhost, from this machine', 'localhost', '::1', true],
  ['loopback, from another machine', '127.0.0.1', '10.0.0.3', false],
  ['localhost, from another machine', 'localhost', '10.0.0.3', false],
  ['a name that resolves to loopback, from this machine', 'here', '127.0.0.1', true],
  ['a name that resolves to loopback, from another machine', 'here', '10.0.0.3', false],
  ['a name of another machine', 'there', '127.0.0.1', false],
  ['an address of another machine', '192.0.2.9', '127.0.0.1', false],
  ['an unknown name', 'nobody', '127.0.0.1', false],
  [
    'an address of this machine',
    own ?? '127.0.0.1',
    own === undefined ? '127.0.0.1' : '10.0.0.3',
    true,
  ],
])('a request that was signed for %s is judged', async (what, hostname, address, isOurs) => {
  expect(await ask(hostname, address, what === 'a configured name')).toBe(isOurs);
});

test('a configured loopback name is still that of the sender', async () => {
  expect(await ask('localhost', '10.0.0.3', true)).toBe(false);
});
