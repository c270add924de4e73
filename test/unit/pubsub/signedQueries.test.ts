import { beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Signatures } from '../../../server/pubsub/signatures.js';
import { SignedQueries } from '../../../server/pubsub/signedQueries.js';

const warning = 40;
const nowMs = 1_764_489_600_000;
const query = { address: '127.0.0.1', isForwarded: false };
const head = {
  method: 'GET',
  host: 'dashboard:8000',
  target: '/api/events/clients?port=1',
  hostname: 'dashboard',
  isConfigured: true,
  advertised: undefined,
};
let lines: Record<string, unknown>[];
let queries: SignedQueries;

beforeEach(() => {
  lines = [];
  const write = (line: string) => void lines.push(JSON.parse(line));
  queries = new SignedQueries({
    signatures: new Signatures(['a secret'], () => nowMs),
    addressesOf: async () => [],
    log: pino({ base: null, timestamp: false }, { write }),
  });
});

const sign = (secret = 'a secret', ms = nowMs) =>
  new Signatures([secret], () => ms).sign({ ...head, body: '' });
const isSigned = (change: object = {}, from = query) =>
  queries.isSigned(from, { ...head, signature: sign(), ...change });

test('a signed query is let through, and nothing is logged', async () => {
  expect(await isSigned()).toBe(true);
  expect(lines).toEqual([]);
});

test.each([
  ['missing', 'not signed, so its server is not asked. Give its agent', { signature: undefined }],
  ['wrong_secret', 'signed with another secret than PUBSUB_SECRET', { signature: sign('other') }],
  [
    'clock',
    'signed by a clock that differs by 360 s',
    { signature: sign('a secret', nowMs - 360_000) },
  ],
  [
    'other_host',
    "signed for another host, 'dashboard'. If that is this service, add it to ALLOWED_HOSTS",
    { isConfigured: false },
  ],
])('a query is refused as %s, and the log says: %s', async (reason, words, change) => {
  expect(await isSigned(change)).toBe(false);
  expect(lines).toEqual([
    {
      level: warning,
      address: '127.0.0.1',
      reason,
      msg: expect.stringContaining(`a start-up query is ${words}`),
    },
  ]);
});

test('a repeated query is refused', async () => {
  const signature = sign();
  expect([await isSigned({ signature }), await isSigned({ signature })]).toEqual([true, false]);
  expect(lines).toMatchObject([
    { reason: 'replayed', msg: expect.stringContaining('is repeated: somebody sends') },
  ]);
});

test('an address is logged once for each reason', async () => {
  for (let i = 0; i < 3; i += 1) await isSigned({ signature: undefined });
  await isSigned({ signature: sign('other') });
  await isSigned({ signature: undefined }, { ...query, address: '10.0.0.2' });
  expect(lines.map(({ address, reason }) => [address, reason])).toEqual([
    ['127.0.0.1', 'missing'],
    ['127.0.0.1', 'wrong_secret'],
    ['10.0.0.2', 'missing'],
  ]);
});
