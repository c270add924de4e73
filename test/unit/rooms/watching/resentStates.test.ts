import { expect, test } from '@jest/globals';
import { RoomStreams } from '../../../../server/rooms/watching/roomStreams.js';
import { FakeViewer } from '../../../support/fakeViewer.js';

test('a viewer that connects while the first round ends gets the document', async () => {
  const update = { raw: Uint8Array.of(1, 2, 3) };
  let states: { update: typeof update }[] = [];
  const streams = new RoomStreams({
    frameIntervalMs: 5,
    makeJson: async () => undefined,
    makeUpdates: async () => states,
    status: () => ({ room: { state: 'merging' } }),
  });
  const fake = new FakeViewer();
  // The first frame for the viewer is in the making, and still empty, when the first round ends.
  streams.add(fake.viewer, { as: 'updates' });
  states = [{ update }];
  await streams.resendUpdates();
  expect(fake.take()).toContainEqual(['state', { update: 'AQID' }]);
  streams.close();
});
