import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { InstanceSignatures } from '../../../server/cluster/instanceSignatures.js';
import { clusterSecret } from '../../support/clusterNeeds.js';

const one = new InstanceSignatures(clusterSecret, 'one');
const two = new InstanceSignatures(clusterSecret, 'two');
const head = { method: 'POST', target: '/api/x?room=a%2Fb' };

describe('a signature between instances', () => {
  test('tells the receiver who sent the request, and which body', () => {
    const signed = two.verify(one.sign(head, 'two', 'body'), head);
    expect(signed?.sender).toBe('one');
    expect(signed?.isBody('body')).toBe(true);
    expect(signed?.isBody(Buffer.from('body'))).toBe(true);
  });

  test('is not valid with another secret', () => {
    const stranger = new InstanceSignatures(`${clusterSecret}!`, 'one');
    expect(two.verify(stranger.sign(head, 'two'), head)).toBeUndefined();
  });

  test('is not valid at another instance', () => {
    const three = new InstanceSignatures(clusterSecret, 'three');
    expect(three.verify(one.sign(head, 'two'), head)).toBeUndefined();
  });

  test('is not valid at a later run of the same instance, which has another id', () => {
    const recorded = one.sign(head, 'two');
    const later = new InstanceSignatures(clusterSecret, 'two-again');
    expect(later.verify(recorded, head)).toBeUndefined();
  });

  test('is not valid at the instance that made it', () => {
    expect(one.verify(one.sign(head, 'one'), head)).toBeUndefined();
  });

  test.each([
    ['path', { ...head, target: '/api/y?room=a%2Fb' }],
    ['query', { ...head, target: '/api/x?room=a/b' }],
    ['method', { ...head, method: 'GET' }],
  ])('is not valid for another %s', (_, changed) => {
    expect(two.verify(one.sign(head, 'two'), changed)).toBeUndefined();
  });

  test('is not valid for another body', () => {
    const signed = two.verify(one.sign(head, 'two', 'body'), head);
    expect(signed?.isBody('bodY')).toBe(false);
    expect(signed?.isBody('')).toBe(false);
  });

  test('is not valid with another sender, receiver or digest than was signed', () => {
    const header = one.sign(head, 'two', 'body');
    const other = one.sign(head, 'two', 'other');
    const digest = (text: string) => /body=(\S+)/.exec(text)?.[1] ?? '';
    expect(two.verify(header.replace('from=one', 'from=six'), head)).toBeUndefined();
    const three = new InstanceSignatures(clusterSecret, 'three');
    expect(three.verify(header.replace('to=two', 'to=three'), head)).toBeUndefined();
    const swapped = header.replace(digest(header), digest(other));
    expect(two.verify(swapped, head)).toBeUndefined();
  });

  test.each([undefined, '', 'v1', `v2${one.sign(head, 'two').slice(2)}`])(
    'is not valid as %j',
    (header) => {
      expect(two.verify(header, head)).toBeUndefined();
    },
  );

  test('is never valid if it is any other text', () => {
    const part = fc.stringMatching(/^[\w-]{0,64}$/);
    const built = fc
      .tuple(part, part, part, part)
      .map(([from, to, body, mac]) => `v1 from=${from} to=${to} body=${body} mac=${mac}`);
    const any = fc.oneof(fc.string({ unit: 'binary' }), built);
    fc.assert(
      fc.property(any, (header) => {
        expect(two.verify(header, head)).toBeUndefined();
      }),
    );
  });
});
