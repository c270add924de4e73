import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { EncodedRooms } from '../../../server/fleet/encodedRooms.js';
import { StateEncoder } from '../../../server/fleet/stateEncoder.js';

/** What a bucket takes to encode here: four of them are a slice. */
const bucketMs = 2;
const names = Array.from({ length: 10_000 }, (_, i) => `room ${i}`);

let totals: Map<string, number>;
let encoder: StateEncoder;

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  let lateMs = 0;
  const { now } = performance;
  jest.spyOn(performance, 'now').mockImplementation(() => {
    lateMs += bucketMs;
    return now.call(performance) + lateMs;
  });
  totals = new Map();
  encoder = new StateEncoder(() => totals);
});
afterEach(() => {
  encoder.close();
  jest.useRealTimers();
  jest.restoreAllMocks();
});

/** All rooms change, in a frame of this version. */
function changeAll(version: number, bytes = 100): Buffer {
  for (const name of names) totals.set(name, version);
  encoder.note(names);
  const frame = Buffer.alloc(bytes, String(version % 10));
  encoder.noteFrame(frame, version);
  return frame;
}

const counts = () => Object.values(JSON.parse(encoder.toBuffer('', '').toString())) as number[];

test('frames that are noted when an encoding in slices is about to end are part of the state', async () => {
  encoder = new StateEncoder(
    () => totals,
    undefined,
    () => encoder.noteFrame(Buffer.from('last'), 9),
  );
  changeAll(1);
  const encoding = encoder.encode(1);
  expect(encoding).toBeInstanceOf(Promise);
  await jest.advanceTimersByTimeAsync(10_000);
  expect(await encoding).toEqual({ version: 1, framesSince: [Buffer.from('last')] });
});

test('a small change is encoded at once', () => {
  totals.set('a', 1);
  encoder.note(['a']);
  expect(encoder.encode(1)).toEqual({ version: 1, framesSince: [] });
  expect(counts()).toEqual([1]);
});

test('a state completes although rooms keep changing, with the frames since its start', async () => {
  changeAll(1);
  const states = [encoder.encode(1), encoder.encode(1)];
  const frames: Buffer[] = [];
  let encoded: Awaited<(typeof states)[0]> | undefined;
  void Promise.resolve(states[0]).then((done) => {
    encoded = done;
  });
  for (let version = 2; version < 200 && !encoded; version += 1) {
    frames.push(changeAll(version));
    await jest.advanceTimersByTimeAsync(8);
  }
  expect(encoded?.version).toBe(1);
  expect(frames.length).toBeGreaterThan(10);
  expect(encoded?.framesSince).toEqual(frames);
  expect(counts()).toHaveLength(names.length);
  expect(Math.min(...counts())).toBeGreaterThanOrEqual(1);
  expect(await states[1]).toBe(encoded);
});

test('an encoding with too many frames since its start starts over', async () => {
  changeAll(1);
  const state = Promise.resolve(encoder.encode(1));
  for (let version = 2; version <= 5; version += 1) changeAll(version, 10 * 1024 * 1024);
  await jest.advanceTimersByTimeAsync(10_000);
  // Four frames are more than 32 MiB.
  expect(await state).toEqual({ version: 5, framesSince: [] });
  expect(counts()).toEqual(names.map(() => 5));
});

test('viewers that wait during a restart get the state after it', async () => {
  changeAll(1);
  const state = Promise.resolve(encoder.encode(1));
  encoder.clear();
  totals.clear();
  totals.set('a', 7);
  encoder.note(['a']);
  expect(encoder.encodeNow(3)).toEqual({ version: 3, framesSince: [] });
  expect(await state).toEqual({ version: 3, framesSince: [] });
  expect(counts()).toEqual([7]);
  await jest.advanceTimersByTimeAsync(10_000);
  expect(jest.getTimerCount()).toBe(0);
});

test('while a viewer waits, the idle timer starts no extra slice', async () => {
  encoder.encodeLater(1);
  await jest.advanceTimersByTimeAsync(996);
  changeAll(1);
  void encoder.encode(1);
  const encode = jest.spyOn(EncodedRooms.prototype, 'encode');
  await jest.advanceTimersByTimeAsync(4);
  expect(encode).not.toHaveBeenCalled();
  await jest.advanceTimersByTimeAsync(4);
  expect(encode).toHaveBeenCalledTimes(1);
});

test('an activation delays the encoding that no viewer waits for, and small changes do not', async () => {
  const encode = jest.spyOn(EncodedRooms.prototype, 'encode');
  encoder.encodeLater(1);
  await jest.advanceTimersByTimeAsync(900);
  encoder.encodeLater(501);
  await jest.advanceTimersByTimeAsync(900);
  expect(encode).not.toHaveBeenCalled();
  encoder.encodeLater(500);
  await jest.advanceTimersByTimeAsync(200);
  expect(encode).toHaveBeenCalled();
});

test('close leaves no timer', () => {
  changeAll(1);
  void encoder.encode(1);
  encoder.encodeLater(1);
  encoder.close();
  expect(jest.getTimerCount()).toBe(0);
});
