import { describe, expect, test } from '@jest/globals';
import {
  Awareness,
  applyAwarenessUpdate,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness';
import { Doc } from 'yjs';
import { changedClients, encodeAwareness } from '../../../server/agent/awareness.js';

/** An awareness of y-protocols with these clients, all of which have a state. */
function awarenessOf(clients: Record<number, unknown>): Awareness {
  const awareness = new Awareness(new Doc());
  awareness.setLocalState(null);
  for (const [client, state] of Object.entries(clients)) {
    awareness.states.set(Number(client), state as Record<string, unknown>);
    awareness.meta.set(Number(client), { clock: Number(client) % 1000, lastUpdated: 0 });
  }
  awareness.destroy();
  return awareness;
}

const clients = {
  1: {},
  127: { user: { name: 'Zoë 😀', color: '#fff' } },
  128: { cursor: null, list: [1, 2.5, true] },
  16384: { text: 'x'.repeat(70_000) },
  4294967295: { lone: '\ud800' },
  9007199254740991: { big: true },
};

describe('an encoded awareness', () => {
  test('is byte for byte what y-protocols makes of all clients', () => {
    const awareness = awarenessOf(clients);
    expect(Buffer.from(encodeAwareness(awareness) ?? [])).toEqual(
      Buffer.from(encodeAwarenessUpdate(awareness, [...awareness.states.keys()])),
    );
  });

  test('is byte for byte what y-protocols makes of some clients, and of those who left', () => {
    const awareness = awarenessOf(clients);
    removeAwarenessStates(awareness, [127], null);
    expect(Buffer.from(encodeAwareness(awareness, [127, 1]) ?? [])).toEqual(
      Buffer.from(encodeAwarenessUpdate(awareness, [127, 1])),
    );
  });

  test('is read by y-protocols', () => {
    const other = awarenessOf({});
    applyAwarenessUpdate(
      other,
      encodeAwareness(awarenessOf({ 7: { name: 'Ada' } })) ?? new Uint8Array(),
      null,
    );
    expect(other.getStates().get(7)).toEqual({ name: 'Ada' });
  });

  test('leaves out clients that the awareness does not know', () => {
    const awareness = awarenessOf({ 7: { name: 'Ada' } });
    expect(encodeAwareness(awareness, [8, 7])).toEqual(encodeAwareness(awareness, [7]));
  });

  test('is undefined if there is nobody', () => {
    expect(encodeAwareness(awarenessOf({}))).toBeUndefined();
    expect(encodeAwareness(awarenessOf(clients), [5])).toBeUndefined();
  });
});

test('an event names all clients that were added, updated or removed', () => {
  expect(changedClients({ added: [1], updated: [2, 3], removed: [4] })).toEqual([1, 2, 3, 4]);
});
