import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { EncodedRooms } from '../../../server/fleet/encodedRooms.js';
import { Feed } from '../../../server/fleet/feed.js';
import { StateEncoder } from '../../../server/fleet/stateEncoder.js';
import { FakeSource } from '../../support/fakeSource.js';
import { FakeViewer } from '../../support/fakeViewer.js';

let source: FakeSource;
let feed: Feed;

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  source = new FakeSource();
  feed = new Feed(source, { run: 'run', frameIntervalMs: 50 });
});
afterEach(() => {
  feed.close();
  jest.useRealTimers();
  jest.restoreAllMocks();
});

function join(kind: 'rooms' | 'changes', lastEventId?: string): FakeViewer {
  const viewer = new FakeViewer();
  feed.add(viewer.viewer, kind, lastEventId);
  return viewer;
}

/** Sets counts, and lets the frame that they cause go out. */
function show(counts: Record<string, number>): void {
  for (const [room, count] of Object.entries(counts)) source.set(room, count);
  feed.publish();
  jest.advanceTimersByTime(51);
}

test('a new viewer gets the current state at once', () => {
  expect(join('rooms').take()).toEqual([[undefined, {}]]);
  show({ a: 1 });
  expect(join('rooms').take()).toEqual([[undefined, { a: 1 }]]);
  const [[event, data] = []] = join('changes').take();
  expect([event, data]).toMatchObject(['snapshot', { rooms: { a: 1 }, servers: [] }]);
  expect(data).toMatchObject({ state: 'active', complete: true, reason: null });
});

test('a new viewer gets no counts that a restart has dropped', () => {
  for (const kind of ['rooms', 'changes'] as const) {
    show({ a: 1 });
    source.totals.clear();
    source.takeChangedRooms();
    feed.restart();
    const [[, data] = []] = join(kind).take();
    expect(kind === 'rooms' ? { rooms: data } : data).toMatchObject({ rooms: {} });
    expect(JSON.stringify(data)).not.toContain('"a"');
  }
});

test('an event that is told goes to viewers of changes, without an id', () => {
  const [maps, changes] = [join('rooms'), join('changes')];
  maps.take();
  changes.take();
  const { id } = feed;
  feed.tell('activity', { events: [] });
  expect(changes.frames).toEqual(['event: activity\ndata: {"events":[]}\n\n']);
  expect(changes.take()).toEqual([['activity', { events: [] }]]);
  expect([maps.take(), feed.id]).toEqual([[], id]);
});

test('a viewer that left is not counted, and gets nothing', () => {
  const leaving = [join('rooms'), join('changes')];
  join('changes');
  expect(feed.viewers).toBe(3);
  for (const fake of leaving) feed.remove(fake.viewer);
  expect(feed.viewers).toBe(1);
  show({ a: 1 });
  expect(leaving.map(({ frames }) => frames.length)).toEqual([1, 1]);
});

test('a viewer that reconnects but does not read gets the whole state once it reads', () => {
  show({ a: 1 });
  const { id } = feed;
  show({ a: 2 });
  const slow = new FakeViewer();
  slow.isReading = false;
  feed.add(slow.viewer, 'changes', id);
  slow.drain();
  expect(slow.take()).toMatchObject([['snapshot', { rooms: { a: 2 } }]]);
});

test('a map that is encoded in several turns is sent when it is done', async () => {
  const maps = join('rooms');
  maps.take();
  const { encode } = StateEncoder.prototype;
  jest.spyOn(StateEncoder.prototype, 'encode').mockImplementationOnce(async function (
    this: StateEncoder,
    version,
  ) {
    return await encode.call(this, version);
  });
  show({ a: 1 });
  expect(maps.frames).toEqual([]);
  await jest.advanceTimersByTimeAsync(1);
  expect(maps.take()).toEqual([[undefined, { a: 1 }]]);
});

test('changed servers are reported without viewers too, and only if there are any', () => {
  const reported: string[][] = [];
  feed.close();
  feed = new Feed(source, {
    run: 'run',
    frameIntervalMs: 50,
    onServersChanged: (servers) => reported.push(servers.map(({ state }) => state)),
  });
  show({ a: 1 });
  source.setServer('s:1', 'live');
  show({});
  show({ a: 2 });
  expect(reported).toEqual([['live']]);
});

test('the rooms stream sends the whole map each time, the changes stream only changes', () => {
  const [maps, changes] = [join('rooms'), join('changes')];
  show({ a: 1, b: 2 });
  show({ a: 0, b: 3 });
  expect(maps.take()).toEqual([
    [undefined, {}],
    [undefined, { a: 1, b: 2 }],
    [undefined, { b: 3 }],
  ]);
  expect(changes.take()).toMatchObject([
    ['snapshot', { version: 0, rooms: {} }],
    ['changes', { version: 1, rooms: { a: 1, b: 2 } }],
    ['changes', { version: 2, rooms: { a: 0, b: 3 } }],
  ]);
});

test('an outdated map is followed by another one, even without further changes', async () => {
  let finish = (_: { version: number; framesSince: Buffer[] }) => {};
  jest.spyOn(StateEncoder.prototype, 'encode').mockImplementationOnce(
    () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  );
  const maps = join('rooms');
  show({ a: 1 });
  finish({ version: 0, framesSince: [] });
  await jest.advanceTimersByTimeAsync(1000);
  expect(maps.take().at(-1)).toEqual([undefined, { a: 1 }]);
});

test('without viewers of whole maps none is made, and changes are encoded once a second', () => {
  const changes = join('changes');
  const toBuffer = jest.spyOn(EncodedRooms.prototype, 'toBuffer');
  const encode = jest.spyOn(EncodedRooms.prototype, 'encode');
  for (let frame = 1; frame <= 40; frame += 1) show({ a: frame });
  expect(changes.frames).toHaveLength(41);
  expect(toBuffer).not.toHaveBeenCalled();
  expect(encode.mock.calls.length).toBeLessThanOrEqual(3);
  jest.advanceTimersByTime(1000);
  expect(encode).toHaveLastReturnedWith(true);
  // Who comes now is sent all of it, and is kept up from then on.
  const maps = join('rooms');
  show({ a: 41 });
  expect(maps.take().map(([, data]) => data)).toEqual([{ a: 40 }, { a: 41 }]);
});

test('a room that returns, and a room with any name, is written correctly', () => {
  const changes = join('changes');
  changes.take();
  for (const count of [1, 0, 2]) show({ ['__proto__']: count, 'a"b\n': count });
  const rooms = changes.take().map(([, data]) => Object.entries((data as { rooms: object }).rooms));
  const names = ['__proto__', 'a"b\n'];
  expect(rooms).toEqual([1, 0, 2].map((count) => names.map((name) => [name, count])));
});

test('state and completeness are sent when they change, and servers too', () => {
  const changes = join('changes');
  source.complete = false;
  show({});
  source.setServer('s:1', 'live');
  show({ a: 1 });
  source.setServer('s:1', 'stale');
  source.state = 'deactivating';
  show({});
  expect(changes.take().slice(1)).toMatchObject([
    ['changes', { version: 1, state: 'active', complete: false, rooms: {} }],
    ['servers', { version: 2, servers: [{ id: 's:1', state: 'live' }] }],
    ['changes', { version: 3, rooms: { a: 1 } }],
    ['servers', { version: 4, state: 'deactivating', servers: [{ id: 's:1', state: 'stale' }] }],
  ]);
});

test('each frame ends its message', () => {
  const viewers = [join('rooms'), join('changes')];
  show({ a: 1 });
  for (const { frames } of viewers) {
    expect(frames).toHaveLength(2);
    for (const frame of frames) expect(frame.endsWith('\n\n')).toBe(true);
  }
});

test('close ends what is to be encoded for later viewers', () => {
  join('changes');
  show({ a: 1 });
  feed.close();
  expect(jest.getTimerCount()).toBe(0);
});

test('without changes no frame is sent', () => {
  const viewers = [join('rooms'), join('changes')];
  for (let i = 0; i < 5; i += 1) show({});
  for (const viewer of viewers) expect(viewer.take()).toHaveLength(1);
});

test('a burst of changes is two frames: the first change, and the rest', () => {
  const viewers = [join('rooms'), join('changes')];
  for (const viewer of viewers) viewer.take();
  for (let i = 1; i <= 100; i += 1) {
    source.set('a', i);
    feed.publish();
    if (i === 1) jest.advanceTimersByTime(1);
  }
  jest.advanceTimersByTime(200);
  expect(viewers.map((viewer) => viewer.take().length)).toEqual([2, 2]);
});

test('a viewer that reconnects gets exactly the events that it missed', () => {
  const witness = join('changes');
  for (let i = 1; i <= 5; i += 1) show({ a: i });
  const [, ...frames] = witness.frames;
  const id = (frame = '') => /^id: (.*)$/m.exec(frame)?.[1] ?? '';
  for (let seen = 0; seen < frames.length; seen += 1)
    expect(join('changes', id(frames[seen])).frames).toEqual(frames.slice(seen + 1));
});

test.each([
  ['none', () => undefined],
  ['empty', () => ''],
  ['junk', () => 'junk'],
  ['of another run', () => feed.id.replace('run', 'ran')],
  ['of another activation', () => feed.id.replace('.1-', '.2-')],
  ['of a version to come', () => feed.id.replace(/\d+$/, '99')],
  ['without a version', () => feed.id.replace(/\d+$/, '')],
  ['with something else after the version', () => `${feed.id} `],
  ['with a version in another notation', () => feed.id.replace(/(\d+)$/, '0x$1')],
  ['with a negative version', () => feed.id.replace(/\d+$/, '-1')],
  ['with a fraction', () => feed.id.replace(/\d+$/, '1.5')],
])('an unknown event id (%s) starts over with a snapshot', (_what, id) => {
  for (let i = 1; i <= 3; i += 1) show({ a: i });
  expect(join('changes', id()).take()).toMatchObject([['snapshot', { rooms: { a: 3 } }]]);
});

test('an event id that is too old starts over with a snapshot', () => {
  show({ a: 1 });
  const { id } = feed;
  for (let i = 2; i <= 1100; i += 1) show({ a: i });
  expect(join('changes', id).take()).toMatchObject([['snapshot', { rooms: { a: 1100 } }]]);
});

test('a restart sends a whole state to every viewer, and none can resume across it', () => {
  const viewers = [join('rooms'), join('changes')];
  show({ a: 1 });
  for (const viewer of viewers) viewer.take();
  const { id } = feed;
  source.totals.clear();
  source.takeChangedRooms();
  feed.restart();
  show({ b: 2 });
  expect(viewers[0]?.take()).toEqual([[undefined, { b: 2 }]]);
  expect(viewers[1]?.take()).toMatchObject([['snapshot', { version: 2, rooms: { b: 2 } }]]);
  expect(join('changes', id).take()).toMatchObject([['snapshot', { version: 2 }]]);
  expect(feed.id).not.toMatch(id.slice(0, id.indexOf('-')));

  const next = feed.id;
  show({ b: 3 });
  expect(join('changes', next).take()).toMatchObject([['changes', { version: 3 }]]);
});

test('a viewer that connects before a flush neither misses nor repeats anything', () => {
  const early = join('changes');
  source.set('a', 1);
  feed.publish();
  const late = join('changes');
  jest.advanceTimersByTime(100);
  show({ a: 2 });
  const versions = (viewer: FakeViewer) =>
    viewer.take().map(([, data]) => (data as { version: number }).version);
  expect(versions(early)).toEqual([0, 1, 2]);
  expect(versions(late)).toEqual([0, 1, 2]);
});

test('new viewers cause no extra frames', () => {
  const [maps, changes] = [join('rooms'), join('changes')];
  show({ a: 1 });
  for (const viewer of [maps, changes]) viewer.take();
  for (let count = 2; count <= 40; count += 1) {
    source.set('a', count);
    feed.publish();
    join('changes');
    jest.advanceTimersByTime(1);
  }
  expect(changes.take().length).toBeLessThanOrEqual(1);
  expect(maps.take().length).toBeLessThanOrEqual(1);
});

test('a large map is sent less often: at most 1 MB per second', () => {
  const viewer = join('rooms');
  for (let i = 0; i < 2000; i += 1) source.set(`${i} ${'x'.repeat(95)}`, 1);
  show({});
  viewer.frames.length = 0;
  const began = performance.now();
  for (let i = 1; i <= 100; i += 1) show({ a: i });
  const bytes = viewer.frames.join('').length;
  const seconds = (performance.now() - began) / 1000;
  expect(viewer.frames.length).toBeGreaterThan(10);
  expect(bytes / seconds).toBeLessThan(1.1e6);
});

test('a viewer that reads again is up to date within a second', () => {
  const [maps, changes] = [join('rooms'), join('changes')];
  for (const viewer of [maps, changes]) {
    viewer.take();
    viewer.isReading = false;
  }
  for (let i = 1; i <= 3; i += 1) show({ a: i });
  for (const viewer of [maps, changes]) viewer.drain({ isSilent: true });
  jest.advanceTimersByTime(1000);
  expect(maps.take()).toEqual([[undefined, { a: 3 }]]);
  expect(changes.take()).toMatchObject([['snapshot', { version: 3, rooms: { a: 3 } }]]);
  show({ a: 4 });
  expect(changes.take()).toMatchObject([['changes', { version: 4, rooms: { a: 4 } }]]);
});

test('a heartbeat is sent every 15 s', () => {
  const viewers = [join('rooms'), join('changes')];
  jest.advanceTimersByTime(60_000);
  expect(viewers.map(({ beats }) => beats)).toEqual([4, 4]);
});

test('close ends every stream and leaves no timer', () => {
  const viewers = [join('rooms'), join('changes')];
  feed.publish();
  feed.close();
  expect(viewers.map(({ isEnded }) => isEnded)).toEqual([true, true]);
  show({ a: 1 });
  feed.restart();
  expect(viewers.map(({ frames }) => frames.length)).toEqual([1, 1]);
  expect(jest.getTimerCount()).toBe(0);
});

test.each(['rooms', 'changes'] as const)(
  'viewers of %s that connect at the same time share one encoded state',
  (kind) => {
    show({ a: 1 });
    const encode = jest.spyOn(EncodedRooms.prototype, 'toBuffer');
    const viewers = Array.from({ length: 1000 }, () => join(kind));
    expect(encode).toHaveBeenCalledTimes(1);
    const states = viewers.flatMap((viewer) => viewer.take());
    expect(states).toHaveLength(1000);
    expect(new Set(states.map(([, data]) => JSON.stringify(data))).size).toBe(1);
  },
);

test('many changed rooms are sent in several frames, and none is missing', () => {
  const viewer = join('changes');
  viewer.take();
  for (let room = 0; room < 25_000; room += 1) source.set(`room ${room}`, 1);
  feed.publish();
  jest.advanceTimersByTime(1000);
  const told = viewer.take().map(([, data]) => Object.keys((data as { rooms: object }).rooms));
  expect(told.map((rooms) => rooms.length)).toEqual([10_000, 10_000, 5000]);
  expect(new Set(told.flat()).size).toBe(25_000);
});

test('a viewer that connects while many rooms are sent gets all of them', () => {
  join('changes');
  for (let room = 0; room < 25_000; room += 1) source.set(`room ${room}`, 1);
  feed.publish();
  jest.advanceTimersByTime(1);
  const [late, maps] = [join('changes'), join('rooms')];
  // A state of this size is encoded in slices.
  jest.advanceTimersByTime(5000);
  const rooms = new Map<string, number>();
  for (const [, data] of late.take())
    for (const [room, count] of Object.entries((data as { rooms: object }).rooms))
      rooms.set(room, count);
  expect(rooms.size).toBe(25_000);
  const [, last] = maps.take().at(-1) ?? [];
  expect(Object.keys(last ?? {})).toHaveLength(25_000);
});

/** The event names, each with the completeness that it tells. */
const toldBy = (viewer: FakeViewer) =>
  viewer.take().map(([event, data]) => [event, (data as { complete?: boolean }).complete]);

test('totals are called complete with the last event that makes them so, and incomplete with the first', () => {
  source.complete = false;
  show({});
  const changes = join('changes');
  expect(toldBy(changes)).toEqual([['snapshot', false]]);
  source.setServer('s:1', 'live');
  source.complete = true;
  show({ a: 1 });
  expect(toldBy(changes)).toEqual([
    ['servers', undefined],
    ['changes', true],
  ]);
  source.setServer('s:1', 'stale');
  source.complete = false;
  show({ a: 2 });
  expect(toldBy(changes)).toEqual([
    ['servers', false],
    ['changes', undefined],
  ]);
  source.setServer('s:1', 'live');
  source.complete = true;
  show({});
  expect(toldBy(changes)).toEqual([['servers', true]]);
});

test('totals are not called complete before all rooms are sent', () => {
  source.complete = false;
  show({});
  const changes = join('changes');
  changes.take();
  for (let i = 0; i < 25_000; i += 1) source.set(`room ${i}`, 1);
  source.complete = true;
  show({});
  jest.advanceTimersByTime(200);
  expect(toldBy(changes).map(([, complete]) => complete)).toEqual([undefined, undefined, true]);
});
