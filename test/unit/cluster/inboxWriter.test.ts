import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { parseInboxEntry } from '../../../server/cluster/inbox.js';
import { InboxWriter } from '../../../server/cluster/inboxWriter.js';

let pushes: { entries: readonly string[]; done: (error?: Error) => void }[];
let writer: InboxWriter;

beforeEach(() => {
  jest.useFakeTimers();
  pushes = [];
  writer = new InboxWriter({ push: (entries, done) => pushes.push({ entries, done }) });
});
afterEach(() => {
  writer.close();
  jest.useRealTimers();
});

const stranger = (i: number) => ({
  kind: 'stranger' as const,
  address: `10.0.${i >> 8}.${i & 255}`,
});
const addressesOf = (texts: readonly string[] = []) =>
  texts.map((text) => {
    const entry = parseInboxEntry(text);
    return entry?.kind === 'stranger' ? entry.address : undefined;
  });

test('the first entry is written in the same turn, and what follows at most ten times a second', () => {
  writer.write(stranger(1));
  jest.advanceTimersByTime(0);
  expect(addressesOf(pushes[0]?.entries)).toEqual(['10.0.0.1']);
  pushes[0]?.done();
  writer.write(stranger(2));
  writer.write(stranger(3));
  jest.advanceTimersByTime(99);
  expect(pushes).toHaveLength(1);
  jest.advanceTimersByTime(1);
  expect(addressesOf(pushes[1]?.entries)).toEqual(['10.0.0.2', '10.0.0.3']);
});

test('the same entry is written once in a second', () => {
  for (let i = 0; i < 10; i += 1) writer.write(stranger(1));
  jest.advanceTimersByTime(0);
  expect(pushes[0]?.entries).toHaveLength(1);
  pushes[0]?.done();
  jest.advanceTimersByTime(999);
  writer.write(stranger(1));
  jest.advanceTimersByTime(100);
  expect(pushes).toHaveLength(1);
  writer.write(stranger(1));
  jest.advanceTimersByTime(100);
  expect(pushes).toHaveLength(2);
});

test('one request is open at a time', () => {
  writer.write(stranger(1));
  jest.advanceTimersByTime(0);
  writer.write(stranger(2));
  jest.advanceTimersByTime(5000);
  expect(pushes).toHaveLength(1);
  pushes[0]?.done();
  jest.advanceTimersByTime(100);
  expect(pushes).toHaveLength(2);
});

test('what Redis did not take is written again a second later, before what came since', () => {
  writer.write(stranger(1));
  jest.advanceTimersByTime(0);
  writer.write(stranger(2));
  pushes[0]?.done(new Error('away'));
  jest.advanceTimersByTime(1000);
  expect(addressesOf(pushes[1]?.entries)).toEqual(['10.0.0.1', '10.0.0.2']);
});

test('while Redis is away, the newest 1,000 are kept, and no more is sent at a time than 250', () => {
  writer.write(stranger(0));
  jest.advanceTimersByTime(0);
  for (let i = 1; i <= 2000; i += 1) writer.write(stranger(i));
  pushes[0]?.done(new Error('away'));
  const written: unknown[] = [];
  for (let i = 1; i < 10; i += 1) {
    jest.advanceTimersByTime(1000);
    written.push(...addressesOf(pushes[i]?.entries));
    pushes[i]?.done();
  }
  expect(pushes[1]?.entries).toHaveLength(250);
  expect(written).toHaveLength(1000);
  expect(written.at(-1)).toBe(stranger(2000).address);
});

test('nothing is written after the end', () => {
  writer.write(stranger(1));
  writer.close();
  writer.write(stranger(2));
  jest.advanceTimersByTime(5000);
  expect(pushes).toEqual([]);
});

describe('at the end', () => {
  const onEnded = jest.fn();
  beforeEach(() => void onEnded.mockClear());

  test('what waits is written at once, in one request after the other', () => {
    for (let i = 0; i < 600; i += 1) writer.write(stranger(i));
    writer.end(onEnded);
    for (const count of [250, 250, 100]) {
      expect(onEnded).not.toHaveBeenCalled();
      expect(pushes.at(-1)?.entries).toHaveLength(count);
      pushes.at(-1)?.done();
    }
    expect([pushes.length, onEnded.mock.calls.length]).toEqual([3, 1]);
  });

  test('an open request is waited for', () => {
    writer.write(stranger(1));
    jest.advanceTimersByTime(0);
    writer.write(stranger(2));
    writer.end(onEnded);
    expect([pushes.length, onEnded.mock.calls.length]).toEqual([1, 0]);
    pushes[0]?.done();
    expect(addressesOf(pushes[1]?.entries)).toEqual(['10.0.0.2']);
    pushes[1]?.done();
    expect(onEnded).toHaveBeenCalledTimes(1);
  });

  test('what an open request did not bring is tried once more', () => {
    writer.write(stranger(1));
    jest.advanceTimersByTime(0);
    writer.end(onEnded);
    pushes[0]?.done(new Error('no answer'));
    expect(onEnded).not.toHaveBeenCalled();
    expect(addressesOf(pushes[1]?.entries)).toEqual(['10.0.0.1']);
    pushes[1]?.done(new Error('no answer'));
    expect([pushes.length, onEnded.mock.calls.length]).toEqual([2, 1]);
  });

  test('nothing is tried again, and nothing more is taken', () => {
    writer.write(stranger(1));
    writer.end(onEnded);
    writer.write(stranger(2));
    pushes[0]?.done(new Error('no answer'));
    jest.advanceTimersByTime(60_000);
    expect([pushes.length, onEnded.mock.calls.length]).toEqual([1, 1]);
  });

  test('with nothing to write it is over at once', () => {
    writer.end(onEnded);
    expect([pushes.length, onEnded.mock.calls.length]).toEqual([0, 1]);
  });
});
