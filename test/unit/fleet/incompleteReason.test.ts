import { expect, test } from '@jest/globals';
import type { Epoch, ServerId } from '../../../machines/ports.js';
import { type Counted, incompleteReason } from '../../../server/fleet/incompleteReason.js';

const server = '10.0.0.1:8001' as ServerId;
const complete: Counted = {
  roster: { size: 2, live: 2 },
  tally: { overLimit: new Set(), snapshotDue: new Map() },
  haveSourcesAnswered: true,
};
const overLimit = { overLimit: new Set([server]), snapshotDue: new Map() };
const snapshotDue = {
  overLimit: new Set<ServerId>(),
  snapshotDue: new Map([[server, 1 as Epoch]]),
};

test('totals are complete if all known servers are live and counted in full', () => {
  expect(incompleteReason(true, complete)).toBeNull();
});

test.each([
  ['not_counting', false, {}],
  ['no_server_known', true, { roster: { size: 0, live: 0 } }],
  ['servers_missing', true, { roster: { size: 2, live: 1 } }],
  ['over_limit', true, { tally: overLimit }],
  ['snapshot_due', true, { tally: snapshotDue }],
  ['source_unanswered', true, { haveSourcesAnswered: false }],
] as const)('otherwise the reason is %s', (reason, isCounting, change) => {
  expect(incompleteReason(isCounting, { ...complete, ...change })).toBe(reason);
});

test('of several reasons the first is told that an operator can do something about', () => {
  const none = { roster: { size: 2, live: 0 }, tally: overLimit, haveSourcesAnswered: false };
  expect(incompleteReason(false, none)).toBe('not_counting');
  expect(incompleteReason(true, none)).toBe('servers_missing');
  expect(incompleteReason(true, { ...none, roster: complete.roster })).toBe('over_limit');
});
