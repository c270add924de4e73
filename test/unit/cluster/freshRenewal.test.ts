import { beforeEach, expect, test } from '@jest/globals';
import { FreshRenewal } from '../../../server/cluster/freshRenewal.js';

let nowMs: number;
let renewals: ((isHeld: boolean) => void)[];
let fresh: FreshRenewal;

beforeEach(() => {
  nowMs = 0;
  renewals = [];
  fresh = new FreshRenewal({
    clock: { monotonicMs: () => nowMs },
    renew: (done) => renewals.push(done),
  });
});

test('all that ask within half a second share one renewal', async () => {
  const first = fresh.confirm();
  nowMs = 200;
  const second = fresh.confirm();
  renewals[0]?.(true);
  await first;
  await second;
  nowMs = 499;
  await fresh.confirm();
  expect(renewals).toHaveLength(1);
});

test('half a second after a renewal was sent, the next one needs another', async () => {
  const first = fresh.confirm();
  nowMs = 450;
  renewals[0]?.(true);
  await first;
  nowMs = 500;
  const second = fresh.confirm();
  expect(renewals).toHaveLength(2);
  renewals[1]?.(true);
  await second;
});

test('a renewal that fails serves nobody, and is tried again by the next', async () => {
  const failed = [fresh.confirm(), fresh.confirm()];
  renewals[0]?.(false);
  for (const each of failed) await expect(each).rejects.toThrow('the lease could not be renewed');
  const next = fresh.confirm();
  renewals[1]?.(true);
  await next;
});
