import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { findRooms } from '../../../server/page/keys/findRooms.js';
import { KeySequences } from '../../../server/page/keys/keySequences.js';
import { bestMatches, scoreOf } from '../../../server/page/keys/matching.js';
import { isPlain, opensPalette, sequences } from '../../../server/page/keys/shortcuts.js';
import { newRoom } from '../../../server/page/model/room.js';
import { Calm } from '../../../server/page/ui/calm.js';

describe('key sequences', () => {
  const pressed = (keys: readonly (readonly [string, number])[]) => {
    const known = new KeySequences(['/', 'g r', 'g s']);
    return keys.map(([key, atMs]) => known.press(key, atMs));
  };

  test.each([
    [[['/', 0]], ['/']],
    [
      [
        ['g', 0],
        ['r', 900],
      ],
      [undefined, 'g r'],
    ],
    // Too late.
    [
      [
        ['g', 0],
        ['r', 1600],
      ],
      [undefined, undefined],
    ],
    // The second begins anew.
    [
      [
        ['g', 0],
        ['g', 100],
        ['s', 200],
      ],
      [undefined, undefined, 'g s'],
    ],
    [
      [
        ['g', 0],
        ['/', 100],
      ],
      [undefined, '/'],
    ],
    [
      [
        ['g', 0],
        ['x', 100],
        ['r', 200],
      ],
      [undefined, undefined, undefined],
    ],
  ] as const)('%j', (keys, shortcuts) => {
    expect(pressed(keys)).toEqual(shortcuts);
  });

  const key = (named: string, held: object = {}) => ({
    key: named,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    shiftKey: false,
    isComposing: false,
    repeat: false,
    ...held,
  });

  test('the palette opens with Ctrl or with ⌘, and with nothing else', () => {
    expect(opensPalette(key('k', { ctrlKey: true }))).toBe(true);
    expect(opensPalette(key('K', { metaKey: true }))).toBe(true);
    for (const held of [{}, { ctrlKey: true, shiftKey: true }, { ctrlKey: true, altKey: true }])
      expect(opensPalette(key('k', held))).toBe(false);
  });

  test('keys that are held with others, or belong to an input method, are no shortcuts', () => {
    expect(isPlain(key('/', { shiftKey: true }))).toBe(true);
    for (const held of ['ctrlKey', 'metaKey', 'altKey', 'isComposing', 'repeat'])
      expect([held, isPlain(key('/', { [held]: true }))]).toEqual([held, false]);
  });

  test('every view has a key', () => {
    const known = sequences();
    for (const letter of 'orsac') {
      known.press('g', 0);
      expect(known.press(letter, 1)).toBe(`g ${letter}`);
    }
  });
});

describe('matching', () => {
  const best = (entries: string[], typed: string) =>
    bestMatches(entries, typed, { textOf: (entry) => entry, count: 3 });

  test('has whole words first, then beginnings, then the inside, then scattered letters', () => {
    const entries = ['overstock', 'my-stock', 'stock', 'stocks', 'static clock'];
    expect(best(entries, 'stock')).toEqual(['stock', 'my-stock', 'stocks']);
    expect(best(['a-7/doc 82', 'a-8/doc 7'], 'a 8 doc')[0]).toBe('a-8/doc 7');
    expect(best(['Rooms', 'Overview', 'Servers'], 'ovw')).toEqual(['Overview']);
  });

  test('needs every word, in any order and case', () => {
    const entries = ['workspace-8/Plan', 'workspace-9/plan', 'plan b'];
    expect(best(entries, 'PLAN 8')).toEqual(['workspace-8/Plan']);
    expect(best(entries, 'plan nothing')).toEqual([]);
    expect(scoreOf('anything', '  ')).toBeDefined();
  });

  test('finds the busiest rooms among those that fit equally well, by shown and raw names', () => {
    const rooms = ['a%20b 1', 'a%20b 2', 'c'].map(newRoom);
    expect(findRooms(rooms, 'a b', 8).map(({ name }) => name)).toEqual(['a%20b 1', 'a%20b 2']);
    expect(findRooms(rooms, '%20', 1).map(({ name }) => name)).toEqual(['a%20b 1']);
    expect(findRooms(rooms, ' ', 8)).toEqual([]);
  });

  test('ends after some milliseconds, with what it has found', () => {
    const rooms = Array.from({ length: 5000 }, (_, i) => newRoom(i === 0 ? 'first' : `${i}`));
    let nowMs = 0;
    const found = findRooms(rooms, 'first', 8, () => {
      nowMs += 10;
      return nowMs;
    });
    expect(found.map(({ name }) => name)).toEqual(['first']);
    expect(nowMs).toBeLessThan(50);
  });
});

describe('calm numbers', () => {
  test('a change is shown where few numbers change, and none where many do', () => {
    const calm = new Calm();
    const at = (from: number, to: number, stepMs: number) => {
      const shown: boolean[] = [];
      for (let nowMs = from; nowMs < to; nowMs += stepMs) shown.push(calm.note(nowMs));
      return shown;
    };
    expect(at(0, 10_000, 500)).not.toContain(false);
    // 200 changes a second.
    expect(at(10_000, 12_000, 5).slice(8)).not.toContain(true);
    // Later it is calm again.
    expect(calm.note(20_000)).toBe(true);
  });
});

test('the dark colors are the same by the system and by choice', () => {
  const css = readFileSync(join(import.meta.dirname, '../../../server/page/styles.css'), 'utf8');
  const block = (from: string) => {
    const begin = css.indexOf(from) + from.length;
    const lines = css.slice(begin, css.indexOf('}', begin)).split('\n');
    return lines.map((line) => line.trim()).filter((line) => line.startsWith('--'));
  };
  const bySystem = block(':root:not([data-theme="light"]) {');
  expect(bySystem.length).toBeGreaterThan(20);
  expect(block(':root[data-theme="dark"] {')).toEqual(bySystem);
});
