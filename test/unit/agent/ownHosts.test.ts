import type { Socket } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import {
  isLoopback,
  normalizeHost,
  parseNetworks,
  Resolver,
} from '../../../server/agent/addresses.js';
import { listenHosts } from '../../../server/agent/listenHosts.js';
import { OwnHosts } from '../../../server/agent/ownHosts.js';

const from = (remoteAddress: string, localAddress = '10.1.2.3') =>
  ({ remoteAddress, localAddress, localPort: 8001 }) as Socket;

describe('the own hosts of an agent', () => {
  const hosts = new OwnHosts(new Resolver(), 'web-1.example:81');
  const remote = from('10.9.9.9');
  const local = from('::ffff:127.0.0.1', '::ffff:127.0.0.1');

  test.each([
    ['10.1.2.3:8001', remote],
    ['web-1.example:81', remote],
    [`${hostname()}:8001`, remote],
    ['127.0.0.1:8001', local],
    ['127.9.9.9:8001', local],
    ['[::1]:8001', local],
    ['localhost:8001', local],
    ['LocalHost.:8001', local],
  ])('include %s', async (header, socket) => {
    expect(await hosts.include(header, socket)).toBe(true);
  });

  test.each([
    ['10.1.2.4:8001', remote],
    ['10.1.2.3:8002', remote],
    ['10.1.2.3', remote],
    ['web-1.example:8001', remote],
    ['web-1.example', remote],
    ['other.invalid:8001', remote],
    // Of another machine: the service asked a server there, which passed the request on.
    ['127.0.0.1:8001', remote],
    ['localhost:8001', remote],
    ['127.0.0.1:8002', local],
    ['', local],
    ['a b:8001', local],
    ['http://127.0.0.1:8001', local],
    ['127.0.0.1:8001, 127.0.0.1:8001', local],
  ])('do not include %s', async (header, socket) => {
    expect(await hosts.include(header, socket)).toBe(false);
  });

  test('include other addresses of the machine', async () => {
    const others = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    for (const { address } of others) {
      expect(await hosts.include(`${address}:8001`, remote)).toBe(true);
    }
  });

  test('include an advertised host without port at the own port', async () => {
    const named = new OwnHosts(new Resolver(), 'Web-2.example');
    expect(await named.include('web-2.example:8001', remote)).toBe(true);
    expect(await named.include('web-2.example:81', remote)).toBe(false);
  });
});

test.each([
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['::FFFF:0a00:0001', '10.0.0.1'],
  ['[2001:DB8:0::1]', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['Web-1.Example.', 'web-1.example'],
])('%s is normalized to %s', (given, normal) => expect(normalizeHost(given)).toBe(normal));

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::ffff:127.0.0.1', true],
  ['[::1]', true],
  ['localhost', true],
  ['127.0.0.1.example', false],
  ['10.0.0.1', false],
  ['::2', false],
])('whether %s is loopback: %s', (host, expected) => expect(isLoopback(host)).toBe(expected));

test('networks include addresses of both versions, and name what is none', () => {
  const networks = parseNetworks([
    '10.0.0.0/8',
    'fd00::/8',
    '192.0.2.1',
    ' ::1 ',
    'x',
    '10.0.0.0/33',
  ]);
  const included = ['10.255.0.1', '::ffff:10.0.0.1', 'fd12::1', '192.0.2.1', '::1'];
  const others = ['11.0.0.1', 'fe80::1', '192.0.2.2', '::2', '', 'x', 'localhost'];
  expect(included.filter((address) => !networks.includes(address))).toEqual([]);
  expect(others.filter((address) => networks.includes(address))).toEqual([]);
  expect(networks.invalid).toEqual(['x', '10.0.0.0/33']);
});

test.each([
  [['http://127.0.0.1:8000'], ['127.0.0.1']],
  [['http://[::1]:8000'], ['::1']],
  [['http://localhost:8000'], ['127.0.0.1', '::1']],
  [
    ['http://127.0.0.1', 'http://[::1]'],
    ['127.0.0.1', '::1'],
  ],
  [['http://127.0.0.1', 'http://10.0.0.1'], [undefined]],
  [['http://dashboard'], [undefined]],
  [[], [undefined]],
])('an agent of %j listens on %j', (urls, hosts) => expect(listenHosts(urls)).toEqual(hosts));
