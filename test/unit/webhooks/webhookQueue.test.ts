import { describe, expect, test } from '@jest/globals';
import { WebhookFailure } from '../../../server/webhooks/webhookFailure.js';
import { WebhookQueue } from '../../../server/webhooks/webhookQueue.js';
import type { ActivityEvent } from '../../../server/wire/activityEvent.js';
import { HandClock } from '../../support/handClock.js';

const eventOf = (id: string) => ({ id }) as ActivityEvent;

/** A queue whose receiver answers as the test says. Notes what happens, in order. */
function stage() {
  const clock = new HandClock();
  // No time is 0.
  clock.advance(1000);
  const told: string[] = [];
  const receiver = {
    failure: undefined as string | undefined,
    retryAfterMs: undefined as number | undefined,
    isHanging: false,
    /** Ends the attempt that hangs. */
    answer: (_isAccepted: boolean) => {},
  };
  const queue = new WebhookQueue({
    clock,
    random: () => 1,
    deliver: ({ id }) => {
      told.push(`sent ${id}`);
      if (receiver.isHanging)
        return new Promise((resolve, reject) => {
          receiver.answer = (isAccepted) => (isAccepted ? resolve() : reject(new Error('no')));
        });
      const { failure, retryAfterMs } = receiver;
      return failure
        ? Promise.reject(new WebhookFailure(failure, retryAfterMs))
        : Promise.resolve();
    },
    onDelivered: () => told.push('delivered'),
    onFailed: (cause) => told.push(`failed ${cause}`),
    onDropped: ({ id }) => told.push(`dropped ${id}`),
  });
  /** Lets promises settle. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const add = (...ids: string[]) => {
    for (const id of ids) queue.add(eventOf(id));
    return settle();
  };
  const advance = (ms: number) => {
    clock.advance(ms);
    return settle();
  };
  return { clock, queue, receiver, add, advance, settle, take: () => told.splice(0) };
}

describe('the queue of webhooks', () => {
  test('delivers one after the other', async () => {
    const { add, take } = stage();
    await add('a', 'b');
    expect(take()).toEqual(['sent a', 'delivered', 'sent b', 'delivered']);
    await add('c');
    expect(take()).toEqual(['sent c', 'delivered']);
  });

  test('tries again after 1, 2, 4 seconds, and goes on in order', async () => {
    const { add, advance, receiver, take } = stage();
    receiver.failure = 'answered 500';
    await add('a', 'b');
    expect(take()).toEqual(['sent a', 'failed answered 500']);
    for (const ms of [1000, 2000, 4000]) {
      await advance(ms - 1);
      expect(take()).toEqual([]);
      await advance(1);
      expect(take()).toEqual(['sent a', 'failed answered 500']);
    }
    receiver.failure = undefined;
    await advance(8000);
    expect(take()).toEqual(['sent a', 'delivered', 'sent b', 'delivered']);
    receiver.failure = 'refused';
    await add('c');
    await advance(1000);
    expect(take()).toEqual(['sent c', 'failed refused', 'sent c', 'failed refused']);
  });

  test('does not try again before the receiver allows it, and sooner only if that is later', async () => {
    const { add, advance, receiver, take } = stage();
    receiver.failure = 'answered 429';
    receiver.retryAfterMs = 60_000;
    await add('a');
    await add('b');
    take();
    // Up to a second more, so that several instances do not come together.
    await advance(60_999);
    expect(take()).toEqual([]);
    await advance(1);
    expect(take()).toEqual(['sent a', 'failed answered 429']);
    receiver.retryAfterMs = 0;
    await advance(61_000);
    expect(take()).toEqual(['sent a', 'failed answered 429']);
    // The third pause is 4 s: the receiver asks for less.
    await advance(3999);
    expect(take()).toEqual([]);
    await advance(1);
    expect(take()).toHaveLength(2);
  });

  test('never waits for longer than 5 minutes', async () => {
    const { add, advance, receiver, take } = stage();
    receiver.failure = 'no';
    await add('a');
    for (let i = 0; i < 9; i += 1) await advance(300_000);
    take();
    await advance(299_999);
    expect(take()).toEqual([]);
    await advance(1);
    expect(take()).toEqual(['sent a', 'failed no']);
  });

  test('gives an event up after an hour', async () => {
    const { add, advance, receiver, take } = stage();
    receiver.failure = 'no';
    await add('a');
    for (let i = 0; i < 12; i += 1) await advance(300_000);
    await add('b');
    take();
    await advance(300_000);
    expect(take()).toEqual(['dropped a', 'sent b', 'failed no']);
    receiver.failure = undefined;
    await advance(300_000);
    expect(take()).toEqual(['sent b', 'delivered']);
  });

  test('goes on after it has given up the only event', async () => {
    const { add, advance, receiver, take } = stage();
    receiver.failure = 'no';
    await add('a');
    for (let i = 0; i < 13; i += 1) await advance(300_000);
    expect(take().at(-1)).toBe('dropped a');
    await add('b');
    expect(take()).toEqual(['sent b', 'failed no']);
  });

  test('keeps 500, and drops the oldest of those that wait', async () => {
    const { add, receiver, take } = stage();
    receiver.isHanging = true;
    await add(...Array.from({ length: 502 }, (_, i) => `e${i}`));
    expect(take()).toEqual(['sent e0', 'dropped e1', 'dropped e2']);
  });

  test('sends nothing more after it was closed while it was idle', async () => {
    const { add, queue, take } = stage();
    queue.close();
    await add('a');
    expect(take()).toEqual([]);
  });

  test('tells nothing of an attempt that ends after it was closed, and sends nothing more', async () => {
    for (const isAccepted of [true, false]) {
      const { add, queue, receiver, settle, take } = stage();
      receiver.isHanging = true;
      await add('a', 'b');
      queue.close();
      receiver.answer(isAccepted);
      await settle();
      expect(take()).toEqual(['sent a']);
    }
  });

  test('sends nothing after it was closed', async () => {
    const { add, advance, queue, receiver, take } = stage();
    receiver.failure = 'no';
    await add('a');
    queue.close();
    take();
    await add('b');
    await advance(10_000);
    expect(take()).toEqual([]);
  });
});
