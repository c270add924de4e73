import { createHash, createHmac } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Signatures, type SignedRequest } from '../../../server/agent/signatures.js';

const request: SignedRequest = {
  method: 'PUT',
  host: 'Web-1:8001',
  target: '/api/dashboard',
  body: '{"active":false}',
};
const own = async () => true;
let nowMs: number;
let receiver: Signatures;
let sender: Signatures;

beforeEach(() => {
  nowMs = 1_700_000_000_000;
  receiver = new Signatures(['secret'], () => nowMs);
  sender = new Signatures(['secret'], () => nowMs);
});

const fault = async (header: string | undefined, changed = {}, isOwnHost = own) =>
  (await receiver.faultOf(header, { ...request, ...changed }, isOwnHost))?.fault;

describe('a signature', () => {
  test('is the one of docs/protocol.md', () => {
    const [, time, nonce, mac] =
      /^v1 t=(\d+) n=([\w-]{22}) s=([\w-]{43})$/.exec(sender.sign(request)) ?? [];
    const hash = createHash('sha256').update(request.body).digest('base64url');
    const text = `v1\nPUT\nweb-1:8001\n/api/dashboard\n${time}\n${nonce}\n${hash}`;
    expect(time).toBe(`${nowMs}`);
    expect(mac).toBe(createHmac('sha256', 'secret').update(text).digest('base64url'));
  });

  test('is accepted once', async () => {
    const header = sender.sign(request);
    expect(await fault(header)).toBeUndefined();
    expect(await fault(header)).toBe('replayed');
    expect(await fault(sender.sign(request))).toBeUndefined();
  });

  test.each([
    ['method', 'GET'],
    ['host', 'web-2:8001'],
    ['target', '/api/dashboard/rooms'],
    ['body', '{"active":true}'],
  ])('covers the %s', async (part, value) => {
    expect(await fault(sender.sign(request), { [part]: value })).toBe('wrong_secret');
  });

  test('takes the Host in any case', async () => {
    expect(await fault(sender.sign(request), { host: 'wEB-1:8001' })).toBeUndefined();
  });

  test('of another secret is refused', async () => {
    expect(await fault(new Signatures(['other'], () => nowMs).sign(request))).toBe('wrong_secret');
  });

  test.each([0, 1])('of secret %i of two is verified, and the first one signs', async (index) => {
    receiver = new Signatures(['new', 'old'], () => nowMs);
    const secret = ['new', 'old'][index] ?? '';
    expect(await fault(new Signatures([secret], () => nowMs).sign(request))).toBeUndefined();
    const onlyOld = new Signatures(['old'], () => nowMs);
    const faultOfFirst = await onlyOld.faultOf(receiver.sign(request), request, own);
    expect(faultOfFirst?.fault).toBe('wrong_secret');
  });

  test.each([-1, 1])('five minutes away is accepted, more is not (%i)', async (direction) => {
    const early = sender.sign(request);
    const late = sender.sign(request);
    nowMs += direction * 5 * 60_000;
    expect(await fault(early)).toBeUndefined();
    nowMs += direction;
    const found = await receiver.faultOf(late, request, own);
    expect(found).toEqual({ fault: 'clock', skewMs: -direction * (5 * 60_000 + 1) });
  });

  test('for another host is refused, and may still come to the right one', async () => {
    const header = sender.sign(request);
    expect(await fault(header, {}, async () => false)).toBe('other_host');
    expect(await fault(header)).toBeUndefined();
  });

  test('of a stranger makes no look-up of hosts', async () => {
    const looked: string[] = [];
    const header = new Signatures(['other'], () => nowMs).sign(request);
    await fault(header, {}, async () => looked.push('host') > 0);
    expect(looked).toEqual([]);
  });

  test.each([
    undefined,
    '',
    'v1',
    'v2 t=1 n=AAAAAAAAAAAAAAAAAAAAAA s=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'v1 t=1 n=short s=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    'v1 t=-1 n=AAAAAAAAAAAAAAAAAAAAAA s=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  ])('that cannot be read is missing: %s', async (header) => {
    expect(await fault(header)).toBe('missing');
  });

  test('twice in one request is missing', async () => {
    expect(await fault(`${sender.sign(request)}, ${sender.sign(request)}`)).toBe('missing');
  });

  test('is refused while too many are remembered, and accepted when they are too old', async () => {
    receiver = new Signatures(['secret'], () => nowMs, 100);
    for (let count = 0; count < 100; count += 1) {
      await receiver.faultOf(sender.sign(request), request, own);
    }
    expect(await fault(sender.sign(request))).toBe('replayed');
    nowMs += 5 * 60_000 + 1;
    expect(await fault(sender.sign(request))).toBeUndefined();
  });
});
