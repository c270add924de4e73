import { afterEach, describe, expect, test } from '@jest/globals';
import type { Epoch } from '../../../machines/ports.js';
import {
  endWell,
  liveServer,
  resyncMs,
  ScriptedPubSubServer,
  server,
  timing,
} from './support/scriptedPubSubServer.js';

const graceMs = 50;
const doubtMs = timing.requestTimeoutMs;
/** So late may a +1 be without a word, and so long has a room to be below zero to be evidence. */
const overtakenMs = 250;
const dipMs = 375;
/** Nothing but evidence has anybody ask for anything. */
const evidenceOnly = { timing: { resyncIntervalMs: 1e9, probeIntervalMs: 1e9 } };

let world: ScriptedPubSubServer;
afterEach(() => endWell(world));

const corrections = (sinceMs = 1) => world.times('activity.requested', sinceMs);
const gaps = (times: number[]) => times.slice(1).map((atMs, i) => atMs - (times[i] as number));

describe('a server whose start-up query was answered', () => {
  test('gets no request within 50 ms, then one for a snapshot, then one to confirm it', () => {
    world = liveServer({ r: 3 }, evidenceOnly);
    world.advance(1000);
    world.send('startup.answered');
    world.advance(graceMs - 1);
    expect(corrections()).toEqual([]);
    world.advance(1);
    expect(corrections()).toEqual([1050]);
    expect(world.tally.countOn(server, 'r')).toBe(3);
    world.answer({ r: 1 });
    expect(world.tally.countOn(server, 'r')).toBe(1);
    world.run(60_000, () => 'answer');
    expect(corrections()).toEqual([1050, 1050 + timing.requestTimeoutMs]);
  });

  test('is not activated within 50 ms, even if an activation is requested', () => {
    world = new ScriptedPubSubServer();
    world.send('startup.answered');
    world.send('activation.requested');
    world.advance(graceMs - 1);
    expect(world.requests).toEqual([]);
    world.advance(1);
    world.answer({ r: 1 });
    world.advance(1000);
    expect(world.times('activity.requested')).toEqual([graceMs]);
  });

  test('is silenced after 50 ms if nothing was ever requested from it', () => {
    world = new ScriptedPubSubServer();
    world.send('startup.answered');
    world.advance(graceMs);
    expect(world.times('silence.requested')).toEqual([graceMs]);
    world.answer();
    expect(world.status).toBe('silent');
  });

  test('gets another request after the open one', () => {
    world = new ScriptedPubSubServer(evidenceOnly);
    world.send('activation.requested');
    world.send('startup.answered');
    world.advance(graceMs);
    expect(world.requests).toHaveLength(1);
    world.answer();
    expect(world.requests).toHaveLength(2);
    world.answer({ r: 1 });
    world.run(60_000, () => 'answer');
    expect(world.requests.length).toBeLessThanOrEqual(3);
  });

  test('is not left until the next retry: it has just started', () => {
    world = liveServer();
    world.run(60_000, () => 'fail');
    expect(world.open).toBeUndefined();
    const beforeMs = world.clock.nowMs;
    world.advance(100);
    expect(corrections(beforeMs)).toEqual([]);
    world.send('startup.answered');
    world.advance(graceMs);
    expect(corrections(beforeMs)).toEqual([beforeMs + 100 + graceMs]);
    world.answer({ r: 1 });
    expect(world.status).toBe('live');
  });

  test('is silenced again if a deactivation is requested: the answer may be applied after it', () => {
    world = liveServer();
    world.send('startup.answered');
    world.send('deactivation.requested');
    world.answer();
    expect(world.status).toBe('silent');
    world.advance(graceMs);
    expect(world.status).toBe('silencing');
    world.answer();
    expect(world.status).toBe('silent');
    expect(world.sent('silence.requested')).toHaveLength(2);
  });

  test('gets one request in 2 s and then fewer, however many queries are sent', () => {
    world = liveServer();
    for (let i = 0; i < 6000; i += 1) {
      world.send('startup.answered');
      world.run(20, () => 'answer');
    }
    // After 0, 2, 6, 14, 30, 60, 90 s, each with a confirmation, and the resyncs.
    expect(corrections().length).toBeLessThanOrEqual(2 * 7 + 4);
    expect(Math.min(...gaps(corrections()))).toBeGreaterThan(1000);
  });
});

describe('a start-up query that is answered while the server may not be corrected', () => {
  test('causes no confirmation of the snapshots meanwhile: with more queries it would never end', () => {
    world = liveServer({}, evidenceOnly);
    world.advance(1000);
    world.send('startup.answered');
    const query = () => {
      world.send('startup.answered');
      return 'answer' as const;
    };
    world.run(59_000, query, 20);
    // Corrections after 0, 2, 6, 14 and 30 s, each with a confirmation.
    expect(corrections().length).toBeLessThanOrEqual(2 * 5);
  });

  test('is the same query if one was answered within the last 50 ms', () => {
    world = liveServer({}, evidenceOnly);
    world.advance(1000);
    world.send('evidence.found');
    world.answer();
    world.advance(1500);
    world.send('evidence.found');
    world.advance(480);
    world.send('startup.answered');
    world.advance(30);
    // The first correction has had its time by now, and the second one waits for the answer to be applied.
    world.send('startup.answered');
    world.run(56_990, () => 'answer', 0);
    const confirmedMs = 2980 + graceMs + timing.requestTimeoutMs;
    expect(corrections()).toEqual([1000, 2980 + graceMs, confirmedMs]);
    world.send('evidence.found');
    world.run(60_000, () => 'answer', 0);
    expect(corrections(10_000)).toEqual([60_000]);
  });

  test('causes a correction afterwards, and a confirmation one request timeout later', () => {
    world = liveServer({}, evidenceOnly);
    world.advance(1000);
    world.send('evidence.found');
    world.answer();
    world.advance(500);
    world.send('startup.answered');
    world.run(60_000, () => 'answer');
    expect(corrections()).toEqual([1000, 3000, 3001 + timing.requestTimeoutMs]);
  });
});

describe('evidence', () => {
  test('causes a correction at once', () => {
    world = liveServer({ r: 1 });
    world.advance(500);
    world.send('evidence.found');
    expect(corrections()).toEqual([500]);
  });

  test('causes a correction after the open request', () => {
    world = new ScriptedPubSubServer(evidenceOnly);
    world.send('activation.requested');
    world.send('evidence.found');
    expect(world.requests).toHaveLength(1);
    world.answer();
    expect(world.requests).toHaveLength(2);
    world.settle();
    world.advance(60_000);
    expect(world.requests).toHaveLength(2);
  });

  test('that never ends causes corrections after 2 s, 4, 8, 16, and then one per resync interval', () => {
    world = liveServer({}, { timing: { probeIntervalMs: 1e9 } });
    world.clock.setTimeout(function flood() {
      world.send('evidence.found');
      world.clock.setTimeout(flood, 20);
    }, 20);
    world.run(200_000, () => 'answer');
    const [first = 0, ...rest] = gaps(corrections());
    expect([first, ...rest.slice(0, 3)]).toEqual([2000, 4000, 8000, 16_000]);
    // Beside the resyncs that are due anyway.
    expect(corrections(32_000).length).toBeLessThanOrEqual(2 * (168_000 / resyncMs + 1));
  });

  test('against a silent server also ends at one correction per resync interval', () => {
    world = new ScriptedPubSubServer();
    world.send('deactivation.requested');
    world.answer();
    world.clock.setTimeout(function flood() {
      world.send('evidence.found');
      world.clock.setTimeout(flood, 20);
    }, 20);
    world.run(160_000, () => 'answer');
    const [, ...rest] = gaps(world.times('silence.requested'));
    expect(rest).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000]);
    expect(world.status).toBe('silent');
  });

  test('after a whole pause without any causes a correction at once again', () => {
    world = liveServer({}, evidenceOnly);
    world.send('evidence.found');
    world.answer();
    for (let i = 0; i < 70; i += 1) {
      world.run(100, () => 'answer');
      world.send('evidence.found');
    }
    expect(world.open).toBeUndefined();
    world.run(24_000, () => 'answer');
    const before = world.requests.length;
    world.send('evidence.found');
    expect(world.requests).toHaveLength(before + 1);
    world.answer();
    world.advance(1000);
    world.send('evidence.found');
    world.advance(1000);
    expect(world.requests).toHaveLength(before + 2);
  });

  test('ends the wait for a retry, because the server can be reached', () => {
    world = liveServer();
    world.run(60_000, () => 'fail');
    expect(world.open).toBeUndefined();
    world.send('evidence.found');
    expect(world.open?.type).toBe('activity.requested');
  });

  test('does not shorten the wait of a server that fails more often than once in 2 s', () => {
    world = liveServer({}, evidenceOnly);
    for (let i = 0; i < 3000; i += 1) {
      world.send('evidence.found');
      world.run(20, () => 'fail');
    }
    // The retries alone are 16 in a minute.
    expect(corrections().length).toBeLessThanOrEqual(16 + 6);
  });
});

describe('a doubt', () => {
  test('that is explained in time sends nothing', () => {
    world = liveServer({}, evidenceOnly);
    world.post(world.baseEpoch, -1);
    world.advance(overtakenMs);
    world.post(world.baseEpoch, 1);
    world.advance(60_000);
    expect(corrections()).toEqual([]);
  });

  test('is looked at no longer once it is explained', () => {
    world = liveServer({}, evidenceOnly);
    const { pending } = world.clock;
    world.post(world.baseEpoch, -1);
    world.advance(100);
    world.post(world.baseEpoch, 1);
    expect(world.clock.pending).toBeGreaterThan(pending);
    world.advance(doubtMs);
    expect(world.clock.pending).toBe(pending);
  });

  test('that comes after one that was explained is examined, too', () => {
    world = liveServer({}, evidenceOnly);
    const old = world.baseEpoch;
    world.send('evidence.found');
    world.answer();
    world.advance(10_000);
    world.post(world.baseEpoch, -1);
    world.post(world.baseEpoch, 1);
    world.advance(10_000);
    world.post(old, 1);
    world.advance(doubtMs);
    expect(corrections()).toEqual([20_000 + doubtMs]);
  });

  test('about deltas that overtake each other for minutes sends nothing', () => {
    world = liveServer({}, evidenceOnly);
    for (let i = 0; i < 3000; i += 1) {
      world.post(world.baseEpoch, -1);
      world.advance(19);
      world.post(world.baseEpoch, 1);
      world.advance(1);
    }
    world.advance(60_000);
    expect(corrections()).toEqual([]);
  });

  test('that lasts longer than deltas overtake each other causes a correction', () => {
    world = liveServer({}, evidenceOnly);
    world.post(world.baseEpoch, -1);
    world.advance(dipMs - 1);
    expect(corrections()).toEqual([]);
    world.advance(1);
    expect(corrections()).toEqual([dipMs]);
    world.answer({ r: 2 });
    world.advance(60_000);
    expect(corrections()).toHaveLength(1);
    expect(world.tally.countOn(server, 'r')).toBe(2);
  });

  test('of a room that another connection lifts to zero again half a second later is not believed', () => {
    // The snapshot missed a connection, which closes now; the next one to open makes it look right.
    world = liveServer({}, evidenceOnly);
    world.post(world.baseEpoch, -1);
    world.run(500, () => 'fail');
    world.post(world.baseEpoch, 1);
    expect(world.tally.countOn(server, 'r')).toBe(0);
    world.advance(60_000);
    world.settle({ r: 1 });
    expect(world.tally.countOn(server, 'r')).toBe(1);
  });

  test('that is lifted while the server may not be corrected causes a correction afterwards', () => {
    world = liveServer({}, evidenceOnly);
    world.advance(1000);
    world.send('evidence.found');
    world.answer();
    world.post(world.baseEpoch, -1);
    world.advance(500);
    world.post(world.baseEpoch, 1);
    world.advance(1499);
    expect(corrections()).toEqual([1000]);
    world.advance(1);
    expect(corrections()).toEqual([1000, 3000]);
  });

  test('about deltas on an old URL causes a correction one request timeout later', () => {
    world = liveServer({}, evidenceOnly);
    const old = world.baseEpoch;
    world.send('evidence.found');
    world.answer();
    world.advance(10_000);
    world.post(old, 1);
    world.advance(doubtMs - 1);
    expect(corrections(1000)).toEqual([]);
    world.advance(1);
    expect(corrections(1000)).toEqual([10_000 + doubtMs]);
  });

  test('is replaced by evidence', () => {
    world = liveServer({}, evidenceOnly);
    world.post(world.baseEpoch, -1);
    world.advance(100);
    world.send('evidence.found');
    expect(corrections()).toEqual([100]);
    world.answer();
    world.advance(60_000);
    expect(corrections()).toEqual([100]);
  });

  test('that comes while the server may not be corrected is checked afterwards', () => {
    world = liveServer({}, evidenceOnly);
    world.advance(1000);
    world.send('evidence.found');
    world.answer();
    world.advance(500);
    world.post(world.baseEpoch, -1);
    world.advance(1499);
    expect(corrections()).toEqual([1000]);
    world.advance(1);
    expect(corrections()).toEqual([1000, 3000]);
  });

  test('is raised by a snapshot if deltas during the request make a room fall below zero', () => {
    world = new ScriptedPubSubServer(evidenceOnly);
    world.send('activation.requested');
    world.post(1 as Epoch, -1);
    world.answer();
    world.advance(dipMs);
    expect(corrections()).toEqual([dipMs]);
  });

  test('sends nothing to a server that has been silenced', () => {
    world = liveServer({}, evidenceOnly);
    world.post(world.baseEpoch, -1);
    world.tally.clear();
    world.send('deactivation.requested');
    world.answer();
    world.advance(60_000);
    expect(world.requests).toHaveLength(2);
  });
});

describe('a delta on the URL of a superseded start-up answer', () => {
  test('causes a correction at once', () => {
    world = liveServer({}, evidenceOnly);
    const startup = world.tally.nextEpoch();
    world.send('startup.answered');
    world.advance(graceMs);
    world.answer();
    world.advance(5000);
    world.settle();
    world.advance(60_000);
    const before = world.requests.length;
    world.post(startup, 1, true);
    expect(world.requests).toHaveLength(before + 1);
    world.answer({ r: 1 });
    expect(world.tally.countOn(server, 'r')).toBe(1);
  });
});
