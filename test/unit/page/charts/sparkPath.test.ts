import { expect, test } from '@jest/globals';
import { sparkLine } from '../../../../server/page/charts/sparkPath.js';

const box = { width: 40, height: 10, length: 4 };

test('a number is a step, and the highest is at the top', () => {
  expect(sparkLine([0, 5, 5, 10], box)).toEqual({
    path: 'M0 10H10V5H30V0H40',
    end: { x: 40, y: 0 },
  });
});

test('a gap ends the line, and is not 0', () => {
  expect(sparkLine([10, null, null, 10], box).path).toBe('M0 0H10M30 0H40');
  expect(sparkLine([10, null, null, null], box).end).toEqual({ x: 10, y: 0 });
});

test('what is known for a shorter time begins later, and older numbers are cut off', () => {
  expect(sparkLine([3], box).path).toBe('M30 0H40');
  expect(sparkLine([9, 1, 1, 1, 1], box).path).toBe('M0 0H40');
});

test('nothing known is no line, and only 0 is a line at the bottom', () => {
  expect(sparkLine([], box)).toEqual({ path: '', end: undefined });
  expect(sparkLine([null, null], box)).toEqual({ path: '', end: undefined });
  expect(sparkLine([0, 0, 0, 0], box).path).toBe('M0 10H40');
});
