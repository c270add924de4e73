import { describe, expect, test } from '@jest/globals';
import * as encoding from 'lib0/encoding';
import { Awareness, encodeAwarenessUpdate, outdatedTimeout } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { AwarenessStates } from '../../../server/documents/awareness.js';
import { soleClientOf } from '../../../server/documents/awarenessUpdate.js';
import { RoomAwareness } from '../../../server/documents/roomAwareness.js';
import { awarenessUpdate as updateOf } from '../../system/rooms/support/awareness.js';
import { edited } from './support.js';

/** The states that are shown, by client. */
const shownBy = (states: AwarenessStates) =>
  states.clients().map(({ client, clock, json }) => ({
    client,
    clock,
    state: json === undefined ? undefined : JSON.parse(json),
  }));

/** What changed since the last call, by client. */
const changesOf = (states: AwarenessStates) => {
  const { clients, gone } = states.takeChanges();
  return { clients: clients.map(({ client }) => client), gone };
};

describe('awareness states', () => {
  test('are those that real clients send', () => {
    const states = new AwarenessStates();
    const doc = new Y.Doc();
    const client = new Awareness(doc);
    const say = () => {
      expect(states.apply(encodeAwarenessUpdate(client, [doc.clientID]), 0)).toBe(true);
      return changesOf(states);
    };
    client.setLocalStateField('user', { name: 'Ada' });
    expect(say()).toEqual({ clients: [doc.clientID], gone: [] });
    client.setLocalStateField('cursor', 3);
    expect(say()).toEqual({ clients: [doc.clientID], gone: [] });
    expect(shownBy(states)).toEqual([
      { client: doc.clientID, clock: 2, state: { user: { name: 'Ada' }, cursor: 3 } },
    ]);
    client.setLocalState(null);
    expect(say()).toEqual({ clients: [], gone: [doc.clientID] });
    expect(shownBy(states)).toEqual([]);
    client.destroy();
  });

  test('accept a newer clock, and a removal with the same clock', () => {
    const states = new AwarenessStates();
    const say = (...said: Parameters<typeof updateOf>) => {
      states.apply(updateOf(...said), 0);
      return changesOf(states);
    };
    say([1, 5, { a: 1 }]);
    expect(say([1, 5, { a: 2 }])).toEqual({ clients: [], gone: [] });
    expect(say([1, 4, null])).toEqual({ clients: [], gone: [] });
    expect(shownBy(states)).toEqual([{ client: 1, clock: 5, state: { a: 1 } }]);
    expect(say([1, 5, null])).toEqual({ clients: [], gone: [1] });
    expect(say([1, 5, { late: true }])).toEqual({ clients: [], gone: [] });
    expect(say([1, 6, { back: true }])).toEqual({ clients: [1], gone: [] });
  });

  test('expire 30 seconds after the last renewal, and a renewal is no change', () => {
    const states = new AwarenessStates();
    expect(states.nextExpiryAt()).toBeUndefined();
    states.apply(updateOf([1, 1, { a: 1 }], [2, 1, {}]), 1_000);
    changesOf(states);
    states.apply(updateOf([1, 2, { a: 1 }]), 16_000);
    expect(states.hasChanged).toBe(false);
    expect(states.nextExpiryAt()).toBe(1_000 + outdatedTimeout);
    states.expire(30_999);
    expect(states.hasChanged).toBe(false);
    states.expire(31_000);
    expect(changesOf(states)).toEqual({ clients: [], gone: [2] });
    expect(shownBy(states).map(({ client }) => client)).toEqual([1]);
    expect(states.nextExpiryAt()).toBe(46_000);
    // An older update does not bring it back.
    states.apply(updateOf([2, 1, {}]), 32_000);
    expect(changesOf(states)).toEqual({ clients: [], gone: [] });
    states.expire(46_000);
    expect(changesOf(states)).toEqual({ clients: [], gone: [1] });
  });

  test.each([
    ['nothing', Uint8Array.of()],
    ['bytes after the end', Uint8Array.of(0, 1)],
    ['a state that is not JSON', Uint8Array.of(1, 1, 1, 1, 123)],
    ['a state that is not UTF-8', Uint8Array.of(1, 1, 1, 1, 255)],
    ['a document update', edited((doc) => doc.getText('t').insert(0, 'a')).state],
    ['a truncated update', updateOf([1, 1, { a: 1 }], [2, 1, {}]).slice(0, -1)],
    ['more clients than anybody sends', Uint8Array.of(255, 255, 255, 15)],
  ])('are not changed by %s', (_what, update) => {
    const states = new AwarenessStates();
    states.apply(updateOf([1, 1, { kept: true }]), 0);
    const before = shownBy(states);
    expect(states.apply(update, 0)).toBe(false);
    expect(shownBy(states)).toEqual(before);
  });

  test('of clients over the limit are counted, and shown when others leave', () => {
    const states = new AwarenessStates({ maxClients: 10, maxCounted: 100 });
    for (let client = 1; client <= 60; client += 1) states.apply(updateOf([client, 1, {}]), client);
    expect([shownBy(states).length, states.leftOut]).toEqual([10, 50]);
    changesOf(states);
    states.apply(updateOf([60, 2, {}]), 61);
    expect([states.leftOut, changesOf(states)]).toEqual([50, { clients: [], gone: [] }]);
    states.apply(updateOf([1, 2, null], [59, 2, null]), 62);
    expect([states.leftOut, changesOf(states)]).toEqual([49, { clients: [], gone: [1] }]);
    states.apply(updateOf([60, 3, {}]), 63);
    expect([states.leftOut, changesOf(states)]).toEqual([48, { clients: [60], gone: [] }]);
    // No client renews its state: all expire.
    states.expire(63 + outdatedTimeout);
    expect([shownBy(states).length, states.leftOut]).toEqual([0, 0]);
    for (let client = 100; client <= 1_000; client += 1)
      states.apply(updateOf([client, 1, {}]), 100_000);
    expect([shownBy(states).length, states.leftOut]).toEqual([10, 100]);
  });

  test('over the limits of bytes are left out, and their clients stay', () => {
    const states = new AwarenessStates({ maxStateBytes: 50, maxBytes: 100 });
    states.apply(
      updateOf([1, 1, 'a'.repeat(40)], [2, 1, 'b'.repeat(40)], [3, 1, 'c'.repeat(40)]),
      0,
    );
    expect(states.clients()).toMatchObject([
      { client: 1, json: `"${'a'.repeat(40)}"` },
      { client: 2 },
      { client: 3, json: undefined, omitted: 'too_large', bytes: 42 },
    ]);
    changesOf(states);
    states.apply(updateOf([1, 2, 'grown '.repeat(10)]), 0);
    expect(changesOf(states)).toEqual({ clients: [1], gone: [] });
    expect(states.clients()[0]).toMatchObject({ json: undefined, omitted: 'too_large', bytes: 62 });
    // Its bytes are free for others.
    states.apply(updateOf([3, 2, 'c'.repeat(40)]), 0);
    expect(states.clients()[2]).toMatchObject({ json: `"${'c'.repeat(40)}"` });
    states.apply(updateOf([1, 3, 'small']), 0);
    expect(states.clients()[0]).toMatchObject({ json: '"small"' });
    states.applyTooLarge(2, 2, 5_000_000, 0);
    expect(states.clients()[1]).toMatchObject({ omitted: 'too_large', bytes: 5_000_000 });
  });

  test('nested too deep are left out, and their clients stay', () => {
    const states = new AwarenessStates();
    states.apply(updateOf([1, 1, {}], [2, 1, JSON.parse('['.repeat(200) + ']'.repeat(200))]), 0);
    expect(states.clients()).toMatchObject([
      { client: 1, json: '{}' },
      { client: 2, json: undefined, omitted: 'too_deep', bytes: 400 },
    ]);
  });

  test('tell since when a client is there: not since its last change, but since it came back', () => {
    const states = new AwarenessStates({ maxClients: 1 });
    const sinceOf = () => states.clients().map(({ client, since }) => [client, since]);
    states.apply(updateOf([1, 1, { a: 1 }]), 1000);
    states.apply(updateOf([2, 1, {}]), 1500);
    states.apply(updateOf([1, 2, { a: 2 }]), 2000);
    expect(sinceOf()).toEqual([[1, 1000]]);
    states.apply(updateOf([1, 3, null]), 3000);
    // It was only counted until there was a place.
    states.apply(updateOf([2, 2, {}]), 4000);
    expect(sinceOf()).toEqual([[2, 1500]]);
    states.apply(updateOf([2, 3, null]), 5000);
    states.apply(updateOf([1, 4, { back: true }]), 6000);
    expect(sinceOf()).toEqual([[1, 6000]]);
  });

  test('keep a state named __proto__ as data', () => {
    const states = new AwarenessStates();
    states.apply(rawUpdate(1, '{"__proto__":{"polluted":true}}'), 0);
    expect(states.clients()[0]?.json).toBe('{"__proto__":{"polluted":true}}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

/** An announcement whose JSON is written by hand. */
const rawUpdate = (client: number, json: string): Uint8Array => {
  const encoder = encoding.createEncoder();
  for (const number of [1, client, 1]) encoding.writeVarUint(encoder, number);
  encoding.writeVarString(encoder, json);
  return encoding.toUint8Array(encoder);
};

test('a state with line ends in its JSON does not break its frame', () => {
  const room = new RoomAwareness();
  const updates = new Uint8Array(rawUpdate(1, ' {\n"a":\r\n[1,\r2]}\n'));
  const { whole, changes } = room.answer({
    updates,
    lengths: [updates.length],
    tooLarge: [],
    now: 5000,
    wallMs: Date.parse('2026-01-01T12:00:00.000Z'),
    dropped: 0,
    since: null,
    isFlush: true,
    isEncoded: true,
    isWhole: true,
  });
  const people =
    '"clients":[{"client":1,"clock":1,"since":"2026-01-01T12:00:00.000Z","state":{"a":[1,2]}}]';
  const about = '"leftOut":0,"dropped":0,"since":null';
  expect(String(Buffer.from(whole ?? []))).toBe(`event: awareness\ndata: {${people},${about}}\n\n`);
  expect(String(Buffer.from(changes ?? []))).toBe(
    `event: awareness-changes\ndata: {${people},"gone":[],${about}}\n\n`,
  );
});

test('the client of an update is read without its state', () => {
  expect(soleClientOf(updateOf([300, 5, { a: 1 }]))).toEqual({ client: 300, clock: 5 });
  for (const update of [
    updateOf([1, 1, {}], [2, 1, {}]),
    updateOf(),
    updateOf([1, 1, {}]).slice(0, -1),
    new Uint8Array(0),
    new Uint8Array(20).fill(255),
  ])
    expect(soleClientOf(update)).toBeUndefined();
});
