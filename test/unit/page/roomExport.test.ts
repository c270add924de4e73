import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { newRoom } from '../../../server/page/model/room.js';
import { csvField, csvParts, frozen, jsonParts } from '../../../server/page/model/roomExport.js';
import { sortedByHere } from '../../../server/page/rooms/hereOrder.js';
import {
  direction,
  type ListSettings,
  onServer,
  readSettings,
  sortedBy,
  writeSettings,
} from '../../../server/page/rooms/listSettings.js';

describe('an export', () => {
  test.each([
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    ['=HYPERLINK("http://x")', '"\'=HYPERLINK(""http://x"")"'],
    ['+1', '"\'+1"'],
    ['-1', '"\'-1"'],
    ['@SUM(A1)', '"\'@SUM(A1)"'],
    ['\t=1', '"\'\t=1"'],
    ['  =1', '"\'  =1"'],
    ['＝1', '"\'＝1"'],
    ['a=b', 'a=b'],
    ['', ''],
  ])('writes %j as %s in CSV', (text, field) => {
    expect(csvField(text)).toBe(field);
  });

  test('no field of a CSV file begins like a formula, and each is one field', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const field = csvField(text);
        const content = field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field;
        expect(content).not.toMatch(/^\s*[=+\-@]/);
        expect(content.replace(/^'/, '')).toBe(text.replace(/^'/, ''));
        if (!field.startsWith('"')) expect(field).not.toMatch(/[",\r\n]/);
      }),
    );
  });

  const rooms = Array.from({ length: 5000 }, (_, i) => ({ name: `r%20${i}`, connections: i }));

  test('has the counts of one moment, in parts', () => {
    const copy = frozen(rooms.slice(0, 2));
    const [first] = rooms;
    if (first) first.connections = 99;
    expect([...csvParts(copy)].join('')).toBe(
      'room,raw name,connections\r\nr 0,r%200,0\r\nr 1,r%201,1\r\n',
    );
    if (first) first.connections = 0;
    expect([...csvParts(frozen(rooms))].length).toBeGreaterThan(3);
  });

  test('is JSON with raw names', () => {
    const facts = { at: '2026-01-01T00:00:00.000Z', isComplete: false };
    const text = [...jsonParts(frozen(rooms), facts)].join('');
    const read = JSON.parse(text);
    expect(read).toMatchObject({ at: facts.at, complete: false });
    expect(read.rooms).toHaveLength(5000);
    expect(read.rooms[4999]).toEqual({ room: 'r%204999', connections: 4999 });
    const none = [...jsonParts(frozen([]), facts)].join('');
    expect(JSON.parse(none).rooms).toEqual([]);
  });
});

describe('the settings of the list', () => {
  const written = (settings: ListSettings) => {
    const query = Object.entries(writeSettings(settings)).flatMap(([name, value]) =>
      value ? [[name, value] as [string, string]] : [],
    );
    return readSettings(new URLSearchParams(query));
  };

  test('are in the address as they are', () => {
    const usual = readSettings(new URLSearchParams());
    expect(usual).toEqual({
      query: '',
      prefix: '',
      server: '',
      show: 'connected',
      order: 'connections',
      isReversed: false,
      top: Number.POSITIVE_INFINITY,
    });
    expect(Object.values(writeSettings(usual)).filter(Boolean)).toEqual([]);
    const settings = {
      query: 'a b',
      prefix: 'w/8:',
      server: 'web-1:80',
      show: 'connected',
      order: 'name',
      isReversed: true,
      top: 50,
    } as const;
    expect(written(settings)).toEqual(settings);
    const nonsense = 'show=x&sort=y&top=-1&dir=z';
    expect(readSettings(new URLSearchParams(nonsense))).toEqual(usual);
  });

  test('the rooms of a server begin with the most connections on it', () => {
    const usual = readSettings(new URLSearchParams());
    const narrowed = written({ ...usual, ...onServer('web-1:80') });
    expect(narrowed).toEqual({ ...usual, server: 'web-1:80', order: 'here' });
    expect(written({ ...narrowed, ...onServer('') })).toEqual(usual);
    // Without a server there is no such order.
    expect(readSettings(new URLSearchParams('sort=here'))).toEqual(usual);

    const [a, b, c] = [newRoom('a'), newRoom('b'), newRoom('c')];
    const here = new Map([
      ['b', 2],
      ['c', 5],
    ]);
    expect(sortedByHere([a, b, c], here)).toEqual([c, b, a]);
  });

  test('a column is sorted the usual way first, and then the other', () => {
    let settings = readSettings(new URLSearchParams());
    const click = (order: 'name' | 'connections') => {
      settings = { ...settings, ...sortedBy(settings, order) };
      return `${settings.order} ${direction(settings)}`;
    };
    expect([click('connections'), click('name'), click('name'), click('name')]).toEqual([
      'connections ascending',
      'name ascending',
      'name descending',
      'name ascending',
    ]);
    expect(click('connections')).toBe('connections descending');
  });
});
