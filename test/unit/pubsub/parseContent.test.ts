import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseContent } from '../../../server/pubsub/parseContent.js';
import { InvalidPost } from '../../../server/pubsub/parsePosted.js';

const codeOf = (body: unknown): string | undefined => {
  try {
    parseContent(typeof body === 'string' ? body : JSON.stringify(body));
    return undefined;
  } catch (error) {
    if (error instanceof InvalidPost) return error.code;
    throw error;
  }
};

test('updates, awareness and losses are read, alone and mixed', () => {
  const [update, awareness, lost] = [
    { room: 'a', update: 'AAA=' },
    { room: '', awareness: '' },
    { room: '__proto__', lost: true },
  ];
  expect(parseContent(JSON.stringify(update))).toEqual([update]);
  expect(parseContent(JSON.stringify([update, awareness, lost]))).toEqual([
    update,
    awareness,
    lost,
  ]);
  expect(parseContent('[]')).toEqual([]);
});

test.each([
  ['a delta', { room: 'a', add: 1 }],
  ['a delta with an update', { room: 'a', add: 1, update: 'AAAA' }],
  ['an update and awareness in one', { room: 'a', update: 'AAAA', awareness: 'AAAA' }],
  ['an update and a loss in one', { room: 'a', update: 'AAAA', lost: true }],
  ['awareness and a loss in one', { room: 'a', awareness: 'AAAA', lost: true }],
  ['a room alone', { room: 'a' }],
  ['no room', { update: 'AAAA' }],
  ['a room that is no text', { room: 1, update: 'AAAA' }],
  ['a name of over 16,384 characters', { room: 'x'.repeat(16_385), lost: true }],
  ['a loss that is not true', { room: 'a', lost: false }],
  ['an update that is no text', { room: 'a', update: [] }],
  ['awareness that is no text', { room: 'a', awareness: [] }],
  ['awareness that is cut off', { room: 'a', awareness: 'AAA' }],
  ['an update in the alphabet of URLs', { room: 'a', update: 'A_-A' }],
  ['an update that is cut off', { room: 'a', update: 'AAA' }],
  ['null', null],
  ['text', '"text"'],
  ['one bad entry among good ones', [{ room: 'a', lost: true }, { room: 'a' }]],
])('%s is refused', (_, body) => {
  expect(codeOf(body)).toBe('invalid_delta');
});

test('a name of 16,384 characters is taken', () => {
  expect(codeOf({ room: 'x'.repeat(16_384), lost: true })).toBeUndefined();
});

test('an error tells which entry is wrong', () => {
  const read = () => parseContent(JSON.stringify([{ room: 'a', lost: true }, { room: 'a' }]));
  expect(read).toThrow('1: no content of a room');
});

test('what is no JSON is refused', () => {
  expect(codeOf('{')).toBe('invalid_json');
});

test('what it takes decodes to the bytes that were encoded', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const update = Buffer.from(bytes).toString('base64');
      const [entry] = parseContent(JSON.stringify({ room: 'a', update }));
      expect(entry).toEqual({ room: 'a', update });
      expect(new Uint8Array(Buffer.from(update, 'base64'))).toEqual(bytes);
    }),
  );
});

test('any JSON is taken or refused', () => {
  fc.assert(
    fc.property(fc.json(), (body) => {
      expect([undefined, 'invalid_delta', 'invalid_json']).toContain(codeOf(body));
    }),
  );
});
