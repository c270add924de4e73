import { expect, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import { RequestLog } from '../../../server/pubsub/requestLog.js';
import type { RequestKind } from '../../../server/pubsub/requestMeter.js';

const startMs = Date.UTC(2026, 0, 1);
const server = '10.0.0.1:8001' as ServerId;

function newLog() {
  let nowMs = startMs;
  const log = new RequestLog(() => nowMs);
  const note = (seconds: number, cause: string | null = null, request: RequestKind = 'probe') => {
    nowMs += 1000;
    log.note({ server, request, seconds, cause });
  };
  return { log, note };
}

const at = (second: number) => new Date(startMs + second * 1000).toISOString();

test('a server that was never asked has no requests', () => {
  const nothing = { server, since: null, kinds: [], recent: [], lastFailure: null };
  expect(newLog().log.of(server)).toEqual(nothing);
});

test('the requests to a server are summed up by kind, and the last failure is kept', () => {
  const { log, note } = newLog();
  note(0.0012);
  note(1, 'timed out');
  note(0.002);
  note(0.5, null, 'activate');
  const failure = { at: at(2), request: 'probe', ms: 1000, cause: 'timed out' };
  expect(log.of(server)).toEqual({
    server,
    since: at(1),
    kinds: [
      { request: 'probe', answered: 2, failed: 1, lastMs: 2, longestMs: 1000 },
      { request: 'activate', answered: 1, failed: 0, lastMs: 500, longestMs: 500 },
    ],
    recent: [
      { at: at(4), request: 'activate', ms: 500, cause: null },
      { at: at(3), request: 'probe', ms: 2, cause: null },
      failure,
      { at: at(1), request: 'probe', ms: 1.2, cause: null },
    ],
    lastFailure: failure,
  });
});

test('the last 20 requests are kept, and causes are cut', () => {
  const { log, note } = newLog();
  note(1, 'x'.repeat(1000));
  for (let i = 0; i < 30; i += 1) note(i);
  const { recent, lastFailure } = log.of(server);
  expect(recent.map(({ ms }) => ms / 1000)).toEqual(Array.from({ length: 20 }, (_, i) => 29 - i));
  expect(lastFailure?.cause).toBe('x'.repeat(200));
});

test('with more than 1,000 servers, those that were not asked for longest are forgotten', () => {
  const { log, note } = newLog();
  const other = (i: number) => `10.0.1.${i}:1` as ServerId;
  const ask = (id: ServerId) => log.note({ server: id, request: 'probe', seconds: 1, cause: null });
  ask(other(0));
  for (let i = 1; i < 1000; i += 1) ask(other(i));
  ask(other(0));
  note(1);
  expect([other(0), other(1), other(2), server].map((id) => log.of(id).recent.length)).toEqual([
    2, 0, 1, 1,
  ]);
});
