import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { Epoch, ServerId } from '../../../machines/ports.js';
import type { TokenClaims } from '../../../server/pubsub/eventTokens.js';
import { runs } from '../../support/runs.js';

const crypto = await import('node:crypto');
let macs = 0;
jest.unstable_mockModule('node:crypto', () => ({
  ...crypto,
  createHmac: (...args: Parameters<typeof crypto.createHmac>) => {
    macs += 1;
    return crypto.createHmac(...args);
  },
}));
const { EventTokens, tokenKey } = await import('../../../server/pubsub/eventTokens.js');

const claims: TokenClaims = {
  kind: 'server',
  server: '10.0.0.3:8001' as ServerId,
  epoch: 7 as Epoch,
  fromStartup: false,
};

const anyClaims: fc.Arbitrary<TokenClaims> = fc.oneof(
  fc.record({
    kind: fc.constant('server' as const),
    server: fc.string({ minLength: 1 }).map((text) => text as ServerId),
    epoch: fc.nat().map((epoch) => epoch as Epoch),
    fromStartup: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('address' as const), address: fc.string() }),
  fc.record({
    kind: fc.constant('content' as const),
    server: fc.string().map((text) => text as ServerId),
  }),
);

test('a minted token is read, the first time and later', () => {
  const tokens = new EventTokens();
  fc.assert(
    fc.property(anyClaims, (minted) => {
      const token = tokens.mint(minted);
      expect(tokens.read(token)).toEqual(minted);
      expect(tokens.read(token)).toEqual(minted);
    }),
  );
});

test('a token needs no encoding in a URL', () => {
  const tokens = new EventTokens();
  fc.assert(
    fc.property(anyClaims, (minted) => {
      const token = tokens.mint(minted);
      expect(new URL(`http://a/?token=${token}`).searchParams.get('token')).toBe(token);
      expect(token).toMatch(/^[\w.-]+$/);
    }),
  );
});

test('every epoch of every server has its own token', () => {
  const tokens = new EventTokens();
  const variants = [
    claims,
    { ...claims, epoch: 8 as Epoch },
    { ...claims, server: '10.0.0.4:8001' as ServerId },
    { ...claims, fromStartup: true },
    { kind: 'address', address: '10.0.0.3:8001' },
    { kind: 'content', server: '10.0.0.3:8001' as ServerId },
  ] as const;
  expect(new Set(variants.map((variant) => tokens.mint(variant))).size).toBe(variants.length);
});

test('a token with any character changed, added or taken away is unknown', () => {
  const tokens = new EventTokens();
  const token = tokens.mint(claims);
  tokens.read(token);
  const changed = fc.tuple(
    fc.nat(token.length),
    fc.nat(1),
    fc.oneof(fc.constantFrom('', 'A', 'Q', 'g', 'w', '.', '=', '!', '\n'), fc.string()),
  );
  fc.assert(
    fc.property(changed, ([at, taken, put]) => {
      const other = token.slice(0, at) + put + token.slice(at + taken);
      if (other !== token) expect(tokens.read(other)).toBeUndefined();
    }),
    runs(500),
  );
});

test('a token with anything behind it is unknown', () => {
  const tokens = new EventTokens();
  const token = tokens.mint(claims);
  for (const more of ['.', '.A', '..', `.${token}`])
    expect(tokens.read(token + more)).toBeUndefined();
});

test('claims with the MAC of another token are unknown', () => {
  const tokens = new EventTokens();
  const [payload] = tokens.mint(claims).split('.');
  const [, mac] = tokens.mint({ ...claims, epoch: 9 as Epoch }).split('.');
  expect(tokens.read(`${payload}.${mac}`)).toBeUndefined();
});

test('a token of another process is unknown', () => {
  expect(new EventTokens().read(new EventTokens().mint(claims))).toBeUndefined();
});

test('the same secret reads the same tokens', () => {
  const secret = Buffer.alloc(32, 1);
  expect(new EventTokens(secret).read(new EventTokens(secret).mint(claims))).toEqual(claims);
});

test('without a cluster, the parts of a token are those of version 0.1', () => {
  const tokens = new EventTokens(Buffer.alloc(32, 1));
  const server = '10.0.0.3:8001' as ServerId;
  const parts = (minted: TokenClaims) =>
    Buffer.from(tokens.mint(minted).split('.')[0] ?? '', 'base64url').toString();
  expect(parts(claims)).toBe('["10.0.0.3:8001",7,0]');
  expect(parts({ kind: 'content', server })).toBe('["10.0.0.3:8001","content"]');
  expect(parts({ kind: 'content', server, receiver: 2 })).toBe('["10.0.0.3:8001","content"]');
  expect(parts({ kind: 'address', address: '10.0.0.3' })).toBe('["10.0.0.3"]');
  expect(tokens.mint(claims)).toBe('WyIxMC4wLjAuMzo4MDAxIiw3LDBd.2HXjLpwYKmgkIVwbofcFbd');
});

describe('in a cluster', () => {
  const key = tokenKey('a secret of thirty-two characters');
  const term = 1_764_000_000_000;

  test('the key is the same in every version: instances of two versions share tokens', () => {
    expect(key.toString('hex')).toBe(
      '2bfedfcc4fa9439296efe8c905bce669d9ffd1cea30b00a7882f34257c0fd6f8',
    );
  });

  test('each receiver of content has its own token', () => {
    const tokens = new EventTokens(key, term);
    const server = '10.0.0.3:8001' as ServerId;
    const minted = [0, 1, 2].map((receiver) => tokens.mint({ kind: 'content', server, receiver }));
    expect(new Set(minted).size).toBe(3);
    for (const token of minted)
      expect(tokens.read(token)).toEqual({ kind: 'content', server, term });
  });

  test('every token carries the term of its leader, and every instance reads it', () => {
    const tokens = new EventTokens(key).withTerm(term);
    expect(tokens.term).toBe(term);
    fc.assert(
      fc.property(anyClaims, (minted) => {
        expect(new EventTokens(key).read(tokens.mint(minted))).toEqual({ ...minted, term });
        expect(tokens.withTerm(term + 1).read(tokens.mint(minted))).toEqual({ ...minted, term });
      }),
    );
  });

  test('the same claims of another term have another token', () => {
    const tokens = new EventTokens(key);
    fc.assert(
      fc.property(anyClaims, (minted) => {
        const all = [tokens, tokens.withTerm(1), tokens.withTerm(2)];
        expect(new Set(all.map((each) => each.mint(minted))).size).toBe(3);
      }),
    );
  });

  test('tokens of another secret are unknown, and the key is not the secret', () => {
    const token = new EventTokens(key).withTerm(term).mint(claims);
    expect(new EventTokens(tokenKey('another secret')).read(token)).toBeUndefined();
    expect(new EventTokens(Buffer.from('a secret of thirty-two characters')).read(token)).toBe(
      undefined,
    );
  });
});

test('junk is unknown and never throws', () => {
  const tokens = new EventTokens();
  const part = fc.oneof(fc.string(), fc.base64String(), fc.constantFrom('__proto__', 'W10', ''));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
      expect(tokens.read(parts.join('.'))).toBeUndefined();
    }),
    runs(300),
  );
  expect(tokens.read('A'.repeat(100_000))).toBeUndefined();
});

test('a token that was read before costs no MAC, until 8192 others are read', () => {
  const tokens = new EventTokens();
  const mint = (epoch: number) => tokens.mint({ ...claims, epoch: epoch as Epoch });
  const first = mint(0);
  tokens.read(first);
  macs = 0;
  tokens.read(first);
  expect(macs).toBe(0);

  for (let epoch = 1; epoch <= 8192; epoch += 1) tokens.read(mint(epoch));
  macs = 0;
  expect(tokens.read(first)).toEqual({ ...claims, epoch: 0 });
  expect(macs).toBe(1);
});

test('junk does not displace remembered tokens', () => {
  const tokens = new EventTokens();
  const token = tokens.mint(claims);
  tokens.read(token);
  for (let i = 0; i < 10_000; i += 1) tokens.read(`${i}.AAAAAAAAAAAAAAAAAAAAAA`);
  macs = 0;
  tokens.read(token);
  expect(macs).toBe(0);
});
