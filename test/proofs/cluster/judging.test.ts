import { expect, test } from '@jest/globals';
import type { EventSourceMessage } from 'eventsource-parser';
import { eventually } from '../../support/eventually.js';
import { owns } from '../../support/stage.js';
import { Referee } from './referee.js';
import { Truth } from './truth.js';
import type { Watcher } from './watcher.js';

const event: EventSourceMessage = { event: 'changes', id: '1', data: '{}' };

/** A watcher that is told what to show. */
function startJudging(steady: Record<string, number> = {}) {
  const numbers = {
    rooms: new Map<string, number>(),
    servers: new Map<string, string>(),
    history: new Map<string, string[]>(),
  };
  const shown = { isConnected: true, isComplete: true, ...numbers };
  const words = { told: 'nothing', inWords: () => 'viewer' };
  const watcher = { ...shown, ...words, instance: 'a' } as unknown as Watcher;
  const truth = new Truth();
  const needs = { truth, watchers: new Set([watcher]), steady: new Map(Object.entries(steady)) };
  const referee = owns(new Referee(needs), (it) => it.stop());
  return { referee, truth, watcher: watcher as Watcher & { isComplete: boolean } };
}

const textsOf = ({ offences }: Referee) => offences.map(({ text }) => text).join('\n');

test('a count is true while a connection certainly or possibly counts', () => {
  let now = 0;
  const truth = new Truth(() => now);
  const at = (ms: number, change: (room: string) => void) => {
    now = ms;
    change('r');
  };
  at(10, (room) => truth.opening(room));
  at(20, (room) => truth.opened(room));
  at(30, (room) => truth.closing(room));
  at(40, (room) => truth.closed(room));
  const wasTrue = (count: number, sinceMs: number) => truth.wasTrue('r', count, sinceMs);
  expect([wasTrue(0, 5), wasTrue(0, 25), wasTrue(1, 5), wasTrue(1, 35), wasTrue(1, 40)]).toEqual([
    true,
    true,
    true,
    true,
    false,
  ]);
  expect([wasTrue(2, 0), wasTrue(0, 50), truth.total()]).toEqual([false, true, 0]);
});

test('a number that is wrong and said to be complete for more than 3 s is an offence', async () => {
  const { referee, truth, watcher } = startJudging();
  await eventually(() => expect(referee.verdictOf(watcher)).toBe('right'));
  truth.opening('r');
  truth.opened('r');
  await eventually(() => expect(referee.verdictOf(watcher)).toBe('wrong'));
  expect(textsOf(referee)).toBe('');
  await eventually(() => expect(textsOf(referee)).toContain('r is 0, true: 0..1'));
});

test('a number that is not said to be complete may be wrong', async () => {
  const { referee, truth, watcher } = startJudging();
  watcher.isComplete = false;
  truth.opening('r');
  truth.opened('r');
  await eventually(() => expect(referee.lastBadMs()).toBeGreaterThan(truth.total()));
  expect(referee.verdictOf(watcher)).toBe('incomplete');
});

test('a viewer that was informed may neither be shown an empty map nor a flicker', async () => {
  const { referee, truth, watcher } = startJudging({ steady: 1 });
  truth.opening('steady');
  truth.opened('steady');
  referee.onEvent(watcher, event);
  expect(textsOf(referee)).toBe('');
  watcher.rooms.set('steady', 1);
  await eventually(() => expect(referee.verdictOf(watcher)).toBe('right'));
  await eventually(() => {
    watcher.rooms.clear();
    referee.onEvent(watcher, event);
    expect(textsOf(referee)).toContain('an empty map');
  });
  watcher.rooms.set('other', 1);
  referee.onEvent(watcher, event);
  expect(textsOf(referee)).toContain('steady flickers: 0 instead of 1');
});
