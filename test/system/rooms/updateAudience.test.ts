import { expect, test } from '@jest/globals';
import * as Y from 'yjs';
import { LocalUpdates } from '../../../server/rooms/instances/localUpdates.js';
import { ChannelNames } from '../../../server/rooms/watching/channelNames.js';
import { ForeignChannels } from '../../../server/rooms/watching/foreignChannels.js';
import { UpdatesFeed } from '../../../server/rooms/watching/updatesFeed.js';
import { FakeViewer } from '../../support/fakeViewer.js';
import { owns } from '../../support/stage.js';

const small = (() => {
  const doc = new Y.Doc();
  doc.getText('text').insert(0, 'x');
  return Y.encodeStateAsUpdate(doc);
})();

test('a busy prefix leaves the others their share of each second', () => {
  const posted = new LocalUpdates(() => {});
  const feed = owns(
    new UpdatesFeed({
      redis: undefined,
      channels: new ChannelNames({ prefix: '', presenceSuffix: '-presence' }),
      posted,
    }),
    (it) => it.close(),
  );
  const prefixes = Array.from({ length: 10 }, (_, i) => `p${i}`);
  const fakes = prefixes.map((prefix) => {
    const fake = new FakeViewer();
    feed.add(fake.viewer, { prefix, as: 'log' });
    return fake;
  });
  const quiet = prefixes.pop() ?? '';
  for (const prefix of prefixes) for (let i = 0; i < 3000; i += 1) posted.take(prefix, small);
  for (let i = 0; i < 100; i += 1) posted.take(quiet, small);
  const updatesOf = ({ frames }: FakeViewer) =>
    frames.filter((frame) => frame.startsWith('event: update')).length;
  const told = fakes.map(updatesOf);
  expect(told.pop()).toBe(100);
  for (const count of told) {
    expect(count).toBeGreaterThanOrEqual(800);
    // More than one second may have gone by.
    expect(count).toBeLessThan(3000);
  }
});

test('a channel is foreign while it carried messages and never an update', () => {
  const channels = new ForeignChannels();
  expect(channels.isForeign('a')).toBe(false);
  channels.note('a', false);
  expect(channels.isForeign('a')).toBe(true);
  channels.note('a', true);
  channels.note('a', false);
  expect(channels.isForeign('a')).toBe(false);
  channels.note('b', false);
  channels.forget();
  expect(channels.isForeign('b')).toBe(false);
});
