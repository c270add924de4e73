import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Feed } from '../../../server/fleet/feed.js';
import { FakeSource } from '../../support/fakeSource.js';
import { FakeViewer } from '../../support/fakeViewer.js';
import { idsOf, messagesOf } from '../../support/relayStage.js';

let source: FakeSource;
let feed: Feed;
let detail: string | null;

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  source = new FakeSource();
  source.complete = false;
  detail = 'lingering';
  feed = new Feed(source, {
    run: '7',
    frameIntervalMs: 50,
    forInstances: { isTakeover: true, detail: () => detail },
  });
});
afterEach(() => {
  feed.close();
  jest.useRealTimers();
});

function join(lastEventId?: string): FakeViewer {
  const viewer = new FakeViewer();
  feed.add(viewer.viewer, 'changes', lastEventId);
  return viewer;
}

function flush(): void {
  feed.publish();
  jest.advanceTimersByTime(51);
}

/** The events that a viewer got since the last call; each with the status in it, if it has one. */
const eventsOf = (viewer: FakeViewer) =>
  messagesOf(viewer).map((message) => {
    const [, event] = /^event: (.*)$/m.exec(message) ?? [];
    const [, complete] = /"complete":(\w+)/.exec(message) ?? [];
    return complete === undefined ? event : `${event} ${complete}`;
  });

test('no numbers have a status of their own', () => {
  source.set('a', 1);
  const viewer = join();
  source.set('a', 2);
  source.setServer('s', 'live');
  flush();
  const statuses = messagesOf(viewer).filter((text) => text.includes('reason'));
  expect(statuses.every((text) => text.startsWith('event: status\ndata: '))).toBe(true);
  expect(statuses.length).toBe(1);
});

test('bad news goes before the numbers, good news after them', () => {
  const viewer = join();
  expect(eventsOf(viewer)).toEqual(['status false', 'snapshot']);
  source.complete = true;
  source.set('a', 1);
  flush();
  expect(eventsOf(viewer)).toEqual(['changes', 'status true']);
  expect(eventsOf(join())).toEqual(['snapshot', 'status true']);
  source.complete = false;
  source.set('a', 0);
  flush();
  expect(eventsOf(viewer)).toEqual(['status false', 'changes']);
});

test('that a fleet is settled is good news, complete or not', () => {
  const viewer = join();
  detail = 'watched';
  source.set('a', 1);
  flush();
  expect(eventsOf(viewer)).toEqual(['status false', 'snapshot', 'changes', 'status false']);
});

test('a status that did not change is not sent again', () => {
  const viewer = join();
  viewer.frames.splice(0);
  source.set('a', 1);
  flush();
  flush();
  expect(eventsOf(viewer)).toEqual(['changes']);
});

test('good news waits until all rooms are sent', () => {
  const viewer = join();
  for (let i = 0; i < 25_000; i += 1) source.set(`room ${i}`, 1);
  source.complete = true;
  flush();
  jest.advanceTimersByTime(200);
  expect(eventsOf(viewer)).toEqual([
    'status false',
    'snapshot',
    'changes',
    'changes',
    'changes',
    'status true',
  ]);
});

test('an instance that resumes is told so, with what it missed and the status', () => {
  const { id } = feed;
  source.set('a', 1);
  flush();
  expect(eventsOf(join(id))).toEqual(['resumed', 'changes', 'status false']);
  expect(eventsOf(join(feed.id))).toEqual(['resumed', 'status false']);
  expect(feed.id).toBe('7.1-1');
});

const isTakeover = () => /"isTakeover":(\w+)/.exec(join().frames.join(''))?.[1];

test('a takeover lasts until all servers are counted, and then never again', () => {
  detail = 'watched';
  flush();
  expect(isTakeover()).toBe('true');
  source.complete = true;
  flush();
  expect(isTakeover()).toBe('false');
  source.complete = false;
  flush();
  expect(isTakeover()).toBe('false');
});

test('a takeover lasts 5 s at most', () => {
  const viewer = join();
  viewer.frames.splice(0);
  jest.advanceTimersByTime(4999);
  expect([isTakeover(), viewer.frames]).toEqual(['true', []]);
  jest.advanceTimersByTime(52);
  expect(isTakeover()).toBe('false');
  expect(eventsOf(viewer)).toEqual(['status false']);
});

test('a restart ends a takeover', () => {
  const viewer = join();
  feed.restart();
  jest.advanceTimersByTime(51);
  expect(viewer.frames.join('')).toMatch(/"isTakeover":true.*"isTakeover":false/s);
  expect(eventsOf(viewer).slice(2)).toEqual(['status false', 'snapshot']);
});

test('tells whether a viewer waits for a whole state', () => {
  const viewer = join();
  expect(feed.isBehind(viewer.viewer)).toBe(false);
  viewer.isReading = false;
  source.set('a', 1);
  flush();
  expect(feed.isBehind(viewer.viewer)).toBe(true);
  viewer.drain();
  expect(feed.isBehind(viewer.viewer)).toBe(false);
});

test('an id means the same counts for an instance that comes later', () => {
  source.set('a', 1);
  const early = join();
  flush();
  eventsOf(early);
  source.set('a', 2);
  source.setServer('s', 'live');
  const late = join();
  // The early one is told first what the snapshot of the late one has.
  expect(eventsOf(early)).toEqual(['servers', 'changes']);
  const messages = messagesOf(late);
  expect(idsOf(messages).filter(Boolean)).toEqual([feed.id]);
  expect(messages.join()).toContain('"rooms":{"a":2}');
});
