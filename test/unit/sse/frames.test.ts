import { expect, test } from '@jest/globals';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import fc from 'fast-check';
import {
  asBuffer,
  heartbeatFrame,
  lengthOf,
  messageFrame,
  retryFrame,
} from '../../../server/sse/frames.js';

function parse(...frames: Buffer[]) {
  const messages: EventSourceMessage[] = [];
  const retries: number[] = [];
  const comments: string[] = [];
  const parser = createParser({
    onEvent: (message) => messages.push(message),
    onRetry: (ms) => retries.push(ms),
    onComment: (comment) => comments.push(comment),
  });
  parser.feed(Buffer.concat(frames).toString());
  return { messages, retries, comments };
}

test('a message has only the given event and id', () => {
  expect(String(messageFrame('{}'))).toBe('data: {}\n\n');
  expect(String(messageFrame('{}', { event: 'changes', id: 'r.1-2' }))).toBe(
    'event: changes\nid: r.1-2\ndata: {}\n\n',
  );
});

test('JSON of any text arrives unchanged, in one message', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const { messages } = parse(messageFrame(JSON.stringify({ [text]: 1 })), heartbeatFrame);
      expect(messages.map(({ data }) => JSON.parse(data))).toEqual([{ [text]: 1 }]);
    }),
  );
});

test('a heartbeat is a comment and nothing else', () => {
  expect(parse(heartbeatFrame, heartbeatFrame)).toEqual({
    messages: [],
    retries: [],
    comments: ['', ''],
  });
});

test('a retry is not a message', () => {
  expect(parse(retryFrame(15_000))).toEqual({ messages: [], retries: [15_000], comments: [] });
});

test('the length of a frame is that of all its parts', () => {
  const parts = [Buffer.from('one'), Buffer.from('twoé')];
  expect([lengthOf(Buffer.concat(parts)), lengthOf(parts), lengthOf([])]).toEqual([8, 8, 0]);
});

test('bytes become a buffer without a copy', () => {
  const bytes = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
  const buffer = asBuffer(bytes);
  expect([...buffer]).toEqual([2, 3]);
  bytes[0] = 9;
  expect([...buffer]).toEqual([9, 3]);
});
