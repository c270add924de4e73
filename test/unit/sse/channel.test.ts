import { setImmediate as turns } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { Channel } from '../../../server/sse/channel.js';
import { FakeViewer } from '../../support/fakeViewer.js';

const frame = (text: string) => Buffer.from(text);

/** A channel whose whole state is everything broadcast so far. */
function channelOf(...viewers: FakeViewer[]) {
  let whole = 'whole:';
  let wholes = 0;
  const channel = new Channel(() => {
    wholes += 1;
    return frame(whole);
  });
  for (const { viewer } of viewers) channel.add(viewer);
  const broadcast = (text: string) => {
    whole += text;
    channel.broadcast(frame(text));
  };
  return { channel, broadcast, wholes: () => wholes };
}

test('every viewer gets every frame, in order', () => {
  const viewers = [new FakeViewer(), new FakeViewer()];
  const { broadcast, wholes } = channelOf(...viewers);
  for (const text of ['1', '2', '3']) broadcast(text);
  for (const { frames } of viewers) expect(frames).toEqual(['1', '2', '3']);
  expect(wholes()).toBe(0);
});

test('a viewer that missed a frame gets nothing until it has drained, then one whole state', () => {
  const [slow, other] = [new FakeViewer(), new FakeViewer()];
  const { broadcast } = channelOf(slow, other);
  broadcast('1');
  slow.isReading = false;
  for (const text of ['2', '3', '4']) broadcast(text);
  expect(slow.frames).toEqual(['1']);
  expect(other.frames).toEqual(['1', '2', '3', '4']);

  slow.drain();
  expect(slow.frames).toEqual(['1', 'whole:1234']);
  broadcast('5');
  expect(slow.frames).toEqual(['1', 'whole:1234', '5']);
});

test('a viewer that missed frames gets them, or the whole state if they are not kept', () => {
  const [kept, unkept] = [new FakeViewer(), new FakeViewer()];
  const { channel, broadcast } = channelOf();
  broadcast('1');
  channel.addMissing(kept.viewer, [frame('1')]);
  channel.addMissing(unkept.viewer, undefined);
  broadcast('2');
  expect(kept.frames).toEqual(['1', '2']);
  expect(unkept.frames).toEqual(['whole:1', '2']);
});

test('a viewer that does not take all frames that it missed gets the whole state later', () => {
  const viewer = new FakeViewer();
  const { channel, broadcast } = channelOf();
  broadcast('1');
  viewer.isReading = false;
  channel.addMissing(viewer.viewer, [frame('1')]);
  broadcast('2');
  expect(viewer.frames).toEqual([]);
  viewer.drain();
  expect(viewer.frames).toEqual(['whole:12']);
});

test('a viewer that drains but missed no frame gets no whole state', () => {
  const viewer = new FakeViewer();
  const { channel, broadcast, wholes } = channelOf(viewer);
  broadcast('1');
  viewer.drain();
  channel.catchUp();
  expect(viewer.frames).toEqual(['1']);
  expect(wholes()).toBe(0);
});

test('a drain without an event is noticed at the next look', () => {
  const viewer = new FakeViewer();
  const { channel, broadcast } = channelOf(viewer);
  viewer.isReading = false;
  broadcast('1');
  channel.catchUp();
  expect(viewer.frames).toEqual([]);
  viewer.drain({ isSilent: true });
  channel.catchUp();
  channel.catchUp();
  expect(viewer.frames).toEqual(['whole:1']);
});

test('a drain without an event is noticed at the next frame, and the whole state contains it', () => {
  const viewer = new FakeViewer();
  const { broadcast } = channelOf(viewer);
  viewer.isReading = false;
  broadcast('1');
  viewer.drain({ isSilent: true });
  broadcast('2');
  expect(viewer.frames).toEqual(['whole:12']);
});

test('a viewer that cannot take the whole state gets it later', () => {
  const viewer = new FakeViewer();
  const { channel, broadcast } = channelOf();
  viewer.isReading = false;
  channel.addNeedingState(viewer.viewer);
  viewer.drain();
  expect(viewer.frames).toEqual(['whole:']);
  broadcast('1');
  expect(viewer.frames).toEqual(['whole:', '1']);
});

test('a viewer that left gets nothing, behind or not', () => {
  const [viewer, slow] = [new FakeViewer(), new FakeViewer()];
  const { channel, broadcast } = channelOf(viewer, slow);
  slow.isReading = false;
  broadcast('1');
  for (const gone of [viewer, slow]) channel.remove(gone.viewer);
  slow.drain();
  broadcast('2');
  channel.catchUp();
  expect([viewer.frames, slow.frames]).toEqual([['1'], []]);
  expect([channel.size, ...channel]).toEqual([0]);
});

test('a whole state that takes time is made once, and contains earlier frames', async () => {
  const viewer = new FakeViewer();
  let whole = '';
  const makings: (() => void)[] = [];
  const channel = new Channel(
    () => new Promise((resolve) => makings.push(() => resolve(frame(`whole:${whole}`)))),
  );
  const broadcast = (text: string) => {
    whole += text;
    channel.broadcast(frame(text));
  };
  channel.addNeedingState(viewer.viewer);
  broadcast('1');
  channel.catchUp();
  viewer.drain();
  expect(makings).toHaveLength(1);
  makings[0]?.();
  await turns();
  broadcast('2');
  expect(viewer.frames).toEqual(['whole:1', '2']);
});

test('a viewer that left during the encoding of its state gets none', async () => {
  const viewer = new FakeViewer();
  const channel = new Channel(async () => frame('whole'));
  channel.addNeedingState(viewer.viewer);
  channel.remove(viewer.viewer);
  await turns();
  expect(viewer.frames).toEqual([]);
});

test('a whole state that failed is made again', async () => {
  const viewer = new FakeViewer();
  let attempts = 0;
  const channel = new Channel(async () => {
    attempts += 1;
    if (attempts === 1) throw new Error('not now');
    return attempts === 2 ? undefined : frame('whole');
  });
  channel.addNeedingState(viewer.viewer);
  for (let i = 0; i < 3; i += 1) {
    await turns();
    channel.catchUp();
  }
  await turns();
  expect(viewer.frames).toEqual(['whole']);
});

test('a channel with a lower limit sends nothing while more bytes are waiting', () => {
  const channel = new Channel(() => Buffer.from('whole'), { maxPendingBytes: 100 });
  const fake = new FakeViewer();
  channel.add(fake.viewer);
  fake.pendingBytes = 100;
  channel.broadcast(Buffer.from('one'));
  fake.pendingBytes = 101;
  channel.broadcast(Buffer.from('two'));
  expect(fake.frames).toEqual(['one']);
  fake.pendingBytes = 1;
  channel.broadcast(Buffer.from('three'));
  expect(fake.frames).toEqual(['one']);
  fake.drain();
  channel.broadcast(Buffer.from('four'));
  expect(fake.frames).toEqual(['one', 'whole', 'four']);
});

test('a viewer that reads slowly, but within the limit of its channel, is not behind', () => {
  const viewer = new FakeViewer();
  const { broadcast, wholes } = channelOf(viewer);
  viewer.pendingBytes = 1e9;
  broadcast('1');
  broadcast('2');
  expect(viewer.frames).toEqual(['1', '2']);
  expect(wholes()).toBe(0);
});
