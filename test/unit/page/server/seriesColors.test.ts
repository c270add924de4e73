import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { legendOf } from '../../../../server/page/servers/legend.js';
import { noColor, ownPlace, SeriesColors } from '../../../../server/page/servers/seriesColors.js';
import { contrast, leastDifference, linearOf } from '../../../support/colorVision.js';

const server = (id: string, name?: string, connections: number | null = 1) => ({
  id,
  ...(name !== undefined && { name }),
  connections,
});
type Server = ReturnType<typeof server>;

const web = (number: number) => server(`10.0.0.${number}:1`, `web-${number}`);
const webs = (count: number) => Array.from({ length: count }, (_, i) => web(i + 1));

const colorsOf = (colors: SeriesColors, ...servers: Server[]) => {
  const byId = colors.of(servers);
  return servers.map(({ id }) => byId.get(id));
};

describe('the color of a server', () => {
  test('is its own for eight servers, whatever their names are', () => {
    const names = ['a', 'b', 'blue', 'c3', 'c11', 'worker', 'x-7f9c4d', 'x-8b2e1a'];
    const servers = names.map((name, i) => server(`h:${i}`, name));
    expect(new Set(colorsOf(new SeriesColors(), ...servers)).size).toBe(8);
    expect(new Set(colorsOf(new SeriesColors(), ...webs(8))).size).toBe(8);
  });

  test('stays when other servers come and go', () => {
    const colors = new SeriesColors();
    const before = colors.of(webs(8));
    for (const there of [[3], [3, 5, 9], [12, 5, 3], [1, 2, 3, 4, 5, 6, 7, 8]]) {
      const now = colors.of(there.map(web));
      for (const number of there.filter((it) => it <= 8))
        expect([number, now.get(web(number).id)]).toEqual([number, before.get(web(number).id)]);
    }
  });

  test('is the same after a reload, if the names end with numbers', () => {
    const all = new SeriesColors().of(webs(8));
    const some = [2, 7, 8].map(web);
    expect(colorsOf(new SeriesColors(), ...some)).toEqual(some.map(({ id }) => all.get(id)));
  });

  test('is never that of another server while a color is free', () => {
    const colors = new SeriesColors();
    // Of web-1 to web-8 and web-17 to web-24, each two have the same color by themselves.
    for (const there of [
      [1, 2, 3],
      [17, 2, 3],
      [1, 17, 2],
      [9, 1, 17, 25, 33],
      [33, 25, 1, 41],
    ]) {
      const shown = colorsOf(colors, ...there.map(web));
      expect([there, new Set(shown).size]).toEqual([there, there.length]);
    }
  });

  test('is not taken by a new server while one that left may return', () => {
    const colors = new SeriesColors();
    const [first] = colorsOf(colors, web(1), web(2));
    expect(colorsOf(colors, web(9), web(2))).not.toContain(first);
    expect(colorsOf(colors, web(1), web(2), web(9))[0]).toBe(first);
  });

  test('is shared evenly by more than eight, by the number in their names', () => {
    const shown = colorsOf(new SeriesColors(), ...webs(24));
    expect(shown.slice(8, 16)).toEqual(shown.slice(0, 8));
    expect(shown.slice(16)).toEqual(shown.slice(0, 8));
  });

  test('stays when it restarts on another port with the same name', () => {
    const colors = new SeriesColors();
    const [first] = colorsOf(colors, server('a:1', 'web-1'), server('a:2', 'web-2'));
    // It tells its name and its counts with its first answer.
    const starting = server('a:3', undefined, null);
    expect(colorsOf(colors, server('a:2', 'web-2'), starting)[1]).toBe(noColor);
    expect(colorsOf(colors, server('a:2', 'web-2'), server('a:3', 'web-1'))[1]).toBe(first);
  });

  test('stays while its name is unknown after a restart of the service', () => {
    const colors = new SeriesColors();
    const [, second] = colorsOf(colors, server('a:1', 'web-1'), server('a:2', 'web-2'));
    expect(colorsOf(colors, server('a:2', undefined, null))).toEqual([second]);
  });

  test('is that of its name, not that of the server that had its address before', () => {
    const colors = new SeriesColors();
    const shown = ['web-1', 'web-2', 'a:1'].flatMap((name) =>
      colorsOf(colors, server('a:1', name)),
    );
    expect(new Set(shown).size).toBe(3);
  });

  test('is kept for servers that are there, however many were there before', () => {
    const colors = new SeriesColors();
    const stays = web(2);
    const [color] = colorsOf(colors, stays);
    const passing = Array.from({ length: 11_000 }, (_, i) => server(`b:${i}`));
    expect(colorsOf(colors, ...passing, stays).at(-1)).toBe(color);
    expect(colorsOf(colors, stays)).toEqual([color]);
  });

  test('of a name is a number from 0 to 7', () => {
    for (const key of ['', 'name ', 'name 9'.padEnd(40, '9'), 'name \ud800'])
      expect(ownPlace(key)).toBe(ownPlace(key) & 7);
  });
});

test('the legend has each color once, with the first servers that have it', () => {
  const looks = ['web-1 a', 'web-2 b', 'web-3 a', 'web-4 a', 'web-5 a'].map((text) => {
    const [shortName = '', color = ''] = text.split(' ');
    return { shortName, color };
  });
  expect(legendOf(looks)).toEqual([
    { color: 'a', names: ['web-1', 'web-3'], more: 2 },
    { color: 'b', names: ['web-2'], more: 0 },
  ]);
});

describe('the colors of the style sheet', () => {
  const css = readFileSync(new URL('../../../../server/page/styles.css', import.meta.url), 'utf8');
  const values = (name: string) =>
    [...css.matchAll(new RegExp(`--${name}: (#[0-9a-f]{6})`, 'g'))].map(([, value = '']) => value);
  const surfaces = values('surface');
  const series = Array.from({ length: 8 }, (_, i) => values(`series-${i + 1}`));
  const schemes = [0, 1].map((scheme) => ({
    surface: surfaces[scheme] ?? '',
    colors: series.map((both) => both[scheme] ?? ''),
  }));

  test.each(schemes)('are seen on $surface', ({ surface, colors }) => {
    for (const color of colors)
      expect(contrast(linearOf(color), linearOf(surface))).toBeGreaterThanOrEqual(3);
  });

  test.each(schemes)('are told apart without one kind of cones, on $surface', ({ colors }) => {
    expect(leastDifference(colors.map(linearOf))).toBeGreaterThan(0.06);
  });
});
