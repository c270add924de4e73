import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type LastResult, RequestPacer } from '../../../server/pubsub/requestPacer.js';

const never = new AbortController().signal;
let started: number[];
let end: Map<number, () => void>;

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  started = [];
  end = new Map();
});
afterEach(() => {
  jest.useRealTimers();
});

/** A task that notes its start and lasts until `end` is called. */
const task = (id: number) => () => {
  started.push(id);
  return new Promise<void>((resolve) => end.set(id, resolve));
};

interface Kind {
  host?: string;
  lastResult?: LastResult;
  signal?: AbortSignal;
}

function runOne(
  pacer: RequestPacer,
  id: number,
  { host = 'a', lastResult = 'answered', signal = never }: Kind = {},
): void {
  pacer.run(task(id), { host, lastResult, signal });
}

function run(
  pacer: RequestPacer,
  count: number,
  { first = 0, ...kind }: Kind & { first?: number } = {},
) {
  for (let id = first; id < first + count; id += 1) runOne(pacer, id, kind);
}

/** Lets tasks start, each ended as soon as it has. */
async function answerAll(): Promise<void> {
  for (let done = 0; done < started.length || jest.getTimerCount() > 0; done = started.length) {
    for (const finish of end.values()) finish();
    await jest.advanceTimersByTimeAsync(1);
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, id) => id);

test('a limited number of tasks hold slots, and start in order', async () => {
  run(new RequestPacer({ slots: 4 }), 10);
  await jest.advanceTimersByTimeAsync(10);
  expect(started).toEqual(upTo(4));
});

test('a task that ends frees its slot', async () => {
  run(new RequestPacer({ slots: 4 }), 10);
  await jest.advanceTimersByTimeAsync(10);
  end.get(2)?.();
  await jest.advanceTimersByTimeAsync(10);
  expect(started).toEqual(upTo(5));
});

test('long tasks give their slots back after 50 ms', async () => {
  run(new RequestPacer(), 40);
  await jest.advanceTimersByTimeAsync(45);
  expect(started).toEqual(upTo(16));
  await jest.advanceTimersByTimeAsync(40);
  expect(started).toEqual(upTo(32));
  await jest.advanceTimersByTimeAsync(50);
  expect(started).toEqual(upTo(40));
});

test('the late end of a task frees no slot twice', async () => {
  run(new RequestPacer({ slots: 1, slotMs: 250 }), 10);
  await jest.advanceTimersByTimeAsync(260);
  expect(started).toEqual([0, 1]);
  end.get(0)?.();
  await jest.advanceTimersByTimeAsync(10);
  expect(started).toEqual([0, 1]);
});

test('a task that is aborted before its turn never starts, and takes no slot', async () => {
  const pacer = new RequestPacer({ slots: 1 });
  const stop = new AbortController();
  runOne(pacer, 0);
  runOne(pacer, 1, { signal: stop.signal });
  runOne(pacer, 2);
  await jest.advanceTimersByTimeAsync(1);
  stop.abort();
  end.get(0)?.();
  await jest.advanceTimersByTimeAsync(10);
  expect(started).toEqual([0, 2]);
});

test('without tasks no timer is left', async () => {
  run(new RequestPacer(), 40);
  for (let i = 0; i < 40; i += 1) {
    await jest.advanceTimersByTimeAsync(10);
    for (const finish of end.values()) finish();
  }
  await jest.advanceTimersByTimeAsync(1);
  expect(started).toEqual(upTo(40));
  expect(jest.getTimerCount()).toBe(0);
});

test('servers that answered go before unknown ones, and both before those that failed', async () => {
  const pacer = new RequestPacer({ slots: 1 });
  run(pacer, 2, { lastResult: 'failed' });
  run(pacer, 2, { lastResult: 'none', first: 2 });
  run(pacer, 2, { lastResult: 'answered', first: 4 });
  await answerAll();
  expect(started).toEqual([4, 5, 2, 3, 0, 1]);
});

test('a server that answered waits for at most one slot, however many hang', async () => {
  const pacer = new RequestPacer();
  run(pacer, 1000, { lastResult: 'none' });
  run(pacer, 1000, { lastResult: 'failed', first: 1000 });
  await jest.advanceTimersByTimeAsync(500);
  for (let id = 2000; id < 2010; id += 1) {
    runOne(pacer, id);
    await jest.advanceTimersByTimeAsync(55);
    expect(started).toContain(id);
  }
});

test.each<[LastResult, LastResult]>([
  ['answered', 'none'],
  ['answered', 'failed'],
  ['none', 'failed'],
])('while the %s never cease, the %s have one start in eight', async (busy, patient) => {
  const pacer = new RequestPacer({ slots: 1 });
  run(pacer, 400, { lastResult: busy });
  run(pacer, 10, { lastResult: patient, first: 1000 });
  await answerAll();
  const starts = started.flatMap((id, start) => (id >= 1000 ? [start] : []));
  expect(starts).toHaveLength(10);
  expect(Math.max(...starts)).toBeLessThan(80);
});

test('servers that failed have a quarter of the slots', async () => {
  const pacer = new RequestPacer({ slots: 16 });
  run(pacer, 100, { lastResult: 'failed' });
  await jest.advanceTimersByTimeAsync(45);
  expect(started).toEqual(upTo(4));
  await jest.advanceTimersByTimeAsync(40);
  expect(started).toEqual(upTo(8));
});

test.each<LastResult>(['answered', 'none', 'failed'])(
  'hosts take turns in the lane "%s"',
  async (lastResult) => {
    const pacer = new RequestPacer({ slots: 1 });
    run(pacer, 100, { lastResult, host: 'many' });
    run(pacer, 2, { lastResult, host: 'few', first: 100 });
    runOne(pacer, 102, { lastResult, host: 'one' });
    await answerAll();
    expect(started.slice(0, 6)).toEqual([0, 100, 102, 1, 101, 2]);
    expect(started).toHaveLength(103);
  },
);

test('thousands of aborted tasks are skipped in one turn', async () => {
  const pacer = new RequestPacer({ slots: 1 });
  const stop = new AbortController();
  runOne(pacer, 0);
  run(pacer, 3000, { lastResult: 'failed', signal: stop.signal, first: 1 });
  runOne(pacer, 3001, { lastResult: 'failed' });
  await jest.advanceTimersByTimeAsync(1);
  stop.abort();
  end.get(0)?.();
  await jest.advanceTimersByTimeAsync(1);
  expect(started).toEqual([0, 3001]);
});

describe('while it is held', () => {
  test('nothing starts, not even what was about to; afterwards all does', async () => {
    const pacer = new RequestPacer({ slots: 4 });
    run(pacer, 2);
    pacer.hold(() => {});
    run(pacer, 2, { first: 2 });
    await jest.advanceTimersByTimeAsync(100);
    expect(started).toEqual([]);
    pacer.resume();
    await jest.advanceTimersByTimeAsync(10);
    expect(started).toEqual(upTo(4));
  });

  test('it tells once when the last task has ended, also one that holds no slot any longer', async () => {
    const pacer = new RequestPacer({ slots: 4, slotMs: 5 });
    run(pacer, 2);
    await jest.advanceTimersByTimeAsync(50);
    let told = 0;
    pacer.hold(() => {
      told += 1;
    });
    await jest.advanceTimersByTimeAsync(100);
    end.get(0)?.();
    await jest.advanceTimersByTimeAsync(100);
    expect(told).toBe(0);
    end.get(1)?.();
    await jest.advanceTimersByTimeAsync(100);
    expect(told).toBe(1);
  });

  test('it tells once even if the last task ends at once', async () => {
    const pacer = new RequestPacer();
    run(pacer, 1);
    await jest.advanceTimersByTimeAsync(10);
    let told = 0;
    pacer.hold(() => {
      told += 1;
    });
    end.get(0)?.();
    await Promise.resolve();
    await jest.advanceTimersByTimeAsync(10);
    expect(told).toBe(1);
  });

  test('it tells soon if nothing runs, but not within the call', async () => {
    const pacer = new RequestPacer();
    let told = 0;
    pacer.hold(() => {
      told += 1;
    });
    expect(told).toBe(0);
    await jest.advanceTimersByTimeAsync(0);
    expect(told).toBe(1);
  });

  test('it does not tell if it went on meanwhile', async () => {
    const pacer = new RequestPacer();
    let told = 0;
    run(pacer, 1);
    await jest.advanceTimersByTimeAsync(10);
    pacer.hold(() => {
      told += 1;
    });
    pacer.resume();
    end.get(0)?.();
    await jest.advanceTimersByTimeAsync(10);
    expect(told).toBe(0);
  });
});
