import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { fragmentOf, routeOf, splitFragment } from '../../../server/page/address.js';

const routeAt = (hash: string) => routeOf(splitFragment(hash).path);

describe('the address of a view', () => {
  test.each([
    ['', { view: 'overview' }],
    ['#', { view: 'overview' }],
    ['#/', { view: 'overview' }],
    ['#/rooms?q=a', { view: 'rooms' }],
    ['#/servers', { view: 'servers' }],
    ['#/activity?kind=room.diverged', { view: 'activity' }],
    ['#/server/web-1%3A8080', { view: 'server', id: 'web-1:8080' }],
    ['#/server/[::1]:80?x=1', { view: 'server', id: '[::1]:80' }],
    ['#/room/a%2Fb', { view: 'room', name: 'a/b' }],
    // People type addresses.
    ['#/room/100%', { view: 'room', name: '100%' }],
    ['#/room/a?b=c', { view: 'room', name: 'a?b=c' }],
    ['#/nonsense', { view: 'unknown' }],
  ])('%j', (hash, route) => {
    expect(routeAt(hash)).toEqual(route);
  });

  test('keeps any query, without empty values', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (q, prefix) => {
        const { path, query } = splitFragment(fragmentOf('rooms', { q, prefix, none: undefined }));
        expect(path).toBe('rooms');
        const read = Object.fromEntries(new URLSearchParams(query));
        expect(read).toEqual({ ...(q && { q }), ...(prefix && { prefix }) });
      }),
    );
    expect(fragmentOf('rooms', { q: '' })).toBe('#/rooms');
  });
});
