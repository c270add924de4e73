import { afterEach, describe, expect, test } from '@jest/globals';
import {
  endWell,
  liveServer,
  overdueMs,
  probeMs,
  resyncMs,
  ScriptedPubSubServer,
  server,
  timing,
} from './support/scriptedPubSubServer.js';

let world: ScriptedPubSubServer;
afterEach(() => endWell(world));

const statuses = () =>
  world.reports.flatMap((report) => (report.type === 'server.reported' ? [report.status] : []));
const losses = () => world.reports.filter(({ type }) => type === 'server.lost');

describe('a live server', () => {
  test('is probed one probe interval after its last answer', () => {
    world = liveServer();
    world.advance(probeMs - 1);
    expect(world.sent('probe.requested')).toHaveLength(0);
    world.advance(1);
    expect(world.open?.type).toBe('probe.requested');
    world.advance(300);
    world.answer();
    world.advance(probeMs);
    expect(world.times('probe.requested')).toEqual([probeMs, 2 * probeMs + 300]);
    expect(world.status).toBe('live');
  });

  test('is asked for a snapshot one resync interval after the last one, however often it is probed', () => {
    world = liveServer();
    world.run(2 * resyncMs + 100, () => 'answer');
    expect(world.times('activity.requested')).toEqual([0, resyncMs, 2 * resyncMs + 1]);
    expect(world.sent('probe.requested').length).toBeGreaterThanOrEqual(10);
  });

  test('has the counts of the resync when it ends', () => {
    world = liveServer({ r: 1, lost: 1 });
    world.run(resyncMs, () => 'answer');
    world.answer({ r: 5 });
    expect([...world.tally.totals]).toEqual([['r', 5]]);
  });

  test('is asked at times spread by its jitter, and never later than the intervals', () => {
    for (const [spread, probe, resync] of [
      [0, 4000, 27_000],
      [1, 5000, 30_000],
    ] as const) {
      world = liveServer({}, { jitter: spread });
      world.run(resync + 10, () => 'answer');
      expect(world.times('probe.requested')[0]).toBe(probe);
      expect(world.times('activity.requested')).toEqual([0, resync]);
      world.stop();
    }
  });

  test('is stale after the first missed answer, and is asked for a snapshot 250 ms later', () => {
    world = liveServer({ r: 1 });
    world.advance(probeMs);
    world.fail('refused');
    expect([world.status, world.failures]).toEqual(['stale', 1]);
    expect(world.tally.countOn(server, 'r')).toBe(1);
    world.advance(249);
    expect(world.open).toBeUndefined();
    world.advance(1);
    expect(world.open?.type).toBe('activity.requested');
    world.answer({ r: 3 });
    expect(world.status).toBe('live');
    expect(world.tally.countOn(server, 'r')).toBe(3);
  });

  test('is also stale if a resync is not answered', () => {
    world = liveServer();
    world.run(resyncMs, () => 'answer');
    expect(world.open?.type).toBe('activity.requested');
    world.fail();
    expect(world.status).toBe('stale');
  });
});

describe('a server that no longer answers', () => {
  test('is unreachable and without counts exactly three probe intervals and a timeout after its last answer', () => {
    world = liveServer({ r: 1 });
    world.advance(probeMs);
    world.advance(120);
    world.answer();
    const lastAnswerMs = probeMs + 120;
    world.run(overdueMs - 1, () => 'fail', 1);
    expect(world.clock.nowMs).toBe(lastAnswerMs + overdueMs - 1);
    expect(world.status).toBe('stale');
    expect(world.tally.countOn(server, 'r')).toBe(1);
    world.run(1, () => 'fail');
    expect(world.status).toBe('unreachable');
    expect(world.tally.totals.size).toBe(0);
  });

  test('is also unreachable if its requests hang forever', () => {
    world = liveServer({ r: 1 });
    world.advance(overdueMs - 1);
    expect(world.tally.countOn(server, 'r')).toBe(1);
    world.advance(1);
    expect(world.status).toBe('unreachable');
    expect(world.tally.connections).toBe(0);
  });

  test('is unreachable that long after the activation if it never answered', () => {
    world = new ScriptedPubSubServer();
    world.advance(777);
    world.send('activation.requested');
    world.run(overdueMs - 1, () => 'fail');
    expect(world.status).toBe('activating');
    world.run(1, () => 'fail');
    expect(world.status).toBe('unreachable');
  });

  test('still gets requests, and is live and counted again when it answers', () => {
    world = liveServer({ r: 1 });
    world.run(60_000, ({ atMs }) => (atMs > 0 ? 'fail' : 'answer'));
    expect(world.status).toBe('unreachable');
    world.run(7000, () => 'answer');
    expect(world.status).toBe('live');
    const { length } = world.sent('activity.requested');
    expect(length).toBeGreaterThan(3);
    world.send('evidence.found');
    world.answer({ r: 4 });
    expect(world.tally.countOn(server, 'r')).toBe(4);
  });

  test('is reported with each failure', () => {
    world = liveServer();
    world.run(60_000, () => 'fail');
    const { failures } = world;
    world.run(15_000, () => 'fail');
    expect(world.status).toBe('unreachable');
    expect(world.failures).toBeGreaterThan(failures as number);
  });

  test('is live again when the open request is answered after all', () => {
    world = liveServer({ r: 1 });
    world.advance(probeMs);
    world.fail();
    world.advance(overdueMs);
    expect(world.status).toBe('unreachable');
    world.settle({ r: 2 });
    expect(world.status).toBe('live');
    expect(world.tally.countOn(server, 'r')).toBe(2);
  });

  test('is lost ten minutes after it became unreachable, once', () => {
    world = liveServer();
    world.advance(overdueMs);
    expect(world.status).toBe('unreachable');
    world.run(600_000 - 1, () => 'fail', 100);
    expect(losses()).toEqual([]);
    world.run(1, () => 'fail', 100);
    expect(losses()).toEqual([{ type: 'server.lost', server }]);
    world.run(1_200_000, () => 'fail', 100);
    expect(losses()).toHaveLength(1);
  });

  test('is silenced like any other', () => {
    world = liveServer();
    world.advance(overdueMs);
    world.fail();
    world.send('deactivation.requested');
    expect(world.status).toBe('silencing');
    world.run(60_000, () => 'fail');
    expect(world.status).toBe('unknown');
    world.advance(3_600_000);
    expect(losses()).toEqual([]);
    expect(world.clock.pending).toBe(0);
  });
});

describe('a request that was not acknowledged', () => {
  const confirmations = () => world.times('activity.requested', 1000);

  test('makes the next snapshot provisional: another one follows a request timeout later', () => {
    world = new ScriptedPubSubServer();
    world.send('activation.requested');
    world.fail();
    world.advance(250);
    world.answer();
    expect(world.status).toBe('live');
    world.advance(timing.requestTimeoutMs - 1);
    expect(confirmations()).toEqual([]);
    world.advance(1);
    expect(confirmations()).toEqual([250 + timing.requestTimeoutMs]);
    world.post(world.baseEpoch, 1);
    world.answer({ r: 2 });
    expect(world.tally.countOn(server, 'r')).toBe(2);
    world.post(world.baseEpoch, -2);
    world.run(resyncMs + 1, () => 'answer');
    expect(confirmations()).toHaveLength(2);
  });

  test('may also be a silence that failed before', () => {
    world = new ScriptedPubSubServer();
    world.send('deactivation.requested');
    world.send('activation.requested');
    world.fail();
    world.advance(250);
    world.answer();
    world.advance(timing.requestTimeoutMs);
    expect(confirmations()).toHaveLength(1);
  });

  test('is confirmed again when the confirmation failed', () => {
    world = new ScriptedPubSubServer();
    world.send('activation.requested');
    world.fail();
    world.advance(250);
    world.answer();
    world.advance(timing.requestTimeoutMs);
    world.fail();
    world.advance(250);
    world.answer();
    world.advance(timing.requestTimeoutMs);
    expect(confirmations()).toHaveLength(3);
  });

  test('does not matter if it is a probe, which changes nothing', () => {
    world = liveServer();
    world.advance(probeMs);
    world.fail();
    world.advance(250);
    world.answer();
    world.advance(timing.requestTimeoutMs);
    expect(confirmations()).toEqual([probeMs + 250]);
  });
});

describe('over an hour', () => {
  test.each([
    ['answers', () => 'answer' as const],
    ['fails', () => 'fail' as const],
    [
      'answers every third request',
      ({ atMs }: { atMs: number }) =>
        Math.floor(atMs) % 3 === 0 ? ('answer' as const) : ('fail' as const),
    ],
  ])('a server that %s does not pile up timers', (_, behave) => {
    world = liveServer();
    let most = 0;
    for (let i = 0; i < 3600; i += 1) {
      world.run(1000, behave, 20);
      most = Math.max(most, world.clock.pending);
    }
    expect(most).toBeLessThanOrEqual(4);
    expect(new Set(statuses()).has('unknown')).toBe(true);
  });

  test('a server that answers gets exactly the probes and requests of the intervals', () => {
    world = liveServer();
    world.run(3_600_000, () => 'answer', 20);
    const hours = 3_600_000;
    expect(world.sent('activity.requested').length).toBeCloseTo(hours / resyncMs, -1);
    expect(world.sent('probe.requested').length).toBeLessThanOrEqual(hours / probeMs);
    expect(world.sent('probe.requested').length).toBeGreaterThan(hours / probeMs / 1.3);
    expect(world.sent('silence.requested')).toEqual([]);
  });
});
