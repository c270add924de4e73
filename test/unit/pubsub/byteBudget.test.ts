import { expect, test } from '@jest/globals';
import { ByteBudget } from '../../../server/pubsub/byteBudget.js';

test('reservations of one name share its budget, and other names have their own', () => {
  const budget = new ByteBudget();
  const [a, b, other] = [budget.open('x', 10), budget.open('x', 10), budget.open('y', 10)];
  expect([a.take(6), b.take(4), b.take(1), other.take(10)]).toEqual([true, true, false, true]);
  a.release();
  a.release();
  expect([b.take(6), b.take(1)]).toEqual([true, false]);
  b.release();
  expect(budget.open('x', 10).take(10)).toBe(true);
});
