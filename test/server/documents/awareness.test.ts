import { describe, expect, test } from '@jest/globals';
import * as encoding from 'lib0/encoding';
import { Awareness, encodeAwarenessUpdate, outdatedTimeout } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { AwarenessStates } from '../../../server/documents/awareness.js';
import { edited } from './support.js';

type Said = [client: number, clock: number, state: unknown];

const updateOf = (...said: Said[]): Uint8Array => {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, said.length);
  for (const [client, clock, state] of said) {
    encoding.writeVarUint(encoder, client);
    encoding.writeVarUint(encoder, clock);
    encoding.writeVarString(encoder, JSON.stringify(state));
  }
  return encoding.toUint8Array(encoder);
};

const clock = () => {
  let nowMs = 1_000;
  return { now: () => nowMs, pass: (ms: number) => (nowMs += ms) };
};
const changed = (change: object) => ({ added: [], updated: [], removed: [], ...change });

describe('awareness states', () => {
  test('are those that real clients announce', () => {
    const states = new AwarenessStates({ now: clock().now });
    const doc = new Y.Doc();
    const client = new Awareness(doc);
    const say = () => states.apply(encodeAwarenessUpdate(client, [doc.clientID]));
    client.setLocalStateField('user', { name: 'Ada' });
    expect(say()).toEqual(changed({ added: [doc.clientID] }));
    client.setLocalStateField('cursor', 3);
    expect(say()).toEqual(changed({ updated: [doc.clientID] }));
    expect(states.states()).toEqual([
      { client: doc.clientID, clock: 2, state: { user: { name: 'Ada' }, cursor: 3 } },
    ]);
    client.setLocalState(null);
    expect(say()).toEqual(changed({ removed: [doc.clientID] }));
    expect(states.states()).toEqual([]);
    client.destroy();
  });

  test('take a newer clock only, and a removal of the same clock', () => {
    const states = new AwarenessStates({ now: clock().now });
    states.apply(updateOf([1, 5, { a: 1 }]));
    expect(states.apply(updateOf([1, 5, { a: 2 }]))).toEqual(changed({}));
    expect(states.apply(updateOf([1, 4, null]))).toEqual(changed({}));
    expect(states.states()).toEqual([{ client: 1, clock: 5, state: { a: 1 } }]);
    expect(states.apply(updateOf([1, 5, null]))).toEqual(changed({ removed: [1] }));
    expect(states.apply(updateOf([1, 5, { late: true }]))).toEqual(changed({}));
    expect(states.apply(updateOf([1, 6, { back: true }]))).toEqual(changed({ added: [1] }));
  });

  test('go 30 seconds after their last renewal, which is no change by itself', () => {
    const { now, pass } = clock();
    const states = new AwarenessStates({ now });
    expect(states.nextExpiryAt()).toBeUndefined();
    states.apply(updateOf([1, 1, { a: 1 }], [2, 1, {}]));
    pass(15_000);
    expect(states.apply(updateOf([1, 2, { a: 1 }]))).toEqual(changed({}));
    expect(states.nextExpiryAt()).toBe(1_000 + outdatedTimeout);
    pass(14_999);
    expect(states.expire()).toEqual([]);
    pass(1);
    expect(states.expire()).toEqual([2]);
    expect(states.states().map(({ client }) => client)).toEqual([1]);
    expect(states.nextExpiryAt()).toBe(46_000);
    // What was announced before does not bring it back.
    expect(states.apply(updateOf([2, 1, {}]))).toEqual(changed({}));
    pass(15_000);
    expect(states.expire()).toEqual([1]);
  });

  test.each([
    ['nothing', Uint8Array.of()],
    ['bytes after the end', Uint8Array.of(0, 1)],
    ['a state that is not JSON', Uint8Array.of(1, 1, 1, 1, 123)],
    ['a state that is not UTF-8', Uint8Array.of(1, 1, 1, 1, 255)],
    ['a document update', edited((doc) => doc.getText('t').insert(0, 'a')).state],
    ['a truncated update', updateOf([1, 1, { a: 1 }], [2, 1, {}]).slice(0, -1)],
    ['a state nested too deep', updateOf([1, 1, JSON.parse('['.repeat(200) + ']'.repeat(200))])],
    ['more than all states may have', updateOf([1, 1, 'a'.repeat(2_000)])],
  ])('count %s as garbage, and are not changed by it', (_what, update) => {
    const states = new AwarenessStates({ now: clock().now, maxBytes: 1_000 });
    states.apply(updateOf([1, 1, { kept: true }]));
    const before = states.states();
    expect(states.apply(update)).toBeUndefined();
    expect(states.garbage).toBe(1);
    expect(states.states()).toEqual(before);
  });

  test('are bounded in number, what left included', () => {
    const states = new AwarenessStates({ now: clock().now, maxClients: 10 });
    for (let client = 1; client <= 1_000; client += 1) states.apply(updateOf([client, 1, {}]));
    expect(states.states()).toHaveLength(10);
    expect(states.refused).toBe(990);
    expect(states.apply(updateOf([1, 2, null]))).toEqual(changed({ removed: [1] }));
    expect(states.apply(updateOf([999, 2, {}]))).toEqual(changed({ added: [999] }));
  });

  test('are bounded in bytes; one that no longer fits goes rather than stay as it was', () => {
    const states = new AwarenessStates({ now: clock().now, maxBytes: 100 });
    states.apply(updateOf([1, 1, 'a'.repeat(40)], [2, 1, 'b'.repeat(40)]));
    expect(states.apply(updateOf([1, 2, 'c'.repeat(70)]))).toEqual(changed({ removed: [1] }));
    expect(states.refused).toBe(1);
    expect(states.states()).toEqual([{ client: 2, clock: 1, state: 'b'.repeat(40) }]);
    expect(states.apply(updateOf([1, 3, 'a'.repeat(40)]))).toEqual(changed({ added: [1] }));
  });

  test('keep a state named __proto__ as data', () => {
    const states = new AwarenessStates({ now: clock().now });
    const encoder = encoding.createEncoder();
    for (const number of [1, 1, 1]) encoding.writeVarUint(encoder, number);
    encoding.writeVarString(encoder, '{"__proto__":{"polluted":true}}');
    states.apply(encoding.toUint8Array(encoder));
    expect(JSON.stringify(states.states()[0]?.state)).toBe('{"__proto__":{"polluted":true}}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
