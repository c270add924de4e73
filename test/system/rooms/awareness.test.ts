import { expect, test } from '@jest/globals';
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { ServerId } from '../../../machines/ports.js';
import type { AwarenessRequest } from '../../../server/documents/documentProtocol.js';
import { Documents } from '../../../server/documents/documents.js';
import { RoomAwareness } from '../../../server/documents/roomAwareness.js';
import { AwarenessStreams } from '../../../server/rooms/watching/awarenessStreams.js';
import { RoomWatch } from '../../../server/rooms/watching/roomWatch.js';
import { eventually } from '../../support/eventually.js';
import { FakeViewer } from '../../support/fakeViewer.js';
import { owns } from '../../support/stage.js';
import { awarenessUpdate, type People } from './support/awareness.js';

test('a client that does not renew its state for thirty seconds is no longer shown', async () => {
  let now = 0;
  const documents = new Documents();
  const watch = new RoomWatch('r', {
    source: 'redis',
    documents,
    frameIntervalMs: 1,
    now: () => now,
    isAskable: true,
    onGarbage: () => {},
    onFinding: () => {},
    onDiverged: () => {},
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
  // A later update of another client: Ada is still there.
  watch.applyPresence(awarenessUpdate([1, 1, { name: 'Grace' }]));
  await eventually(() => expect(told()).toContain('Grace'));
  expect(told()).toContain('Ada');
  now = 30_000;
  await eventually(() => expect(told()).not.toContain('Ada'));
  expect(told()).toContain('Grace');
  watch.close();
  awareness.destroy();
  await documents.close();
});

test('a viewer too slow for awareness gets all clients when it has drained, and not the document again', async () => {
  const documents = owns(new Documents(), (it) => it.close());
  const watch = owns(
    new RoomWatch('r', {
      source: 'redis',
      documents,
      frameIntervalMs: 1,
      isAskable: true,
      onGarbage: () => {},
      onFinding: () => {},
      onDiverged: () => {},
    }),
    (it) => it.close(),
  );
  const content = watch.begin({
    onGap: () => {},
    onLost: () => {},
    onUndelivered: () => {},
    onDelivered: () => {},
  });
  void content.merge('10.0.0.1:8001' as ServerId, stateOf('hello'));
  await content.endRound(false);
  const views = [{ as: 'updates' }, { as: 'updates', awareness: 'changes' }] as const;
  for (const [round, view] of views.entries()) {
    const [ada, grace] = [10 * round + 1, 10 * round + 2];
    const fake = new FakeViewer();
    watch.add(fake.viewer, view);
    const events = () => fake.frames.flatMap((frame) => frame.match(/^event: .*$/gm) ?? []);
    await eventually(() => expect(events()).toContain('event: state'));
    watch.applyPresence(awarenessUpdate([ada, 1, { name: 'Ada' }], [grace, 1, { name: 'Grace' }]));
    await eventually(() => expect(fake.frames.join('')).toContain('Ada'));
    fake.isReading = false;
    fake.frames.length = 0;
    for (let clock = 2; clock < 10; clock += 1) {
      watch.applyPresence(awarenessUpdate([ada, clock, { name: `Ada ${clock}` }]));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await eventually(() => expect(fake.pendingBytes).toBeGreaterThan(0));
    fake.drain();
    await eventually(() => expect(fake.frames.join('')).toContain('Ada 9'));
    const [whole] = fake.frames;
    expect(whole).toMatch(/^event: awareness\n/);
    expect(whole).toContain('Grace');
    expect(events()).not.toContain('event: state');
    watch.remove(fake.viewer);
    watch.applyPresence(awarenessUpdate([ada, 10, null], [grace, 2, null]));
  }
});

test('when the thread of documents ends, no client is known, and `since` starts over', async () => {
  let loseThread = () => {};
  let announced: AwarenessRequest[] = [];
  const room = new RoomAwareness();
  const documents = {
    open: (_room: string, { onLost }: { onLost: () => void }) => {
      loseThread = onLost;
      return {
        awareness: async (request: AwarenessRequest) => {
          announced.push(request);
          return room.answer(request);
        },
        close: () => {},
      };
    },
  } as unknown as Documents;
  const streams = owns(
    new AwarenessStreams('r', { documents, frameIntervalMs: 1, now: () => 0, onGarbage: () => {} }),
    (it) => it.close(),
  );
  const fake = new FakeViewer();
  streams.add(fake.viewer, 'changes');
  expect(fake.take()).toEqual([
    ['awareness', { clients: [], leftOut: 0, dropped: 0, since: null }],
  ]);
  streams.setFollowed(true);
  const [[, told]] = fake.take() as [[string, People]];
  expect(Date.parse(told.since ?? '')).toBeGreaterThan(0);
  streams.apply(awarenessUpdate([1, 1, { name: 'Ada' }]));
  await eventually(() => expect(fake.frames.join('')).toContain('Ada'));
  fake.take();
  announced = [];
  loseThread();
  const [[event, lost]] = fake.take() as [[string, People]];
  expect([event, lost.clients]).toEqual(['awareness', []]);
  expect((lost.since ?? '') >= (told.since ?? '')).toBe(true);
  // A new viewer does not get clients that were known before.
  const late = new FakeViewer();
  streams.add(late.viewer, 'whole');
  expect(late.take()).toMatchObject([['awareness', { clients: [] }]]);
  expect(announced).toEqual([]);
  streams.setFollowed(false);
  expect(fake.take()).toMatchObject([['awareness', { clients: [], since: null }]]);
});

const stateOf = (text: string): Uint8Array => {
  const doc = new Y.Doc();
  doc.getText('text').insert(0, text);
  return Y.encodeStateAsUpdate(doc);
};
