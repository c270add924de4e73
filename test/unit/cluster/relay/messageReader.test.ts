import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { MessageReader } from '../../../../server/cluster/relay/messageReader.js';
import type { UpstreamEvent } from '../../../../server/cluster/relay/upstream.js';
import { messageFrame } from '../../../../server/sse/frames.js';

/** The messages of a stream that arrives in chunks. */
function read(chunks: readonly Buffer[]): UpstreamEvent[] {
  const messages: UpstreamEvent[] = [];
  const reader = new MessageReader((message) => messages.push(message));
  for (const chunk of chunks) reader.push(chunk);
  return messages;
}

const inWords = (messages: UpstreamEvent[]) =>
  messages.map(({ name, id, data, frame }) => [name, id, String(data), String(frame)]);

function cut(stream: Buffer, at: readonly number[]): Buffer[] {
  const places = [0, ...at.map((place) => place % stream.length), stream.length];
  places.sort((a, b) => a - b);
  return places.slice(1).map((end, i) => stream.subarray(places[i], end));
}

test('reads the messages of a stream, wherever it is cut into chunks', () => {
  const message = fc.record({
    event: fc.constantFrom('changes', 'status', ''),
    id: fc.constantFrom('7.1-2', ''),
    value: fc.string(),
  });
  fc.assert(
    fc.property(fc.array(message, { minLength: 1 }), fc.array(fc.nat()), (all, places) => {
      const frames = all.map(({ value, ...rest }) => messageFrame(JSON.stringify(value), rest));
      const expected = all.map(({ event, id, value }, i) => [
        event || 'message',
        id,
        JSON.stringify(value),
        String(frames[i]),
      ]);
      expect(inWords(read(cut(Buffer.concat(frames), places)))).toEqual(expected);
    }),
  );
});

test('comments and retries are no messages', () => {
  const stream = Buffer.from(': ok\n\n:\n\nretry: 1000\n\ndata: 1\n\n');
  for (const chunks of [[stream], [...stream].map((byte) => Buffer.from([byte]))])
    expect(read(chunks).map(({ data }) => String(data))).toEqual(['1']);
});

test('a stream that ends in a message has not sent it', () => {
  expect(read([Buffer.from('data: 1\n\nevent: changes\ndata: {"a":1}\n')]).length).toBe(1);
});
