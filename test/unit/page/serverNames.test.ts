import { describe, expect, test } from '@jest/globals';
import { shortNames, toldName } from '../../../server/page/servers/serverNames.js';

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
