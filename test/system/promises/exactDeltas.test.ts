import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import type { ScriptedServer } from '../../support/scriptedServer.js';
import {
  activationsOf,
  noResync,
  patient,
  post,
  type StagingOptions,
  startDouble,
  startStaged,
  truthOf,
  untilShown,
  untilState,
  watch,
} from '../../support/stage.js';
import { HeapClock } from '../../unit/machines/heapClock.js';

/** Only the epochs can make the counts right. */
const alone = { ...noResync, ...patient, PROBE_INTERVAL_MS: '60000' };

async function startOne(env: Record<string, string>, options?: StagingOptions) {
  const double = await startDouble();
  return { double, service: await startStaged([double], env, options) };
}

/** A connection opens now, and its delta is posted later, under the URL of now. */
async function openNow(double: ScriptedServer, room: string) {
  const { eventsUrl = '' } = double;
  await double.open(room, { lose: true });
  return { postLater: () => post(eventsUrl, JSON.stringify({ room, add: 1 })) };
}

describe('promise 4, exact: whatever the order of deltas and answers', () => {
  test('a delta that comes before the answer whose snapshot lacks it is counted once', async () => {
    const { double, service } = await startOne(alone);
    double.rooms.set('r', 2);
    double.respond({ kind: 'hang', effect: 'onArrival', times: 1 });
    const viewer = await watch(service);
    await eventually(() => expect(double.active).toBe(true));
    expect(await double.open('r')).toEqual({ status: 204 });
    expect(await double.open('new')).toEqual({ status: 204 });
    expect(viewer.rooms()).toEqual({});
    double.release();
    await untilShown(viewer, { r: 3, new: 1 });
    await double.close('r');
    await untilShown(viewer, truthOf(double));
    expect(activationsOf(double)).toBe(1);
  });

  test('a delta that the snapshot contains already is not counted again', async () => {
    const { double, service } = await startOne({ ...alone, REQUEST_TIMEOUT_MS: '150' });
    double.respond({ kind: 'hang', effect: 'onArrival', times: 1 });
    const viewer = await watch(service);
    await eventually(() => expect(double.active).toBe(true));
    // It opens under the URL of the first attempt. The snapshot of the second attempt has it.
    const { postLater } = await openNow(double, 'r');
    await untilShown(viewer, { r: 1 });
    expect(activationsOf(double)).toBeGreaterThanOrEqual(2);
    expect((await postLater()).status).toBe(204);
    await double.open('after');
    await untilShown(viewer, { r: 1, after: 1 });
  });

  test.each(['reset', 'status', 'html', 'empty'] as const)(
    'an answer that is lost (%s) after the activation took effect, then tried again, doubles nothing',
    async (kind) => {
      const { double, service } = await startOne(alone);
      double.rooms.set('r', 1);
      double.respond({ kind, effect: 'onArrival', times: 2 });
      const viewer = await watch(service);
      await eventually(() => expect(double.active).toBe(true));
      expect(await double.open('r')).toEqual({ status: 204 });
      await eventually(() => expect(activationsOf(double)).toBeGreaterThanOrEqual(2));
      expect(await double.open('r')).toEqual({ status: 204 });
      await untilShown(viewer, { r: 3 });
      expect(await double.close('r')).toEqual({ status: 204 });
      await double.open('s');
      await untilShown(viewer, { r: 2, s: 1 });
    },
  );

  test('a -1 that overtakes its +1 leaves nothing behind, and is no reason to ask', async () => {
    const clock = new HeapClock();
    const { double, service } = await startOne(alone, { clock });
    const viewer = await watch(service);
    await untilState(service, 'watched');
    const { postLater } = await openNow(double, 'r');
    await double.close('r');
    await double.open('other');
    await untilShown(viewer, { other: 1 });
    clock.advance(150);
    expect((await postLater()).status).toBe(204);
    await double.open('r');
    await untilShown(viewer, { other: 1, r: 1 });
    clock.advance(1000);
    await double.open('r');
    await untilShown(viewer, { other: 1, r: 2 });
    expect(activationsOf(double)).toBe(1);
  });

  test('a burst in any order adds up', async () => {
    // The clock stands still: a room may be below zero for as long as a busy machine takes.
    const { double, service } = await startOne(alone, { clock: new HeapClock() });
    const viewer = await watch(service);
    await untilState(service, 'watched');
    const posts = [];
    for (let i = 0; i < 60; i += 1) {
      const room = `r${i % 4}`;
      posts.push(double.open(room, { delayMs: (i * 37) % 100 }));
      if (i % 3 === 0) posts.push(double.close(room, { delayMs: (i * 53) % 100 }));
    }
    for (const outcome of await Promise.all(posts)) expect(outcome).toEqual({ status: 204 });
    await untilShown(viewer, truthOf(double));
    expect(activationsOf(double)).toBe(1);
  });

  test('a restart with clients back before the query replaces what was counted', async () => {
    const { double, service } = await startOne(alone);
    const viewer = await watch(service);
    await untilState(service, 'watched');
    for (const room of ['a', 'a', 'b']) await double.open(room);
    await untilShown(viewer, { a: 2, b: 1 });
    double.restart();
    for (const room of ['a', 'c']) expect(await double.open(room)).toHaveProperty('lost');
    await double.askAtStartup(service.url, { port: double.port });
    await double.open('c');
    await untilShown(viewer, { a: 1, c: 2 });
    await double.close('a');
    await untilShown(viewer, { c: 2 });
  });
});

describe('promise 4, exact: with losses, right again after one resync', () => {
  test('a lost +1 and a lost -1', async () => {
    const { double, service } = await startOne({ ...alone, RESYNC_INTERVAL_MS: '500' });
    double.rooms.set('leaver', 1);
    const viewer = await watch(service);
    await untilShown(viewer, { leaver: 1 });
    // The next resync is answered when the test says so, and no later one is answered at all.
    const before = activationsOf(double);
    double.respond({ kind: 'hang' });
    await double.open('comer', { lose: true });
    await double.close('leaver', { lose: true });
    await eventually(() => expect(activationsOf(double)).toBe(before + 1));
    expect(viewer.rooms()).toEqual({ leaver: 1 });
    double.release();
    await untilShown(viewer, { comer: 1 });
  });

  test('a lost +1 whose -1 arrives is noticed without any resync', async () => {
    const { double, service } = await startOne({ ...alone, REQUEST_TIMEOUT_MS: '200' });
    double.rooms.set('r', 1);
    const viewer = await watch(service);
    await untilShown(viewer, { r: 1 });
    await double.open('unseen', { lose: true });
    await double.open('r', { lose: true });
    await double.close('unseen');
    await untilShown(viewer, { r: 2 });
  });
});
