import { expect, test } from '@jest/globals';
import type { ElectionEvent, Leader } from '../../../machines/ports.js';
import { ElectionLog } from '../../../server/cluster/electionLog.js';
import { createLog } from '../../../server/log.js';

const leader: Leader = { instance: 'b', term: 7, url: 'http://10.0.0.2:8000', isActive: false };

function linesOf(events: readonly ElectionEvent[]): unknown[] {
  const lines: unknown[] = [];
  const log = createLog('info', { write: (line: string) => void lines.push(JSON.parse(line)) });
  const electionLog = new ElectionLog(log);
  for (const event of events) electionLog.note(event);
  return lines;
}

test('every change of role is one line, with its reason', () => {
  expect(
    linesOf([
      { type: 'leader.seen', leader },
      { type: 'leader.gone' },
      { type: 'lease.taken', term: 8, wasActive: true },
      { type: 'redis.lost', cause: 'refused' },
      { type: 'lease.lost', cause: 'no renewal succeeded for 2000 ms' },
      { type: 'redis.answered' },
    ]),
  ).toEqual([
    expect.objectContaining({
      msg: 'another instance leads',
      instance: 'b',
      term: 7,
      url: leader.url,
    }),
    expect.objectContaining({ msg: 'no instance leads' }),
    expect.objectContaining({ msg: 'this instance leads', term: 8, wasActive: true }),
    expect.objectContaining({
      msg: 'the Redis of the cluster does not answer',
      level: 40,
      cause: 'refused',
    }),
    expect.objectContaining({
      msg: 'this instance no longer leads',
      cause: 'no renewal succeeded for 2000 ms',
    }),
    expect.objectContaining({ msg: 'the Redis of the cluster answers again' }),
  ]);
});

test('a leader that is seen again is logged only if its term or URL is another', () => {
  const again = { ...leader, isActive: true };
  const moved = { ...leader, url: 'http://10.0.0.3:8000' };
  expect(
    linesOf([leader, again, moved, leader].map((it) => ({ type: 'leader.seen', leader: it }))),
  ).toHaveLength(3);
});

test('the same leader is logged again after it was gone', () => {
  const seen: ElectionEvent = { type: 'leader.seen', leader };
  expect(linesOf([seen, { type: 'leader.gone' }, seen])).toHaveLength(3);
});
