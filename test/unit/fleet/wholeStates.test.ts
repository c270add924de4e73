import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ChangesHistory } from '../../../server/fleet/changesHistory.js';
import { WholeStates } from '../../../server/fleet/wholeStates.js';
import type { Frame } from '../../../server/sse/frames.js';

const names = Array.from({ length: 10_000 }, (_, i) => `room ${i}`);

let history: ChangesHistory;
let outdated: number;
let wholes: WholeStates;

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  // Each look at the clock takes so long that a state of this size is encoded in slices.
  let lateMs = 0;
  const { now } = performance;
  jest.spyOn(performance, 'now').mockImplementation(() => {
    lateMs += 2;
    return now.call(performance) + lateMs;
  });
  history = new ChangesHistory('run');
  outdated = 0;
  wholes = new WholeStates({
    source: { totals: new Map(names.map((name) => [name, 1])), servers: () => [] },
    history,
    status: () => ({ state: 'active', complete: true, reason: null }),
    onOutdatedMap: () => {
      outdated += 1;
    },
  });
  wholes.noteRooms(names);
});
afterEach(() => {
  wholes.close();
  jest.useRealTimers();
  jest.restoreAllMocks();
});

/** The next version, with a frame. */
function change(text: string): Buffer {
  history.advance();
  const frame = Buffer.from(text);
  history.push(frame);
  wholes.noteFrame(frame);
  return frame;
}

async function settle(frame: Frame | Promise<Frame>): Promise<Frame> {
  await jest.advanceTimersByTimeAsync(10_000);
  return frame;
}

test('a snapshot is followed by the frames since its encoding began', async () => {
  const snapshot = wholes.snapshot();
  expect(wholes.snapshot()).toBe(snapshot);
  const frame = change('a change');
  const [first, ...rest] = (await settle(snapshot)) as readonly Buffer[];
  expect(String(first)).toContain('id: run.1-0\n');
  expect(rest).toEqual([frame]);
});

test('a snapshot without changes since is one frame, which is kept for its version', async () => {
  const snapshot = await settle(wholes.snapshot());
  expect(Buffer.isBuffer(snapshot)).toBe(true);
  expect(wholes.snapshot()).toBe(snapshot);
  change('a change');
  const next = await settle(wholes.snapshot());
  expect(next).not.toBe(snapshot);
  expect(String(next)).toContain('id: run.1-1\n');
});

test('an outdated snapshot is not kept', async () => {
  const snapshot = wholes.snapshot();
  change('a change');
  await settle(snapshot);
  expect(String(await settle(wholes.snapshot()))).toContain('id: run.1-1\n');
});

test('a map that is outdated once it is made is followed by another one', async () => {
  const map = wholes.map();
  expect(wholes.map()).toBe(map);
  change('a change');
  await settle(map);
  expect(outdated).toBe(1);
  await settle(wholes.map());
  expect(outdated).toBe(1);
});
