import { isIP } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  defaultNetworks,
  hostAndPort,
  isAddress,
  isLoopback,
  normalizeAddress,
  normalizeHost,
  parseNetworks,
  parseServerId,
  subscriberOf,
  toServerId,
} from '../../server/addresses.js';

const port = fc.integer({ min: 1, max: 65_535 });
const address = fc.oneof(fc.ipV4(), fc.ipV6());
const host = fc.oneof(
  address,
  fc.domain().filter((name) => name.length < 200),
);

describe('an address', () => {
  test.each([
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::FFFF:7f00:1', '127.0.0.1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8::0001', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::10.0.0.1', '::a00:1'],
    ['10.0.0.3', '10.0.0.3'],
    ['not an address', 'not an address'],
    ['', ''],
    ['127.1', '127.1'],
  ])('%s is normalized to %s', (text, normal) => {
    expect(normalizeAddress(text)).toBe(normal);
  });

  test('does not change when it is normalized again', () => {
    fc.assert(
      fc.property(address, (text) => {
        const normal = normalizeAddress(text);
        expect(isIP(normal)).toBeGreaterThan(0);
        expect(normalizeAddress(normal)).toBe(normal);
      }),
    );
  });

  test('is the same as IPv4 and as IPv4-mapped IPv6', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        expect(normalizeAddress(`::ffff:${text}`)).toBe(normalizeAddress(text));
      }),
    );
  });

  test('is distinguished from a host name', () => {
    expect(['10.0.0.1', '::1', '[::1]'].map(isAddress)).toEqual([true, true, true]);
    expect(['localhost', 'a.example', '10.1'].map(isAddress)).toEqual([false, false, false]);
  });
});

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:CB00:7107', '203.0.113.7'],
  ['::203.0.113.7', '203.0.113.7'],
  ['64:ff9b::203.0.113.7', '203.0.113.7'],
  ['64:ff9b:1::203.0.113.7', '203.0.113.7'],
  ['::ffff:0:203.0.113.7', '203.0.113.7'],
  ['2002:cb00:7107::1', '203.0.113.7'],
  ['2002:cb00:7107:ffff:1:2:3:4', '203.0.113.7'],
  ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
  ['2001:db8:0:1:ffff::%eth0', '2001:db8:0:1::/64'],
  ['::1', '0:0:0:0::/64'],
  ['no address', 'no address'],
])('the subscriber of %s is %s', (text, subscriber) => {
  expect(subscriberOf(text)).toBe(subscriber);
});

describe('a server id', () => {
  test.each([
    ['10.0.0.3', 8001, '10.0.0.3:8001'],
    ['::1', 8001, '[::1]:8001'],
    ['[::1]', 8001, '[::1]:8001'],
    ['::ffff:10.0.0.3', 1, '10.0.0.3:1'],
    ['PubSub_1.Example', 65_535, 'pubsub_1.example:65535'],
  ])('of %s and %d is %s', (name, number, id) => {
    expect(toServerId(name, number)).toBe(id);
  });

  test('contains its host and port', () => {
    fc.assert(
      fc.property(host, port, (name, number) => {
        const id = toServerId(name, number);
        expect(hostAndPort(id)).toEqual({ host: normalizeHost(name), port: number });
        expect(parseServerId(id)).toBe(id);
      }),
    );
  });

  test.each([
    '',
    'host',
    'host:',
    ':8001',
    'host:0',
    'host:65536',
    'host:80x',
    'host:-1',
    '::1:8001',
    '[::1]',
    '[host]:80',
    '[10.0.0.1]:80',
    '[]:80',
    '[[::1]]:80',
    'a b:80',
    'user@host:80',
    'host/path:80',
    '-a:80',
    'http://host:80',
    '10.0.0:80',
    '256.0.0.1:80',
    '010.0.0.1:80',
    '127.1:80',
    '0x7f.1:80',
    '2130706433:80',
    'a.0x7f.:80',
  ])('rejects %j', (text) => {
    expect(() => parseServerId(text)).toThrow(/".*"|port/);
  });

  test('parses any text, or rejects it with an Error', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `${text}:80`),
        ),
        (text) => {
          try {
            const id = parseServerId(text);
            // Whatever is accepted is the same host to a URL parser: nothing slips past the checks.
            expect(new URL(`http://${id}/`).hostname).toBe(id.slice(0, id.lastIndexOf(':')));
          } catch (error) {
            expect((error as Error).message).toMatch(/not|neither/);
          }
        },
      ),
    );
  });

  test('rejects a port that is not a number', () => {
    expect(() => toServerId('host', Number.NaN)).toThrow('port NaN');
    expect(() => toServerId('host', 1.5)).toThrow('port 1.5');
  });
});

describe('loopback', () => {
  test.each([
    '127.0.0.1',
    '127.255.3.4',
    '::1',
    '[::1]',
    '::ffff:127.0.0.2',
    'localhost',
    'LocalHost',
  ])('is %s', (name) => expect(isLoopback(name)).toBe(true));

  test.each(['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', 'localhost.example', '127.1', ''])(
    'is not %j',
    (name) => expect(isLoopback(name)).toBe(false),
  );
});

describe('networks', () => {
  const networks = parseNetworks(defaultNetworks);

  test.each([
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '10.255.255.255',
    '172.16.0.0',
    '172.31.255.255',
    '192.168.1.1',
    'fd00::1',
    '::ffff:10.0.0.1',
  ])('include %s by default', (text) => expect(networks.includes(text)).toBe(true));

  test.each([
    '169.254.169.254',
    '::ffff:169.254.169.254',
    'fe80::1',
    '172.32.0.0',
    '8.8.8.8',
    '0.0.0.0',
    '::',
    '::2',
    '::10.0.0.1',
    'localhost',
    '10.1',
    '',
  ])('exclude %j by default', (text) => expect(networks.includes(text)).toBe(false));

  test('are a list of ranges and single addresses', () => {
    const list = parseNetworks(' 10.1.2.3/24, 192.0.2.7 ,2001:db8::/32,::ffff:198.51.100.0/120,');
    expect(list.includes('10.1.2.250')).toBe(true);
    expect(list.includes('10.1.3.1')).toBe(false);
    expect(list.includes('192.0.2.7')).toBe(true);
    expect(list.includes('192.0.2.8')).toBe(false);
    expect(list.includes('2001:db8:1::1')).toBe(true);
    expect(list.includes('198.51.100.200')).toBe(true);
    expect(list.includes('198.51.101.9')).toBe(false);
  });

  test('include exactly the addresses that share their first bits', () => {
    const number = fc.integer({ min: 0, max: 0xffff_ffff });
    const someone = fc.integer({ min: 0x0100_0000, max: 0xffff_ffff });
    const dotted = (value: number) =>
      [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
    fc.assert(
      fc.property(number, someone, fc.integer({ min: 0, max: 32 }), (base, other, bits) => {
        const shared = Math.floor(base / 2 ** (32 - bits)) === Math.floor(other / 2 ** (32 - bits));
        const list = parseNetworks(`${dotted(base)}/${bits}`);
        expect(list.includes(dotted(other))).toBe(shared);
        expect(list.includes(`::ffff:${dotted(other)}`)).toBe(shared);
      }),
    );
  });

  /** 169.254.169.254, as IPv6 writes IPv4. */
  const disguised = [
    '64:ff9b::169.254.169.254',
    '64:FF9B::A9FE:A9FE',
    '64:ff9b:1:fffe::a9fe:a9fe',
    '2002:a9fe:a9fe::1',
    '2002:a9fe:a9fe:ffff:1:2:3:4',
    '::ffff:0:169.254.169.254',
    '::169.254.169.254',
    '::a9fe:a9fe',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe%eth0',
    '0:0:0:0:0:ffff:a9fe:a9fe',
    '2001:0:4136:e378:8000:63bf:5601:5601',
  ];

  test.each(disguised)(
    'exclude %s if they contain all of IPv6, but not its IPv4 address',
    (text) => {
      expect(parseNetworks('::/0,10.0.0.0/8').includes(text)).toBe(false);
      expect(parseNetworks('::/0,169.254.0.0/16').includes(text)).toBe(true);
    },
  );

  test.each(['0.0.0.0', '::', '::ffff:0.0.0.0'])('never include %s', (text) => {
    expect(parseNetworks('0.0.0.0/0,::/0').includes(text)).toBe(false);
  });

  test('must contain the IPv6 range as well', () => {
    const list = parseNetworks('10.0.0.0/8,64:ff9b::/96');
    expect(list.includes('64:ff9b::10.0.0.1')).toBe(true);
    expect(list.includes('2002:a00:1::1')).toBe(false);
    expect(list.includes('::10.0.0.1')).toBe(false);
    expect(parseNetworks('::/0').includes('::1')).toBe(true);
    expect(parseNetworks('2001:db8::/32').includes('2001:db8::a00:1')).toBe(true);
  });

  test('are rejected with the name of every invalid entry', () => {
    expect(() => parseNetworks('10/8,10.0.0.0/8,::/129,1.2.3.4/33,x,::ffff:1.2.3.4/8')).toThrow(
      '"10/8", "::/129", "1.2.3.4/33", "x", "::ffff:1.2.3.4/8": not a CIDR range',
    );
    expect(() => parseNetworks(' , ')).toThrow('there is no range in it');
    expect(() => parseNetworks('1.2.3.4/')).toThrow('1.2.3.4/');
    expect(() => parseNetworks('1.2.3.4/8/8')).toThrow('1.2.3.4/8/8');
  });
});
