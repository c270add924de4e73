import { expect, test } from '@jest/globals';
import { SharedFrame } from '../../../server/sse/sharedFrame.js';

/** A shared frame whose loads end when the test says so. */
function sharedFrame() {
  const loads: { end: (text: string) => void; fail: (error: Error) => void }[] = [];
  const shared = new SharedFrame<string, Buffer>(
    () => new Promise((end, fail) => loads.push({ end, fail })),
    (text) => (text === '' ? undefined : Buffer.from(text)),
  );
  return { shared, loads };
}

test('all viewers get the same frame, which is made once', async () => {
  const { shared, loads } = sharedFrame();
  const [one, other] = [shared.get(), shared.get()];
  loads[0]?.end('a');
  const frame = await one;
  expect(String(frame)).toBe('a');
  expect(await other).toBe(frame);
  expect(shared.get()).toBe(frame);
  expect(loads).toHaveLength(1);
});

test('a frame that is outdated is made again, but one that is being made is not', async () => {
  const { shared, loads } = sharedFrame();
  const early = shared.get();
  shared.forgetMade();
  const late = shared.get();
  loads[0]?.end('a');
  expect(await late).toBe(await early);
  expect(loads).toHaveLength(1);
  shared.forgetMade();
  const next = shared.get();
  loads[1]?.end('b');
  expect(String(await next)).toBe('b');
});

test('a frame that is outdated while it is made goes to those who wait, and to nobody else', async () => {
  const { shared, loads } = sharedFrame();
  const early = shared.get();
  shared.forget();
  const late = shared.get();
  loads[0]?.end('a');
  expect(String(await early)).toBe('a');
  shared.forgetMade();
  // The end of the outdated one does not make viewers load a third.
  const later = shared.get();
  expect(loads).toHaveLength(2);
  loads[1]?.end('b');
  expect(String(await late)).toBe('b');
  expect(await later).toBe(await late);
  shared.forget();
  void shared.get();
  expect(loads).toHaveLength(3);
});

test('if there is no frame now, or a load fails, the next viewer loads again', async () => {
  const { shared, loads } = sharedFrame();
  const nothing = shared.get();
  loads[0]?.end('');
  expect(await nothing).toBeUndefined();
  const failing = Promise.resolve(shared.get());
  loads[1]?.fail(new Error('not now'));
  await expect(failing).rejects.toThrow('not now');
  const frame = shared.get();
  loads[2]?.end('a');
  expect(String(await frame)).toBe('a');
});
