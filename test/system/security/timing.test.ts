/** Secrets are compared with input in constant time. */

import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Epoch, ServerId } from '../../../machines/ports.js';
import type { Service } from '../../../server/service.js';
import { ask } from '../../support/http.js';
import { nodesOf, type SyntaxNode } from '../../support/syntaxTree.js';

const crypto = await import('node:crypto');
const compared: { lengths: [number, number]; isEqual: boolean }[] = [];
jest.unstable_mockModule('node:crypto', () => ({
  ...crypto,
  timingSafeEqual: (a: Buffer, b: Buffer) => {
    const isEqual = a.length === b.length && crypto.timingSafeEqual(a, b);
    compared.push({ lengths: [a.length, b.length], isEqual });
    return isEqual;
  },
}));
const { EventTokens } = await import('../../../server/pubsub/eventTokens.js');
const { Sessions } = await import('../../../server/http/auth/sessions.js');
const { startTestService } = await import('../../support/service.js');
const { emptyStore } = await import('../../support/emptyStore.js');

const token = 'a-token-that-nobody-guesses';
/** Wrong in the first character, in the last, in the length. */
const wrong = [`b${token.slice(1)}`, `${token.slice(0, -1)}t`, token.slice(0, 5), `${token}!`, 'x'];

const services: Service[] = [];
afterAll(() => Promise.all(services.map((service) => service.stop())));
beforeEach(() => {
  compared.length = 0;
});

/** Expects one comparison for each attempt, of two texts of this length, with this result. */
function expectCompared(attempts: readonly boolean[], length: number): void {
  expect(compared).toEqual(attempts.map((isEqual) => ({ lengths: [length, length], isEqual })));
}

/** A service of its own: after ten wrong tokens right ones are refused as well. */
async function start() {
  const overrides = { openStore: async () => emptyStore };
  const service = await startTestService({ DASHBOARD_TOKEN: token }, overrides);
  services.push(service);
  return service;
}

/** Length of a SHA-256, which hides the length of the token. */
const digestLength = 32;

describe('secrets are compared in constant time:', () => {
  test('the bearer token', async () => {
    const { url } = await start();
    for (const given of [...wrong, token]) {
      const headers = { Authorization: `Bearer ${given}` };
      expect((await ask(`${url}/api/state`, { headers })).status).toBe(given === token ? 200 : 401);
    }
    expectCompared([...wrong.map(() => false), true], digestLength);
  });

  test('the token at sign-in', async () => {
    const { url } = await start();
    for (const given of [...wrong, token]) {
      const answer = await ask(`${url}/api/session`, {
        method: 'POST',
        body: JSON.stringify({ token: given }),
        headers: { 'Content-Type': 'application/json' },
      });
      expect(answer.status).toBe(given === token ? 204 : 401);
    }
    expectCompared([...wrong.map(() => false), true], digestLength);
  });

  test('the MAC of a session', () => {
    const sessions = new Sessions(token);
    const text = sessions.begin();
    expectCompared([], 43);
    for (const at of [text.length - 43, text.length - 20, text.length - 1])
      expect(sessions.read(changedAt(text, at))).toBeUndefined();
    expect(sessions.read(changedAt(text, 0))).toBeUndefined();
    expect(sessions.read(text)).toBeDefined();
    expectCompared([false, false, false, false, true], 43);
    // The length of a MAC is public.
    expect(sessions.read(text.slice(0, -1))).toBeUndefined();
    expect(compared).toHaveLength(5);
  });

  test('the MAC of an event token', () => {
    const tokens = new EventTokens();
    const server = '10.0.0.3:8001' as ServerId;
    const minted = tokens.mint({ kind: 'server', server, epoch: 1 as Epoch, fromStartup: false });
    for (const at of [minted.length - 22, minted.length - 9, minted.length - 1, 0])
      expect(tokens.read(changedAt(minted, at))).toBeUndefined();
    expect(tokens.read(minted)).toBeDefined();
    expectCompared([false, false, false, false, true], 22);
    expect(tokens.read(minted.slice(0, -1))).toBeUndefined();
    expect(compared).toHaveLength(5);
  });

  test('no source compares a token, a MAC or a digest in any other way', () => {
    const root = new URL('../../../server/', import.meta.url);
    const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
      (name) => /^(http|pubsub)\/.*\.ts$/.test(name) || /^\w+\.ts$/.test(name),
    );
    expect(sources).toContain('http/auth/authentication.ts');
    const found = sources.flatMap((name) =>
      comparisonsIn(readFileSync(new URL(name, root), 'utf8')).map((line) => `${name}: ${line}`),
    );
    expect(found).toEqual([]);
    const comparisons = [
      'token === expected',
      'given !== mac()',
      'viewerToken == bearer',
      'digest.equals(expected)',
      'known.includes(token)',
      'bearer.startsWith(viewerToken)',
    ];
    expect(comparisonsIn(comparisons.join(';'))).toHaveLength(comparisons.length);
    expect(comparisonsIn('a.token === this.#mac(b)')).toEqual(['token === mac']);
  });
});

/** Replaces the character at this index by another one of the same alphabet. */
function changedAt(text: string, at: number): string {
  return text.slice(0, at) + (text[at] === 'A' ? 'Q' : 'A') + text.slice(at + 1);
}

const comparing = new Set([
  'equals',
  'compare',
  'localeCompare',
  'startsWith',
  'endsWith',
  'includes',
  'indexOf',
]);

/** Comparisons of possible secrets with anything but a literal. */
function comparisonsIn(source: string): string[] {
  return [...nodesOf(source)].flatMap(({ type, operator = '', left, right, ...call }) => {
    if (type === 'BinaryExpression' && /^[=!]==?$/.test(operator)) {
      const isOfText = [left, right].every((side) => side && !isPlain(side));
      const [one, other] = [nameOf(left), nameOf(right)];
      return isOfText && (isSecret(one) || isSecret(other)) ? [`${one} ${operator} ${other}`] : [];
    }
    const { object, property } = call.callee ?? {};
    if (type !== 'CallExpression' || !comparing.has(nameOf(property))) return [];
    const [of, with_] = [nameOf(object), nameOf(call.arguments?.[0]?.expression)];
    return isSecret(of) || isSecret(with_) ? [`${of}.${nameOf(property)}(${with_})`] : [];
  });
}

const isSecret = (name: string) => /token|mac|bearer|digest|secret|password/i.test(name);

/** Whether a value exists, its type and its length are no secrets. */
const isPlain = (node: SyntaxNode) =>
  /Literal$/.test(node.type) ||
  node.operator === 'typeof' ||
  ['undefined', 'length'].includes(nameOf(node));

/** The last name in `a`, `a.b`, `a.#b`, and `a.b(...)`. */
function nameOf(node: SyntaxNode | undefined): string {
  if (node?.type === 'CallExpression') return nameOf(node.callee);
  if (node?.type === 'MemberExpression') return nameOf(node.property);
  return typeof node?.value === 'string' ? node.value : '';
}
