import { expect, test } from '@jest/globals';
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { Documents } from '../../server/documents/documents.js';
import { RoomWatch } from '../../server/rooms/roomWatch.js';
import { FakeViewer } from '../server/fakeViewer.js';
import { eventually } from '../support/eventually.js';

test('who does not renew their state for thirty seconds is no longer shown', async () => {
  let now = 0;
  const documents = new Documents();
  const watch = new RoomWatch('r', {
    documents,
    frameIntervalMs: 1,
    now: () => now,
    onGarbage: () => {},
    onUnreadable: () => {},
  });
  const viewer = new FakeViewer();
  watch.add(viewer.viewer, { as: 'state', types: {} });
  const told = () =>
    viewer.frames
      .join('')
      .match(/event: awareness\ndata: .*/g)
      ?.at(-1) ?? '';
  const doc = new Y.Doc();
  const awareness = new Awareness(doc);
  awareness.setLocalState({ name: 'Ada' });
  watch.applyPresence(encodeAwarenessUpdate(awareness, [doc.clientID]));
  await eventually(() => expect(told()).toContain('Ada'));
  now = 29_999;
  expect(watch.awareness().clients).toHaveLength(1);
  now = 30_000;
  await eventually(() => expect(told()).toBe('event: awareness\ndata: {"clients":[]}'));
  watch.close();
  awareness.destroy();
  await documents.close();
});
