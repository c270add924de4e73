import { expect, test } from '@jest/globals';
import { readLog } from '../../../server/page/room/readLog.js';
import type { LogEntry } from '../../../server/wire/logEntry.js';

const entry = { number: 1 } as LogEntry;

test('reading the log is retried until it succeeds', async () => {
  const added: unknown[] = [];
  let asked = 0;
  const ask = async () => {
    asked += 1;
    if (asked < 3) throw new Error('503');
    return [entry];
  };
  await readLog({ ask, add: (entries) => added.push(entries), isWanted: () => true, retryMs: 1 });
  expect([asked, added]).toEqual([3, [[entry]]]);
});

test('reading the log stops when the stream is closed', async () => {
  let asked = 0;
  const ask = async () => {
    asked += 1;
    throw new Error('503');
  };
  const add = () => {
    throw new Error('nothing was had');
  };
  await readLog({ ask, add, isWanted: () => asked < 2, retryMs: 1 });
  expect(asked).toBe(2);
});
