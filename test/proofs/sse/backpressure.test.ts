import { beforeEach, expect, test } from '@jest/globals';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Feed, StreamKind } from '../../../server/fleet/feed.js';
import { createApp } from '../../../server/http/app.js';
import type { Viewer } from '../../../server/sse/viewer.js';
import { appNeeds } from '../../support/appNeeds.js';
import { eventually } from '../../support/eventually.js';
import { FakeSource } from '../../support/fakeSource.js';
import { turns, useHarness } from '../../support/harness.js';

const harness = useHarness();
const maxPendingBytes = 1024 * 1024;
/** What HTTP puts around frames, and the opening comment. */
const overheadBytes = 4096;

let source: FakeSource;
let feed: Feed;
/** The service's end of every stream, in the order of their coming. */
let viewers: Viewer[];

beforeEach(() => {
  source = new FakeSource();
  feed = harness.feed(source);
  viewers = [];
  const add = feed.add.bind(feed);
  feed.add = (viewer, ...rest) => {
    viewers.push(viewer as Viewer);
    add(viewer, ...rest);
  };
});

const listen = () => harness.app(createApp(appNeeds({ streams: { feed } })));

/** Opens a stream over TCP; it is read, if at all, as the test says. */
function open(at: { url: string }, kind: StreamKind, { isRead = true } = {}) {
  const messages: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => messages.push(message) });
  const client = harness.socket(at);
  client.socket.on('data', (chunk) => parser.feed(String(chunk)));
  if (!isRead) client.socket.pause();
  // HTTP/1.0 has no chunks: what comes is the stream itself.
  client.send(`GET /api/events?stream=${kind} HTTP/1.0\r\n\r\n`);
  return { socket: client.socket, messages };
}

/** Changes many rooms and lets the frame of some 250 kB go out. */
async function change(count: number): Promise<void> {
  for (let i = 0; i < 2500; i += 1) source.set(`${i} ${'x'.repeat(90)}`, count);
  feed.publish();
  await turns(3);
}

/** Changes rooms until bytes wait for a viewer that does not read; returns the last count. */
async function changeUntilStuck(viewer: Viewer): Promise<number> {
  for (let count = 1; count < 1000; count += 1) {
    await change(count);
    if (viewer.pendingBytes > maxPendingBytes / 2) return count;
  }
  throw new Error('the network took everything');
}

function applied(messages: EventSourceMessage[]): Record<string, number> {
  const rooms = new Map<string, number>();
  for (const { event, data } of messages) {
    const parsed = JSON.parse(data);
    if (event !== 'changes') rooms.clear();
    for (const [room, count] of Object.entries<number>(event ? (parsed.rooms ?? {}) : parsed))
      if (count === 0) rooms.delete(room);
      else rooms.set(room, count);
  }
  return Object.fromEntries(rooms);
}

test('little is kept for a viewer that stops reading, and others get every frame', async () => {
  const at = await listen();
  const other = open(at, 'changes');
  await eventually(() => expect(viewers).toHaveLength(1));
  const slow = open(at, 'changes');
  await eventually(() => expect(slow.messages).toHaveLength(1));
  slow.socket.pause();
  const [, stuck] = viewers as [Viewer, Viewer];

  const first = await changeUntilStuck(stuck);
  let pendingBytes = 0;
  for (let count = first + 1; count <= first + 30; count += 1) {
    await change(count);
    pendingBytes = Math.max(pendingBytes, stuck.pendingBytes);
  }
  expect(pendingBytes).toBeGreaterThan(0);
  expect(pendingBytes).toBeLessThan(maxPendingBytes + overheadBytes);
  await eventually(() => expect(other.messages).toHaveLength(1 + first + 30));
  expect(applied(other.messages)).toEqual(Object.fromEntries(source.totals));

  slow.socket.resume();
  await eventually(() => expect(applied(slow.messages)).toEqual(Object.fromEntries(source.totals)));
  const snapshots = slow.messages.filter(({ event }) => event === 'snapshot');
  expect(snapshots).toHaveLength(2);
  expect(slow.messages.at(-1)).toBe(snapshots[1]);

  await change(5000);
  await eventually(() => expect(slow.messages.at(-1)?.event).toBe('changes'));
  expect(applied(slow.messages)).toEqual(Object.fromEntries(source.totals));
});

test.each<StreamKind>(['rooms', 'changes'])(
  'a state over 1 MiB reaches a viewer of "%s", a slow one too',
  async (kind) => {
    for (let i = 0; i < 120_000; i += 1) source.set(`${i} ${'x'.repeat(90)}`, 1);
    feed.publish();
    await turns(20);
    const at = await listen();
    const slow = open(at, kind, { isRead: false });
    await eventually(() => expect(viewers[0]?.pendingBytes).toBeGreaterThan(maxPendingBytes));
    for (let count = 2; count < 5; count += 1) {
      source.set('a', count);
      feed.publish();
      await turns(3);
    }
    slow.socket.resume();
    await eventually(() => expect(slow.messages).toHaveLength(2));
    const rooms = applied(slow.messages);
    expect([rooms.a, Object.keys(rooms).length]).toEqual([4, 120_001]);
  },
);

test('all kept frames reach viewers that resume', async () => {
  // Frames whose sizes come to just the limit of what is kept, and of what may wait.
  source.set('a', 1);
  feed.publish();
  await turns(3);
  const { id } = feed;
  for (let i = 0; i < 4; i += 1) {
    const [event, data] = ['changes', `{"version":${2 + i},"rooms":{"":1}}`];
    const bytes = `event: ${event}\nid: ${id}\ndata: ${data}\n\n`.length;
    for (const room of source.totals.keys()) source.totals.delete(room);
    source.set('x'.repeat(maxPendingBytes / 4 - bytes), 1);
    feed.publish();
    await turns(3);
  }
  const at = await listen();
  const client = harness.socket(at);
  client.send(`GET /api/events?stream=changes HTTP/1.0\r\nLast-Event-ID: ${id}\r\n\r\n`);
  const ids = () => [...client.text().matchAll(/^id: (.*)$/gm)].map(([, text]) => text);
  await eventually(() => expect(ids().at(-1)).toBe(feed.id));
  expect(client.text().length).toBeGreaterThan(maxPendingBytes);
});

test('a viewer whose bytes never stop waiting is disconnected, one that makes progress is not', async () => {
  const at = await listen();
  const slow = open(at, 'changes', { isRead: false });
  await eventually(() => expect(viewers).toHaveLength(1));
  const [stuck] = viewers as [Viewer];
  let isCut = false;
  slow.socket.on('close', () => {
    isCut = true;
  });

  let count = await changeUntilStuck(stuck);
  stuck.heartbeatOrDisconnect(0);
  slow.socket.resume();
  await eventually(() => expect(stuck.pendingBytes).toBe(0));
  count += 1;
  await change(count);
  slow.socket.pause();
  for (; stuck.pendingBytes < maxPendingBytes / 2; count += 1) await change(count);
  stuck.heartbeatOrDisconnect(0);
  await turns(5);
  expect([feed.viewers, isCut]).toEqual([1, false]);

  const [began, now] = [performance.now(), () => performance.now()];
  while (now() === began) await turns();
  stuck.heartbeatOrDisconnect(0);
  await eventually(() => expect(feed.viewers).toBe(0));
});

test('a stream that ended with bytes waiting gets nothing more and causes no error', async () => {
  const lines: string[] = [];
  const at = await harness.app(
    createApp(appNeeds({ streams: { feed }, onLog: (line) => lines.push(line) })),
  );
  const slow = open(at, 'changes', { isRead: false });
  await eventually(() => expect(viewers).toHaveLength(1));
  const [stuck] = viewers as [Viewer];
  await changeUntilStuck(stuck);
  stuck.end();
  stuck.send(Buffer.from('data: late\n\n'));
  feed.remove(stuck);
  slow.socket.resume();
  await new Promise((resolve) => slow.socket.once('end', resolve));
  expect(slow.messages.filter(({ data }) => data === 'late')).toEqual([]);
  expect(lines).toEqual([]);
});
