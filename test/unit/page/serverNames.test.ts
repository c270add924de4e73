import { describe, expect, test } from '@jest/globals';
import { noColor, SeriesColors } from '../../../server/page/servers/seriesColors.js';
import { shortNames, toldName } from '../../../server/page/servers/serverNames.js';

const series = (number: number) => `var(--series-${number})`;

describe('the short name of a server', () => {
  const named = (servers: Record<string, string | undefined>) =>
    Object.values(
      Object.fromEntries(
        shortNames(Object.entries(servers).map(([id, name]) => ({ id, ...(name && { name }) }))),
      ),
    );

  test('is its name', () => {
    expect(named({ 'a:1': 'web-1', 'a:2': 'web-2' })).toEqual(['web-1', 'web-2']);
  });

  test.each([
    ['one server', ['a:1'], ['a:1']],
    ['one host', ['a:1', 'a:2'], [':1', ':2']],
    ['one port', ['a:1', 'b:1'], ['a', 'b']],
    ['several of both', ['a:1', 'b:2'], ['a:1', 'b:2']],
  ])('without a name is the part of its address that differs: %s', (_, ids, shown) => {
    expect(named(Object.fromEntries(ids.map((id) => [id, undefined])))).toEqual(shown);
  });

  test('is followed by its address if others have the same name', () => {
    const servers = { 'a:1': 'web', 'a:2': 'web', 'a:3': 'worker', 'a:4': undefined };
    expect(named(servers)).toEqual(['web :1', 'web :2', 'worker', ':4']);
    expect(named({ 'a:1': 'web', 'b:2': ' web' })).toEqual(['web a:1', 'web b:2']);
  });

  test('is followed by its address if it is the address of another server', () => {
    expect(named({ 'a:1': ':2', 'a:2': undefined })).toEqual([':2 :1', ':2']);
  });

  test('spells out invisible characters, and is never empty', () => {
    expect(toldName('web\u202e-1')).toBe('web\\u{202e}-1');
    expect(named({ 'a:1': '  ', 'a:2': 'web' })).toEqual([':1', 'web']);
  });
});

describe('the color of a server', () => {
  const server = (id: string, name?: string, connections: number | null = 1) => ({
    id,
    ...(name !== undefined && { name }),
    connections,
  });
  const colorsOf = (colors: SeriesColors, ...servers: ReturnType<typeof server>[]) => {
    const byId = colors.of(servers);
    return servers.map(({ id }) => byId.get(id));
  };

  test('stays when other servers come and go', () => {
    const colors = new SeriesColors();
    expect(colorsOf(colors, server('b:1'), server('b:2'))).toEqual([series(1), series(2)]);
    expect(colorsOf(colors, server('b:2'))).toEqual([series(2)]);
    expect(colorsOf(colors, server('a:1'), server('b:2'))).toEqual([series(3), series(2)]);
    expect(colorsOf(colors, server('b:1'), server('b:2'))).toEqual([series(1), series(2)]);
  });

  test('stays when it restarts on another port with the same name', () => {
    const colors = new SeriesColors();
    colorsOf(colors, server('a:1', 'web-1'), server('a:2', 'web-2'));
    expect(colorsOf(colors, server('a:2', 'web-2'))).toEqual([series(2)]);
    // It tells its name and its counts with its first answer.
    const starting = server('a:3', undefined, null);
    expect(colorsOf(colors, server('a:2', 'web-2'), starting)).toEqual([series(2), noColor]);
    expect(colorsOf(colors, server('a:2', 'web-2'), server('a:3', 'web-1'))).toEqual([
      series(2),
      series(1),
    ]);
    expect(colorsOf(colors, server('b:1'))).toEqual([series(3)]);
  });

  test('stays while its name is unknown after a restart of the service', () => {
    const colors = new SeriesColors();
    colorsOf(colors, server('a:1', 'web-1'), server('a:2', 'web-2'));
    expect(colorsOf(colors, server('a:2', undefined, null))).toEqual([series(2)]);
  });

  test('is that of its name, not that of the server that had its address before', () => {
    const colors = new SeriesColors();
    colorsOf(colors, server('a:1', 'web-1'));
    expect(colorsOf(colors, server('a:1', 'web-2'))).toEqual([series(2)]);
    expect(colorsOf(colors, server('a:1', 'a:1'))).toEqual([series(3)]);
  });

  test('is its own for the first eight, and shared in order by later ones', () => {
    const servers = Array.from({ length: 10 }, (_, i) => server(`a:${i}`, `web-${i}`));
    const wanted = [1, 2, 3, 4, 5, 6, 7, 8, 1, 2].map(series);
    expect(colorsOf(new SeriesColors(), ...servers)).toEqual(wanted);
  });

  test('is kept for servers that are there, however many were there before', () => {
    const colors = new SeriesColors();
    colorsOf(colors, server('a:1', 'web-1'), server('a:2', 'web-2'));
    const stays = server('a:2', 'web-2');
    const passing = Array.from({ length: 11_000 }, (_, i) => server(`b:${i}`));
    expect(colorsOf(colors, ...passing, stays).at(-1)).toBe(series(2));
    expect(colorsOf(colors, stays)).toEqual([series(2)]);
    // 11,002 places are taken: the forgotten server gets the next.
    expect(colorsOf(colors, server('a:1', 'web-1'))).toEqual([series((11_002 % 8) + 1)]);
  });
});
