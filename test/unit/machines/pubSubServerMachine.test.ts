import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Epoch } from '../../../machines/ports.js';
import { runs } from '../../support/runs.js';
import {
  endWell,
  liveServer,
  probeMs,
  resyncMs,
  ScriptedPubSubServer,
  server,
  timing,
} from './support/scriptedPubSubServer.js';

let world: ScriptedPubSubServer;
afterEach(() => endWell(world));

describe('a pub-sub server without a wish', () => {
  test('is unknown and gets no requests', () => {
    world = new ScriptedPubSubServer();
    world.advance(3_600_000);
    expect(world.status).toBe('unknown');
    expect(world.requests).toEqual([]);
    expect(world.clock.pending).toBe(0);
  });

  test('ignores unexpected answers', () => {
    world = new ScriptedPubSubServer();
    world.reply({ type: 'silence.confirmed' });
    world.reply({ type: 'probe.answered' });
    world.reply({ type: 'snapshot.received', epoch: 9 as Epoch, snapshot: new Map([['r', 1]]) });
    world.reply({ type: 'request.failed', cause: 'late' });
    expect(world.status).toBe('unknown');
    expect(world.tally.connections).toBe(0);
  });
});

describe('activation', () => {
  test('asks once, merges the snapshot, and is live', () => {
    world = new ScriptedPubSubServer();
    world.send('activation.requested');
    expect(world.status).toBe('activating');
    world.advance(100);
    world.answer({ r: 2 });
    expect(world.status).toBe('live');
    expect(world.tally.countOn(server, 'r')).toBe(2);
    expect(world.reports).toContainEqual({ type: 'server.answered', server });
    expect(world.times('activity.requested')).toEqual([0]);
    expect(world.asked).toBe(server);
  });

  test('tries again 250 ms after a failure, doubling up to 5 s', () => {
    world = new ScriptedPubSubServer();
    world.send('activation.requested');
    world.run(14_000, () => 'fail');
    const times = world.times('activity.requested');
    const gaps = times.slice(1).map((atMs, i) => atMs - (times[i] as number) - 1);
    expect(gaps).toEqual([250, 500, 1000, 2000, 4000, 5000]);
    expect(world.failures).toBe(7);
  });

  test('opens a new epoch with every try', () => {
    world = new ScriptedPubSubServer();
    world.send('activation.requested');
    world.run(10_000, () => 'fail');
    const epochs = world
      .sent('activity.requested')
      .map((request) => ('epoch' in request ? request.epoch : 0));
    expect(epochs).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('spreads retries from 75 % to 125 % of the backoff', () => {
    for (const [jitter, firstMs] of [
      [0, 187.5],
      [1, 312.5],
    ] as const) {
      world = new ScriptedPubSubServer({ jitter });
      world.send('activation.requested');
      world.fail();
      world.advance(firstMs - 0.1);
      expect(world.requests).toHaveLength(1);
      world.advance(0.1);
      expect(world.requests).toHaveLength(2);
      world.fail();
      world.advance(2 * firstMs);
      expect(world.requests).toHaveLength(3);
    }
  });

  test('reports every failure, so the service need not wait for it', () => {
    world = new ScriptedPubSubServer();
    world.send('activation.requested');
    expect(world.failures).toBe(0);
    world.fail();
    expect([world.status, world.failures]).toEqual(['activating', 1]);
    world.advance(250);
    world.fail();
    expect([world.status, world.failures]).toEqual(['activating', 2]);
  });

  test('counts failures from zero after an answer', () => {
    world = new ScriptedPubSubServer();
    world.send('activation.requested');
    world.fail();
    world.advance(250);
    world.answer();
    expect(world.failures).toBe(0);
  });

  test('asks a live server again, because its counts may have been cleared', () => {
    world = liveServer({ r: 1 });
    world.tally.clear();
    world.send('activation.requested');
    expect(world.status).toBe('activating');
    world.answer({ r: 1 });
    expect(world.tally.countOn(server, 'r')).toBe(1);
    expect(world.times('activity.requested')).toHaveLength(2);
  });

  test('drops counts merged between a deactivation and the moment the server is told', () => {
    world = new ScriptedPubSubServer();
    world.send('activation.requested');
    world.tally.clear();
    world.answer({ r: 1 });
    world.answer({ r: 2 });
    expect(world.tally.countOn(server, 'r')).toBe(2);
    world.send('deactivation.requested');
    expect(world.tally.countOn(server, 'r')).toBe(0);
    expect([...world.tally.totals]).toEqual([]);
  });

  test('sends one request even if the previous resync becomes due meanwhile', () => {
    world = liveServer({ r: 1 });
    world.run(resyncMs - 20, () => 'answer');
    world.tally.clear();
    world.send('activation.requested');
    world.advance(40);
    world.answer({ r: 1 });
    expect(world.times('activity.requested')).toHaveLength(2);
    expect(world.open).toBeUndefined();
  });

  test('does not end with a probe that is answered after the counts were cleared', () => {
    world = liveServer({ r: 1 });
    world.advance(probeMs);
    world.tally.clear();
    world.send('activation.requested');
    expect(world.open?.type).toBe('probe.requested');
    world.answer();
    expect(world.status).toBe('activating');
    world.answer({ r: 1 });
    expect(world.status).toBe('live');
    expect(world.tally.countOn(server, 'r')).toBe(1);
  });

  test('asks for no document updates unless somebody wishes them, and again when that changes', () => {
    world = liveServer();
    world.send('updates.wished');
    world.answer();
    world.send('updates.unwished');
    world.answer();
    world.send('deactivation.requested');
    world.answer();
    world.send('updates.wished');
    expect(world.open).toBeUndefined();
    world.send('activation.requested');
    world.answer();
    const withUpdates = world
      .sent('activity.requested')
      .map((request) => 'withUpdates' in request && request.withUpdates);
    expect(withUpdates).toEqual([false, true, false, true]);
  });

  test('asks again at once if the counts were cleared during the request', () => {
    world = new ScriptedPubSubServer();
    world.send('activation.requested');
    world.tally.clear();
    world.answer({ r: 1 });
    expect(world.status).toBe('activating');
    expect(world.requests).toHaveLength(2);
    world.answer({ r: 1 });
    expect(world.status).toBe('live');
    expect(world.tally.countOn(server, 'r')).toBe(1);
  });
});

describe('silencing', () => {
  test('asks once and is silent, from any state', () => {
    for (const make of [() => new ScriptedPubSubServer(), () => liveServer({ r: 1 })]) {
      world = make();
      world.send('deactivation.requested');
      expect(world.status).toBe('silencing');
      world.answer();
      expect(world.status).toBe('silent');
      expect(world.reports).toContainEqual({ type: 'server.answered', server });
      expect(world.clock.pending).toBe(0);
      world.advance(3_600_000);
      expect(world.sent('silence.requested')).toHaveLength(1);
      expect(world.sent('probe.requested')).toHaveLength(0);
      expect(world.clock.pending).toBe(0);
    }
  });

  test('gives up after five failures', () => {
    world = new ScriptedPubSubServer();
    world.send('deactivation.requested');
    world.run(60_000, () => 'fail');
    expect([world.status, world.failures]).toEqual(['unknown', 5]);
    expect(world.requests).toHaveLength(5);
    expect(world.clock.pending).toBe(0);
  });

  test('reports a silent server again without a request', () => {
    world = new ScriptedPubSubServer();
    world.send('deactivation.requested');
    world.answer();
    const reports = world.reports.length;
    world.send('deactivation.requested');
    expect(world.reports).toHaveLength(reports + 1);
    expect(world.status).toBe('silent');
    expect(world.requests).toHaveLength(1);
  });

  test('starts again with no failures when evidence comes', () => {
    for (const behaviour of ['answer', 'fail'] as const) {
      world = new ScriptedPubSubServer();
      world.send('deactivation.requested');
      world.run(60_000, () => behaviour);
      const before = world.requests.length;
      world.send('evidence.found');
      expect([world.status, world.failures]).toEqual(['silencing', 0]);
      world.run(60_000, () => 'fail');
      expect(world.requests).toHaveLength(before + 5);
      expect(world.status).toBe('unknown');
    }
  });

  test('asks once more if evidence comes during the request, which may be older', () => {
    world = new ScriptedPubSubServer();
    world.send('deactivation.requested');
    world.send('evidence.found');
    world.answer();
    expect(world.status).toBe('silencing');
    expect(world.reports).toContainEqual({ type: 'server.answered', server });
    world.answer();
    expect(world.status).toBe('silent');
    expect(world.requests).toHaveLength(2);
  });
});

describe('a wish that comes during a request', () => {
  test.each(['answer', 'fail'] as const)('waits until the request ends (%s)', (end) => {
    world = new ScriptedPubSubServer();
    world.send('deactivation.requested');
    world.send('activation.requested');
    world.advance(1000);
    expect(world.requests).toHaveLength(1);
    world[end]();
    world.advance(250);
    expect(world.open?.type).toBe('activity.requested');
    world.send('deactivation.requested');
    expect(world.requests).toHaveLength(2);
    world[end]();
    world.advance(250);
    expect(world.open?.type).toBe('silence.requested');
    expect(world.tally.connections).toBe(0);
  });

  test('does not wait for the retry of the old one', () => {
    world = new ScriptedPubSubServer();
    world.send('activation.requested');
    world.run(20_000, () => 'fail');
    expect(world.open).toBeUndefined();
    world.send('deactivation.requested');
    expect(world.open?.type).toBe('silence.requested');
  });

  test('wins if it is the last of many', () => {
    world = liveServer();
    for (let i = 0; i < 9; i += 1) {
      world.send('deactivation.requested');
      world.send('activation.requested');
    }
    world.settle();
    expect(world.status).toBe('live');
    expect(world.requests.at(-1)?.type).toBe('activity.requested');
  });

  test('may be silence during a probe', () => {
    world = liveServer();
    world.advance(4500);
    expect(world.open?.type).toBe('probe.requested');
    world.send('deactivation.requested');
    world.answer();
    expect(world.open?.type).toBe('silence.requested');
    world.answer();
    expect(world.status).toBe('silent');
  });
});

describe('with any events in any order', () => {
  const events = [
    'activation.requested',
    'deactivation.requested',
    'evidence.found',
    'doubt.raised',
    'startup.answered',
    'answer',
    'fail',
  ] as const;

  test('there is one request at a time, there are few timers, and the last wish is reached', () => {
    const step = fc.tuple(
      fc.constantFrom(...events),
      fc.constantFrom(0, 1, 49, 250, 2000, 5000, 30_000),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), fc.boolean(), (steps, isLive) => {
        world = new ScriptedPubSubServer();
        for (const [event, ms] of steps) {
          if (event !== 'answer' && event !== 'fail') world.send(event);
          else if (world.open) world[event]({ r: 1 } as never);
          world.advance(ms);
          expect(world.clock.pending).toBeLessThanOrEqual(6);
        }
        world.send(isLive ? 'activation.requested' : 'deactivation.requested');
        world.run(60_000, () => 'answer', 10);
        expect(world.status).toBe(isLive ? 'live' : 'silent');
        expect([world.overlaps, world.errors]).toEqual([[], []]);
        world.stop();
      }),
      runs(60),
    );
  });
});

describe('because a request that was not acknowledged may still be applied,', () => {
  /** Activated by its second request, its first one being lost. */
  function provisional(): ScriptedPubSubServer {
    const fresh = new ScriptedPubSubServer();
    fresh.send('activation.requested');
    fresh.fail();
    fresh.advance(250);
    fresh.answer();
    return fresh;
  }

  test('a snapshot in between does not replace the confirmation', () => {
    world = provisional();
    world.advance(500);
    world.send('evidence.found');
    world.answer();
    world.advance(timing.requestTimeoutMs);
    expect(world.sent('activity.requested')).toHaveLength(4);
    world.answer();
    world.advance(2 * timing.requestTimeoutMs);
    expect(world.sent('activity.requested')).toHaveLength(4);
  });

  test('a snapshot in between postpones the confirmation, which the newest one needs now', () => {
    world = provisional();
    world.advance(1500);
    world.send('evidence.found');
    world.answer();
    world.advance(timing.requestTimeoutMs - 1);
    expect(world.sent('activity.requested')).toHaveLength(3);
    world.advance(1);
    expect(world.sent('activity.requested')).toHaveLength(4);
  });

  test('the confirmation is due before any resync, even if resyncs are more frequent', () => {
    world = new ScriptedPubSubServer({ timing: { resyncIntervalMs: 1000 } });
    world.send('activation.requested');
    world.fail();
    world.run(250 + timing.requestTimeoutMs, () => 'answer', 0);
    expect(world.times('activity.requested')).toEqual([0, 250, 250 + timing.requestTimeoutMs]);
  });

  test.each([0, 60_000])(
    'the first snapshot after a deactivation of %i ms is confirmed too',
    (silentMs) => {
      world = provisional();
      world.advance(500);
      world.send('deactivation.requested');
      world.answer();
      world.advance(silentMs);
      world.send('activation.requested');
      world.answer();
      world.advance(timing.requestTimeoutMs);
      expect(world.sent('activity.requested')).toHaveLength(4);
    },
  );

  test('the first snapshot after another wish is confirmed, and no earlier one', () => {
    world = provisional();
    world.advance(timing.requestTimeoutMs - 20);
    world.tally.clear();
    world.send('activation.requested');
    world.advance(40);
    world.answer();
    expect(world.sent('activity.requested')).toHaveLength(3);
    world.advance(timing.requestTimeoutMs);
    expect(world.sent('activity.requested')).toHaveLength(4);
    world.answer();
    world.advance(2 * timing.requestTimeoutMs);
    expect(world.sent('activity.requested')).toHaveLength(4);
  });

  test('a failure in between delays the confirmation until the next snapshot', () => {
    world = provisional();
    world.advance(500);
    world.send('evidence.found');
    world.advance(1400);
    world.fail();
    world.advance(250);
    world.answer();
    world.advance(timing.requestTimeoutMs);
    expect(world.sent('activity.requested')).toHaveLength(5);
  });
});
