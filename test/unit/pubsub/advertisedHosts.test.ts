import type { lookup } from 'node:dns';
import { afterEach, expect, jest, test } from '@jest/globals';
import { AdvertisedHosts } from '../../../server/pubsub/advertisedHosts.js';

type Done = (error: Error | null, found: { address: string; family: number }[]) => void;

afterEach(() => {
  jest.useRealTimers();
});

/** Names and their addresses; `undefined`: the lookup never ends. Like `dns.lookup`, it tells all only if asked to. */
function resolverOf(names: Record<string, string[] | undefined>) {
  const asked: string[] = [];
  const resolve = (name: string, { all = false }, done: Done) => {
    asked.push(name);
    const addresses = names[name];
    if (!(name in names)) return done(new Error('ENOTFOUND'), []);
    const found = addresses?.map((address) => ({ address, family: 4 }));
    if (found) done(null, all ? found : found.slice(0, 1));
  };
  return { asked, lookup: resolve as typeof lookup };
}

const from = (address: string, isSigned = false) => ({ address, isSigned });

test('a name is the sender’s if it resolves to the source address', async () => {
  const hosts = new AdvertisedHosts(resolverOf({ 'web-1': ['10.0.0.3'] }));
  const found = { host: 'web-1', addresses: ['10.0.0.3'] };
  expect(await hosts.find('Web-1', from('10.0.0.3'))).toEqual(found);
  expect(await hosts.find('web-1', from('10.0.0.4'))).toBeUndefined();
});

test('a name of several machines is nobody’s, but one with IPv4 and IPv6 may be', async () => {
  const { lookup } = resolverOf({ all: ['10.0.0.3', '10.0.0.4'], both: ['10.0.0.3', 'fd00::3'] });
  const hosts = new AdvertisedHosts({ lookup });
  expect(await hosts.find('all', from('10.0.0.3'))).toBeUndefined();
  expect(await hosts.find('both', from('10.0.0.3'))).toMatchObject({ host: 'both' });
  expect(await hosts.find('both', from('fd00::3'))).toMatchObject({ host: 'both' });
});

test('a signed query may name any host, and its addresses are told', async () => {
  const hosts = new AdvertisedHosts(resolverOf({ 'web-1': ['10.0.0.3'] }));
  const signed = from('10.9.9.9', true);
  expect(await hosts.find('web-1', signed)).toEqual({ host: 'web-1', addresses: ['10.0.0.3'] });
  expect(await hosts.find('nobody', signed)).toEqual({ host: 'nobody', addresses: [] });
});

test('an address is its own, and is not looked up', async () => {
  const { asked, lookup } = resolverOf({});
  const hosts = new AdvertisedHosts({ lookup });
  const found = { host: '10.0.0.3', addresses: ['10.0.0.3'] };
  expect(await hosts.find('10.0.0.3', from('10.0.0.3'))).toEqual(found);
  expect(await hosts.find('::ffff:10.0.0.3', from('10.0.0.3'))).toEqual(found);
  expect(await hosts.find('10.0.0.4', from('10.0.0.3'))).toBeUndefined();
  expect(asked).toEqual([]);
});

test.each(['', 'a b', 'a/b', 'web-1:80', '127.1', 'http://web-1', '[::1', 'x'.repeat(300)])(
  'the text %j is no host, and is not looked up',
  async (text) => {
    const { asked, lookup } = resolverOf({});
    expect(
      await new AdvertisedHosts({ lookup }).find(text, from('10.0.0.3', true)),
    ).toBeUndefined();
    expect(asked).toEqual([]);
  },
);

test('a name is looked up once for many queries', async () => {
  const { asked, lookup } = resolverOf({ 'web-1': ['10.0.0.3'] });
  const hosts = new AdvertisedHosts({ lookup });
  for (let i = 0; i < 5; i += 1) await hosts.find('web-1', from('10.0.0.3'));
  expect(asked).toEqual(['web-1']);
});

test('a name is looked up again after 10 s: it may have moved', async () => {
  jest.useFakeTimers();
  const { asked, lookup } = resolverOf({ 'web-1': ['10.0.0.3'] });
  const hosts = new AdvertisedHosts({ lookup });
  await hosts.find('web-1', from('10.0.0.3'));
  jest.advanceTimersByTime(9999);
  await hosts.find('web-1', from('10.0.0.3'));
  expect(asked).toHaveLength(1);
  jest.advanceTimersByTime(1);
  await hosts.find('web-1', from('10.0.0.3'));
  expect(asked).toHaveLength(2);
});

test('a lookup that has ended makes way for the next', async () => {
  const { lookup } = resolverOf({ a: ['10.0.0.3'], b: ['10.0.0.3'], c: ['10.0.0.3'] });
  const hosts = new AdvertisedHosts({ lookup });
  for (const host of ['a', 'b', 'c'])
    expect(await hosts.find(host, from('10.0.0.3'))).toMatchObject({ host });
});

test('lookups that hang hold up no query for longer than the deadline, and only two threads', async () => {
  const { asked, lookup } = resolverOf({ a: undefined, b: undefined, c: ['10.0.0.3'] });
  const hosts = new AdvertisedHosts({ lookup, deadlineMs: 10 });
  const found = ['a', 'b', 'c'].map((name) => hosts.find(name, from('10.0.0.3', true)));
  const unresolved = ['a', 'b', 'c'].map((host) => ({ host, addresses: [] }));
  expect(await Promise.all(found)).toEqual(unresolved);
  expect(asked).toEqual(['a', 'b']);
});
