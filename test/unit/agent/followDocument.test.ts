import { afterEach, expect, test } from '@jest/globals';
import { Awareness, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness';
import { Doc } from 'yjs';
import { followDocument } from '../../../server/agent/followDocument.js';

let made: Awareness[] = [];
afterEach(() => {
  for (const awareness of made) awareness.destroy();
  made = [];
});

/** A document that is followed, and what the agent is told of it. */
function followed({ isWatched = true } = {}) {
  const plain = new Doc();
  const doc = Object.assign(plain, { awareness: new Awareness(plain) });
  made.push(doc.awareness);
  const told: [kind: string, room: string, update: Buffer][] = [];
  const tell = (kind: string) => (room: string, update: Uint8Array) =>
    told.push([kind, room, Buffer.from(update)]);
  const end = followDocument('notes', doc, {
    agent: {
      updated: tell('updated'),
      awarenessUpdated: tell('awarenessUpdated'),
      isWatched: () => isWatched,
    },
    isRemote: (origin) => origin !== 'a connection',
  });
  return { doc, awareness: doc.awareness, told, end };
}

test('an update is told, unless it came from another server', () => {
  const { doc, told } = followed();
  doc.transact(() => doc.getText().insert(0, 'a'), 'redis');
  let update: Uint8Array | undefined;
  doc.once('update', (it: Uint8Array) => {
    update = it;
  });
  doc.transact(() => doc.getText().insert(0, 'b'), 'a connection');
  expect(told).toEqual([['updated', 'notes', Buffer.from(update ?? [])]]);
});

test('a change of awareness is told as y-protocols would encode it', () => {
  const { awareness, told } = followed();
  awareness.setLocalState({ name: 'Ada' });
  const update = encodeAwarenessUpdate(awareness, [awareness.clientID]);
  expect(told).toEqual([['awarenessUpdated', 'notes', Buffer.from(update)]]);
});

test.each(['redis', null, 'timeout', 'a connection'])(
  'a client that left is told, unless another server tells it (origin %s)',
  (origin) => {
    const { awareness, told } = followed();
    awareness.setLocalState({ name: 'Ada' });
    told.length = 0;
    removeAwarenessStates(awareness, [awareness.clientID], origin);
    expect(told).toHaveLength(origin === 'redis' ? 0 : 1);
  },
);

test('awareness is not encoded while nobody watches the document', () => {
  const { awareness, told } = followed({ isWatched: false });
  awareness.setLocalState({
    get name(): string {
      throw new Error('encoded');
    },
  });
  expect(told).toEqual([]);
});

test('nothing is told after the end', () => {
  const { doc, awareness, told, end } = followed();
  end();
  doc.getText().insert(0, 'a');
  awareness.setLocalState({ name: 'Ada' });
  expect(told).toEqual([]);
});
