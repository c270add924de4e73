import { describe, expect, test } from '@jest/globals';
import { Signatures as AgentSignatures } from '../../../server/agent/signatures.js';
import { type Signable, Signatures } from '../../../server/pubsub/signatures.js';

const secret = 'a secret of the test';
const other = 'another secret, too';
const request: Signable = {
  method: 'GET',
  host: 'Dashboard:8000',
  target: '/api/events/clients?port=1&name=b%20c',
  body: '',
};
const nowMs = 1_764_489_600_000;
const minute = 60_000;
const at = (ms: number) => () => ms;
const forUs = () => true;
const header = () => new Signatures([secret], at(nowMs)).sign(request);

test('a signed request is accepted, and refused when it is sent again', async () => {
  const signatures = new Signatures([secret], at(nowMs));
  const signed = header();
  expect(await signatures.faultOf(signed, request, forUs)).toBeUndefined();
  expect(await signatures.faultOf(signed, request, forUs)).toEqual({ kind: 'replayed' });
  expect(await signatures.faultOf(header(), request, forUs)).toBeUndefined();
});

const changes: [string, Partial<Signable>][] = [
  ['method', { method: 'HEAD' }],
  ['host', { host: 'other:8000' }],
  ['target', { target: '/api/events/clients?port=2' }],
  ['body', { body: ' ' }],
];

test.each(changes)('a request with another %s is refused', async (_, change) => {
  const signatures = new Signatures([secret], at(nowMs));
  const fault = await signatures.faultOf(header(), { ...request, ...change }, forUs);
  expect(fault).toEqual({ kind: 'wrong_secret' });
});

test('the case of the host does not matter', async () => {
  const signatures = new Signatures([secret], at(nowMs));
  const lower = { ...request, host: 'dashboard:8000' };
  expect(await signatures.faultOf(header(), lower, forUs)).toBeUndefined();
});

test.each([
  ['none', undefined],
  ['another version', header().replace('v1', 'v2')],
  ['a short nonce', header().replace(/n=\S/, 'n=')],
  ['two in one header', `${header()}, ${header()}`],
])('%s counts as a missing signature', async (_, text) => {
  const signatures = new Signatures([secret], at(nowMs));
  expect(await signatures.faultOf(text, request, forUs)).toEqual({ kind: 'missing' });
});

test('clocks may differ by five minutes, in both directions', async () => {
  for (const sign of [-1, 1]) {
    const near = new Signatures([secret], at(nowMs + sign * 5 * minute));
    expect(await near.faultOf(header(), request, forUs)).toBeUndefined();
    const far = new Signatures([secret], at(nowMs + sign * (5 * minute + 1)));
    const differenceMs = -sign * (5 * minute + 1);
    expect(await far.faultOf(header(), request, forUs)).toEqual({ kind: 'clock', differenceMs });
  }
});

test('a nonce is refused for as long as its time is accepted', async () => {
  let now = nowMs;
  const signatures = new Signatures([secret], () => now);
  const ahead = new Signatures([secret], at(nowMs + 5 * minute)).sign(request);
  expect(await signatures.faultOf(ahead, request, forUs)).toBeUndefined();
  now += 10 * minute;
  expect(await signatures.faultOf(ahead, request, forUs)).toEqual({ kind: 'replayed' });
  now += 1;
  expect(await signatures.faultOf(ahead, request, forUs)).toMatchObject({ kind: 'clock' });
});

test('a request for another host is refused, and does not use up its nonce', async () => {
  const signatures = new Signatures([secret], at(nowMs));
  const signed = header();
  expect(await signatures.faultOf(signed, request, () => false)).toEqual({ kind: 'other_host' });
  expect(await signatures.faultOf(signed, request, forUs)).toBeUndefined();
});

test('only who knows a secret is looked up by host', async () => {
  const signatures = new Signatures([other], at(nowMs));
  const ask = () => {
    throw new Error('asked');
  };
  expect(await signatures.faultOf(header(), request, ask)).toEqual({ kind: 'wrong_secret' });
});

test('during a rotation both secrets are accepted, and the first signs', async () => {
  const rotating = new Signatures([other, secret], at(nowMs));
  expect(await rotating.faultOf(header(), request, forUs)).toBeUndefined();
  const renewed = new Signatures([other], at(nowMs));
  expect(await renewed.faultOf(rotating.sign(request), request, forUs)).toBeUndefined();
});

test('more nonces than it can remember are refused, until the old ones are out of date', async () => {
  let now = nowMs;
  const signatures = new Signatures([secret], () => now, 100);
  const next = () => signatures.faultOf(signatures.sign(request), request, forUs);
  for (let i = 0; i < 100; i += 1) await next();
  expect(await next()).toEqual({ kind: 'replayed' });
  now += 5 * minute + 1;
  expect(await next()).toBeUndefined();
});

describe('the agent and the service', () => {
  test('accept each other', async () => {
    const [ours, theirs] = [new Signatures([secret]), new AgentSignatures([secret])];
    expect(await ours.faultOf(theirs.sign(request), request, forUs)).toBeUndefined();
    const put = { ...request, method: 'PUT', body: '{"active":true,"eventsUrl":"http://ä"}' };
    expect(await theirs.faultOf(ours.sign(put), put, async () => true)).toBeUndefined();
  });

  test('refuse each other with different secrets', async () => {
    const [ours, theirs] = [new Signatures([secret]), new AgentSignatures([other])];
    const refused = { kind: 'wrong_secret' };
    expect(await ours.faultOf(theirs.sign(request), request, forUs)).toEqual(refused);
    const fault = await theirs.faultOf(ours.sign(request), request, async () => true);
    expect(fault).toMatchObject({ fault: 'wrong_secret' });
  });
});
