import { describe, expect, test } from '@jest/globals';
import { headPath, linePath } from '../../../../server/page/statecharts/arrowPath.js';
import { chartOf } from '../../../../server/page/statecharts/chart.js';
import { drawingOf } from '../../../../server/page/statecharts/drawing.js';
import { partsOf } from '../../../../server/page/statecharts/layout.js';
import { marksAfter, occupancyOf } from '../../../../server/page/statecharts/occupancy.js';
import { cutMiddle, wrap } from '../../../../server/page/statecharts/words.js';

const chart = chartOf({
  id: 'm',
  type: 'compound',
  initial: 'a',
  on: { stop: [{ target: ['#m.over'] }], note: [{ actions: [{ type: 'write' }] }] },
  states: {
    a: {
      id: 'm.a',
      type: 'compound',
      initial: 'one',
      on: { again: [{ target: ['#m.a'], reenter: true }] },
      states: {
        one: {
          id: 'm.a.one',
          type: 'atomic',
          on: {
            go: [{ target: ['#m.over'], guard: 'may' }, { target: ['#m.a.two'] }],
            leave: [{ target: ['#m.over'], actions: [{ type: 'sayGoodbye' }] }],
          },
        },
        two: { id: 'm.a.two', type: 'atomic', on: { up: [{ target: ['#m.a'] }] } },
      },
    },
    over: { id: 'm.over', type: 'final' },
  },
});

describe('the drawing of a chart', () => {
  const { root, arrows } = drawingOf(chart, false);
  const labels = (id: string) =>
    arrows.find((arrow) => arrow.id === id)?.labels.map(({ text }) => text);

  test('has the states, with marks for the first state and for any state', () => {
    expect(partsOf(root).map(({ id, kind }) => [id, kind])).toEqual([
      ['@initial', 'initial'],
      ['@any', 'any'],
      ['a', 'box'],
      ['a@initial', 'initial'],
      ['a.one', 'state'],
      ['a.two', 'state'],
      ['over', 'final'],
    ]);
  });

  test('has one arrow for all transitions between two states', () => {
    expect(labels('a.one>over')).toEqual(['go [may]', 'leave']);
    expect(labels('a.one>a.two')).toEqual(['go [else]']);
    expect(labels('@initial>a')).toEqual([]);
  });

  test('has an arrow from any state, to the same box, and to the first state of a box', () => {
    expect(labels('@any>over')).toEqual(['stop']);
    expect(labels('a>a')).toEqual(['again']);
    expect(labels('a.two>a@initial')).toEqual(['up']);
  });

  test('says what is done if it is asked for', () => {
    const full = drawingOf(chart, true);
    expect(root.lines).toEqual([]);
    expect(full.root.lines).toEqual(['note / write']);
    expect(full.arrows.find(({ id }) => id === 'a.one>over')?.labels[1]?.text).toBe(
      'leave / sayGoodbye',
    );
  });
});

test('transitions that one actor took stay marked until it leaves where they led', () => {
  const at = (leaf: string) => occupancyOf(chart, new Map([[leaf, 1]]));
  const none = new Map<string, number>();
  const go = 'a.one|1';
  const look = (
    before: ReadonlyMap<string, number>,
    leaf: string,
    taken: string[],
    isKept = true,
  ) => marksAfter(chart, before, { taken: new Set(taken), now: at(leaf), look: 7, isKept });
  const first = look(none, 'a.two', [go]);
  expect(first).toEqual(new Map([[go, 7]]));
  expect(look(new Map([[go, 3]]), 'a.two', [])).toEqual(new Map([[go, 3]]));
  expect(look(first, 'over', [])).toEqual(none);
  expect(look(first, 'a.two', [], false)).toEqual(none);
});

test('words are wrapped at spaces, and a long one is cut in the middle', () => {
  expect(wrap('after graceMs (1.5 s) [isSilent]', 22)).toEqual([
    'after graceMs (1.5 s)',
    '[isSilent]',
  ]);
  expect(wrap('abcdefghijklmnop q', 9)).toEqual(['abcd…mnop', 'q']);
  expect(cutMiddle('abc', 3)).toBe('abc');
});

test('an arrow has round corners, and its head ends where its path ends', () => {
  const path = [
    [0, 0],
    [0, 50],
    [100, 50],
    [100, 90],
  ] as const;
  expect(linePath(path)).toBe('M0 0L0 43Q0 50 7 50L93 50Q100 50 100 57L100 83');
  expect(headPath(path)).toBe('M100 90L96.5 83L103.5 83Z');
});
