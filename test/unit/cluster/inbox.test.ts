import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Epoch, ServerId } from '../../../machines/ports.js';
import { type InboxEntry, inboxText, parseInboxEntry } from '../../../server/cluster/inbox.js';

const server = '10.0.0.3:8001' as ServerId;
const entries: [string, InboxEntry][] = [
  [
    'a lost post of a server',
    {
      kind: 'post',
      claims: { kind: 'server', server, epoch: 7 as Epoch, fromStartup: true, term: 5 },
    },
  ],
  ['a lost post about rooms', { kind: 'post', claims: { kind: 'content', server, term: 5 } }],
  [
    'a lost post of an address',
    { kind: 'post', claims: { kind: 'address', address: '10.0.0.3', term: 5 } },
  ],
  [
    'a lost post of a sender behind a proxy',
    { kind: 'post', claims: { kind: 'address', address: '', term: 5 } },
  ],
  ['a stranger', { kind: 'stranger', address: 'fd00::5' }],
  [
    'a query with all that it can say',
    {
      kind: 'query',
      query: {
        address: '10.0.0.3',
        port: 8001,
        isForwarded: true,
        isMisnamed: true,
        run: 'kX2bq0nT3vYd',
        renewal: { isActive: true, eventsUrl: 'http://a/api/events?token=t' },
        advertised: { host: 'pubsub-1.example', addresses: ['10.0.0.3', 'fd00::5'] },
      },
    },
  ],
  [
    'a query of a deployed server',
    { kind: 'query', query: { address: '10.0.0.3', isForwarded: false } },
  ],
];

test.each(entries)('%s is read as it was written', (_name, entry) => {
  expect(parseInboxEntry(inboxText(entry) ?? '')).toEqual(entry);
});

describe('other text is no entry', () => {
  const query = { address: '10.0.0.3', isForwarded: false };
  test.each<[string, unknown]>([
    ['an unknown kind', { kind: 'future', address: '10.0.0.3' }],
    ['a name where an address belongs', { kind: 'stranger', address: 'metadata.internal' }],
    ['no address', { kind: 'query', query: { isForwarded: false } }],
    ['a port that is none', { kind: 'query', query: { ...query, port: 65_536 } }],
    [
      'a host that is none',
      { kind: 'query', query: { ...query, advertised: { host: 'a/b', addresses: [] } } },
    ],
    [
      'an advertised address that is a name',
      { kind: 'query', query: { ...query, advertised: { host: 'a', addresses: ['b'] } } },
    ],
    ['a long run', { kind: 'query', query: { ...query, run: 'x'.repeat(256) } }],
    ['a server without a port', { kind: 'post', claims: { kind: 'content', server: '10.0.0.3' } }],
    [
      'an epoch that is not whole',
      {
        kind: 'post',
        claims: { kind: 'server', server, epoch: 1.5, fromStartup: false, term: 1 },
      },
    ],
    ['a term of zero', { kind: 'post', claims: { kind: 'content', server, term: 0 } }],
  ])('%s', (_name, value) => {
    expect(parseInboxEntry(JSON.stringify(value))).toBeUndefined();
  });

  test('anything else, without an error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseInboxEntry(text)).toBeUndefined();
      }),
    );
  });
});

test('the id of a server is normalized', () => {
  const claims = { kind: 'content', server: '[FD00::0:5]:8001' };
  expect(parseInboxEntry(JSON.stringify({ kind: 'post', claims }))).toEqual({
    kind: 'post',
    claims: { kind: 'content', server: '[fd00::5]:8001' },
  });
});

test('an entry that would be too long is not written, and not read', () => {
  const addresses = Array.from({ length: 1000 }, () => '10.0.0.3');
  const advertised = { host: 'a', addresses };
  const query = { address: '10.0.0.3', isForwarded: false, advertised };
  expect(inboxText({ kind: 'query', query })).toBeUndefined();
  const stranger = JSON.stringify({ kind: 'stranger', address: '10.0.0.3' });
  expect(parseInboxEntry(stranger + ' '.repeat(8192))).toBeUndefined();
});
