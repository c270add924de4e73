import { beforeEach, expect, jest, test } from '@jest/globals';
import { type InboxEntry, inboxText } from '../../../server/cluster/inbox.js';
import { InboxReader } from '../../../server/cluster/inboxReader.js';
import { eventually } from '../../support/eventually.js';

let takings: ((error?: Error, entries?: readonly string[]) => void)[];
let handled: InboxEntry[];
let unreadable: number;
let read: number;
let reader: InboxReader;

beforeEach(() => {
  takings = [];
  handled = [];
  unreadable = 0;
  read = 0;
  reader = new InboxReader({
    take: (done) => takings.push(done),
    handle: (entry) => handled.push(entry),
    onUnreadable: (count) => {
      unreadable += count;
    },
    onRead: () => {
      read += 1;
    },
  });
});

const entry: InboxEntry = { kind: 'stranger', address: '10.0.0.3' };
const text = inboxText(entry) ?? '';

test('entries are handled in their order, and what cannot be read is counted', () => {
  reader.note();
  const other: InboxEntry = { kind: 'stranger', address: '10.0.0.4' };
  takings[0]?.(undefined, [text, 'junk', '{"kind":"future"}', inboxText(other) ?? '']);
  expect(handled).toEqual([entry, other]);
  expect(unreadable).toBe(2);
});

test('one request is open at a time, and another follows if it was noted meanwhile', () => {
  reader.note();
  reader.note();
  reader.note();
  expect(takings).toHaveLength(1);
  takings[0]?.(undefined, []);
  expect(takings).toHaveLength(2);
  takings[1]?.(undefined, [text]);
  expect(takings).toHaveLength(2);
  expect(handled).toEqual([entry]);
});

test('after a failure the next note reads again', () => {
  reader.note();
  takings[0]?.(new Error('away'));
  reader.note();
  takings[1]?.(undefined, [text]);
  expect(handled).toEqual([entry]);
});

test('after a failure it reads again by itself, until the term ends', () => {
  jest.useFakeTimers();
  try {
    reader.note();
    takings[0]?.(new Error('the answer was lost'));
    expect(read).toBe(0);
    jest.advanceTimersByTime(1000);
    takings[1]?.(undefined, [text]);
    expect(handled).toEqual([entry]);
    expect(read).toBe(1);
    reader.note();
    takings[2]?.(new Error('away'));
    reader.close();
    jest.advanceTimersByTime(5000);
    expect(takings).toHaveLength(3);
  } finally {
    jest.useRealTimers();
  }
});

test('what arrives after the end of the term is not handled', () => {
  reader.note();
  reader.close();
  takings[0]?.(undefined, [text]);
  reader.note();
  expect(handled).toEqual([]);
  expect(takings).toHaveLength(1);
});

test('a thousand entries are handled in slices, and only then the inbox is read again', async () => {
  reader.note();
  takings[0]?.(undefined, Array(1000).fill(text));
  reader.note();
  expect(handled).toHaveLength(20);
  expect(takings).toHaveLength(1);
  expect(read).toBe(0);
  await eventually(() => expect(handled).toHaveLength(1000));
  await eventually(() => expect(takings).toHaveLength(2));
});

test('the end of the term ends the slices', async () => {
  reader.note();
  takings[0]?.(undefined, Array(1000).fill(text));
  reader.close();
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(handled).toHaveLength(20);
});
