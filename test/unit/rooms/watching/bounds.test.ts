import { expect, test } from '@jest/globals';
import type { ServerId } from '../../../../machines/ports.js';
import type { DocumentClient } from '../../../../server/documents/documentClient.js';
import type { DocumentJson } from '../../../../server/documents/documentJson.js';
import type { Applied } from '../../../../server/documents/documentProtocol.js';
import { HeldUpdates } from '../../../../server/rooms/watching/heldUpdates.js';
import { RoomContent } from '../../../../server/rooms/watching/roomContent.js';
import { RoomStreams } from '../../../../server/rooms/watching/roomStreams.js';
import { frameOf, updateParts } from '../../../../server/rooms/watching/updateFrames.js';
import { UpdateLog } from '../../../../server/rooms/watching/updateLog.js';
import { eventually } from '../../../support/eventually.js';
import { FakeViewer } from '../../../support/fakeViewer.js';

const many = 50_000;
/** A minute of 1,000 updates a second. */
const aMinute = 60_000;
const server = '10.0.0.1:8001' as ServerId;
const applied: Applied = {
  bytes: 20,
  clients: [{ client: 1, from: 0, to: 1 }],
  inserted: 1,
  deleted: 0,
  formats: [],
  types: ['text'],
  more: 0,
  isExamined: true,
  pendingBytes: 0,
  droppedBytes: 0,
  isApplied: true,
  isChanged: true,
};

/** Content of a room over a fake document, and the events that it emits. */
function contentOver(document: Partial<DocumentClient>) {
  const counts = { updates: 0, gaps: 0, garbage: 0, changes: 0, merges: 0 };
  const agreeing = { divergence: async () => [], ...document };
  const content = new RoomContent(agreeing as unknown as DocumentClient, {
    onStatus: () => undefined,
    onChanged: () => {
      counts.changes += 1;
    },
    onMerged: () => {
      counts.merges += 1;
    },
    onUpdate: () => {
      counts.updates += 1;
    },
    onGarbage: () => {
      counts.garbage += 1;
    },
    onDiverged: () => undefined,
    onUndelivered: () => undefined,
    onDelivered: () => undefined,
    onGap: () => {
      counts.gaps += 1;
    },
  });
  return { content, counts };
}

test('the log keeps the last 500 updates, numbered', () => {
  const log = new UpdateLog();
  for (let i = 0; i < aMinute; i += 1) log.add(applied);
  const entries = log.newestFirst();
  expect(entries).toHaveLength(500);
  expect([entries[0]?.number, entries[499]?.number]).toEqual([aMinute, aMinute - 499]);
});

test('updates are held up to a bound, and over it they are dropped and reported', () => {
  const held = new HeldUpdates();
  for (let i = 0; i < many; i += 1) held.hold(new Uint8Array(20));
  expect(held.release()).toMatchObject({ isOverfull: false, updates: { length: many } });
  for (let i = 0; i < many; i += 1) held.hold(new Uint8Array(1000));
  expect(held.release()).toEqual({ isOverfull: true, updates: [] });
  held.hold(Uint8Array.of(1));
  expect(held.release()).toEqual({ isOverfull: false, updates: [Uint8Array.of(1)] });
});

test('a held update keeps no larger buffer alive', () => {
  const held = new HeldUpdates();
  held.hold(new Uint8Array(65_536).subarray(0, 3));
  expect(held.release().updates[0]?.buffer.byteLength).toBe(3);
});

/** What merging a state comes to, when it brought something. */
const merged = {
  type: 'merged' as const,
  isChanged: true,
  added: { structs: [], deletions: [] },
  bytes: 1,
  waiting: undefined,
  pendingBytes: 0,
  droppedBytes: 0,
};

test('content holds updates until the first round has ended, and none after it', async () => {
  const asked: string[] = [];
  const { content, counts } = contentOver({
    merge: async () => {
      asked.push('merge');
      return merged;
    },
    apply: async () => {
      asked.push('apply');
      return applied;
    },
  });
  for (let i = 0; i < many; i += 1) void content.apply(new Uint8Array(20));
  expect(asked).toEqual([]);
  void content.merge(server, new Uint8Array(8));
  await content.endRound(false);
  expect(asked.length).toBe(many + 1);
  expect(asked[0]).toBe('merge');
  for (let i = 0; i < many; i += 1) await content.apply(new Uint8Array(20));
  expect(counts).toMatchObject({ updates: 2 * many, gaps: 0, merges: 1 });
});

test('an unchanged state is not merged again, unless the document was lost', async () => {
  let merges = 0;
  const { content, counts } = contentOver({
    merge: async () => {
      merges += 1;
      return merged;
    },
  });
  const round = async (byte: number) => {
    void content.merge(server, Uint8Array.of(byte));
    await content.endRound(false);
  };
  for (let i = 0; i < 10; i += 1) await round(1);
  expect([merges, counts.merges]).toEqual([1, 1]);
  await round(2);
  expect([merges, counts.merges]).toEqual([2, 2]);
  content.reset();
  await round(2);
  expect([merges, counts.merges]).toEqual([3, 3]);
  expect(content.holders).toEqual([server]);
});

function streams(makeJson: () => Promise<DocumentJson | undefined>, frameIntervalMs = 1) {
  let made = 0;
  const it = new RoomStreams({
    frameIntervalMs,
    makeJson,
    makeUpdates: async () => {
      made += 1;
      return [{ update: { raw: new Uint8Array(10) } }];
    },
    status: () => ({ room: {} }),
  });
  return { it, made: () => made };
}

test('only one JSON of a document is made at a time, and another after a change meanwhile', async () => {
  let making = 0;
  let most = 0;
  let done = 0;
  const answers: (() => void)[] = [];
  const { it } = streams(async () => {
    making += 1;
    most = Math.max(most, making);
    await new Promise<void>((resolve) => answers.push(resolve));
    making -= 1;
    done += 1;
    return { json: Buffer.from('{}'), isTruncated: false };
  });
  const fake = new FakeViewer();
  it.add(fake.viewer, { as: 'state', types: {} });
  await eventually(() => expect(answers).toHaveLength(1));
  let touches = 0;
  const timer = setInterval(() => {
    touches += 1;
    it.touch();
  }, 1);
  await eventually(() => expect(touches).toBeGreaterThan(20));
  clearInterval(timer);
  expect(answers).toHaveLength(1);
  answers[0]?.();
  await eventually(() => expect(answers).toHaveLength(2));
  answers[1]?.();
  await eventually(() => expect(done).toBe(2));
  expect(most).toBe(1);
  it.close();
});

test('a viewer may name its own root types while there is room for another JSON stream', () => {
  const it = new RoomStreams({
    frameIntervalMs: 1,
    makeJson: async () => undefined,
    makeUpdates: async () => [],
    status: () => ({ room: {} }),
  });
  const viewOf = (name: string) => ({ as: 'state', types: { [name]: 'map' } }) as const;
  for (let i = 0; i < 16; i += 1) {
    expect(it.hasPlaceFor(viewOf(`${i}`))).toBe(true);
    it.add(new FakeViewer().viewer, viewOf(`${i}`));
  }
  expect(it.hasPlaceFor(viewOf('16'))).toBe(false);
  expect(it.hasPlaceFor(viewOf('7'))).toBe(true);
  expect(it.hasPlaceFor({ as: 'updates' })).toBe(true);
  it.close();
});

test('the whole document is encoded once for all viewers that come at the same time', async () => {
  const { it, made } = streams(async () => undefined);
  const fakes = Array.from({ length: 100 }, () => new FakeViewer());
  for (const { viewer } of fakes) it.add(viewer, { as: 'updates' });
  await eventually(() => {
    for (const { frames } of fakes) expect(frames).toHaveLength(1);
  });
  expect(made()).toBe(1);
  it.sendUpdate({ number: 1 }, new Uint8Array(3));
  const late = new FakeViewer();
  it.add(late.viewer, { as: 'updates' });
  await eventually(() => expect(late.frames).toHaveLength(1));
  expect(made()).toBe(2);
  expect(fakes[0]?.take().map(([event]) => event)).toEqual(['state', 'update']);
  it.close();
});

test('a stalled viewer gets the whole document when it has drained, and nothing before', async () => {
  const { it } = streams(async () => undefined);
  const fake = new FakeViewer();
  it.add(fake.viewer, { as: 'updates' });
  await eventually(() => expect(fake.frames).toHaveLength(1));
  fake.isReading = false;
  for (let i = 0; i < many; i += 1) it.sendUpdate({ number: i }, new Uint8Array(3));
  expect(fake.frames).toHaveLength(1);
  fake.drain();
  await eventually(() => expect(fake.frames).toHaveLength(2));
  expect(fake.frames[1]).toMatch(/^event: state\n/);
  it.close();
});

test.each([0, 1, 2, 3, 3 * 1024 * 1024, 7_000_001])(
  'a frame holds an update of %i bytes',
  (bytes) => {
    const update = new Uint8Array(bytes + 1).subarray(1).fill(7);
    for (const head of [{}, { server: 'é' }]) {
      const text = Buffer.from(Buffer.from(update).toString('base64'));
      for (const given of [{ raw: update }, { base64: text }]) {
        const frame = String(
          Buffer.concat(frameOf(updateParts('state', JSON.stringify(head), given))),
        );
        const [event, data = '', ...rest] = frame.split('\n');
        expect([event, rest]).toEqual(['event: state', ['', '']]);
        const { update: base64, ...others } = JSON.parse(data.slice('data: '.length));
        expect(others).toEqual(head);
        expect(Buffer.from(base64, 'base64').equals(update)).toBe(true);
      }
    }
  },
);
