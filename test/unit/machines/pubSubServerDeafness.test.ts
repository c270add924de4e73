import { afterEach, describe, expect, test } from '@jest/globals';
import {
  endWell,
  liveServer,
  probeMs,
  resyncMs,
  type ScriptedPubSubServer,
  server,
  timing,
} from './support/scriptedPubSubServer.js';

const postGraceMs = timing.requestTimeoutMs;

let world: ScriptedPubSubServer;
afterEach(() => endWell(world));

const snapshots = (sinceMs: number) => world.times('activity.requested', sinceMs);

/** Lets time go by until the next snapshot is asked for, and answers it. */
function answerNext(rooms: Record<string, number>): void {
  for (let ms = 0; world.open?.type !== 'activity.requested'; ms += 1) {
    if (ms > 2 * resyncMs) throw new Error('no snapshot is asked for');
    if (world.open) world.answer();
    world.advance(1);
  }
  world.answer(rooms);
}

/** One whose snapshots have said twice what no post did, and for which late posts have been waited. */
function deafServer(): ScriptedPubSubServer {
  world = liveServer({ r: 1 });
  answerNext({ r: 2 });
  answerNext({ r: 3 });
  world.advance(postGraceMs);
  return world;
}

describe('a server with changes in its snapshots that no post contained', () => {
  test('is deaf after two such snapshots and the time that a late post may take', () => {
    world = liveServer({ r: 1 });
    answerNext({ r: 2 });
    world.advance(postGraceMs);
    expect(world.status).toBe('live');
    answerNext({ r: 3 });
    world.advance(postGraceMs - 1);
    expect(world.status).toBe('live');
    world.advance(1);
    expect(world.status).toBe('deaf');
    expect(world.tally.countOn(server, 'r')).toBe(3);
  });

  test('gets requests for snapshots in place of probes from the first one on', () => {
    world = liveServer({ r: 1 });
    answerNext({ r: 2 });
    const sinceMs = world.clock.nowMs;
    world.advance(probeMs);
    world.answer({ r: 2 });
    world.advance(probeMs);
    expect(snapshots(sinceMs + 1)).toEqual([sinceMs + probeMs, sinceMs + 2 * probeMs]);
    expect(world.sent('probe.requested', sinceMs)).toEqual([]);
    world.answer({ r: 3 });
    world.advance(postGraceMs);
    expect(world.status).toBe('deaf');
    answerNext({ r: 4 });
    expect(world.clock.nowMs).toBe(sinceMs + 3 * probeMs);
    expect(world.tally.countOn(server, 'r')).toBe(4);
    expect(world.status).toBe('deaf');
  });

  test('is deaf even if snapshots come faster than late posts may take', () => {
    world = liveServer({ r: 1 }, { timing: { probeIntervalMs: 500 } });
    answerNext({ r: 2 });
    const sinceMs = world.clock.nowMs;
    for (let count = 3; world.clock.nowMs < sinceMs + postGraceMs - 500; count += 1)
      answerNext({ r: count });
    world.advance(sinceMs + postGraceMs - world.clock.nowMs);
    expect(world.status).toBe('deaf');
  });

  test('is live at once when a post with any token arrives, and is probed again', () => {
    for (const which of ['newest', 'older'] as const) {
      world = deafServer();
      const { baseEpoch } = world;
      if (which === 'older') answerNext({ r: 3 });
      expect(world.status).toBe('deaf');
      world.post(baseEpoch, 1);
      expect(world.status).toBe('live');
      world.advance(postGraceMs);
      world.settle({ r: 4 });
      const sinceMs = world.clock.nowMs;
      world.advance(probeMs);
      expect(world.sent('probe.requested', sinceMs)).toHaveLength(1);
      if (which === 'newest') world.stop();
    }
  });

  test('is stale when it misses an answer, and deaf again when it answers', () => {
    world = deafServer();
    world.advance(probeMs);
    world.fail();
    expect(world.status).toBe('stale');
    world.advance(250);
    world.answer({ r: 3 });
    expect(world.status).toBe('deaf');
  });

  test('is live in the next activation until one more such snapshot', () => {
    world = deafServer();
    world.send('deactivation.requested');
    world.tally.clear();
    world.settle();
    expect(world.status).toBe('silent');
    world.send('activation.requested');
    world.answer({ r: 1 });
    expect(world.status).toBe('live');
    world.advance(probeMs);
    world.answer({ r: 2 });
    world.advance(postGraceMs);
    expect(world.status).toBe('deaf');
  });
});

describe('a server is not deaf', () => {
  afterEach(() =>
    expect(world.reports).not.toContainEqual(expect.objectContaining({ status: 'deaf' })),
  );

  test('if its posts come a little later than the snapshot that contains them', () => {
    world = liveServer({ r: 1 });
    for (let count = 2; count < 9; count += 1) {
      const { baseEpoch } = world;
      answerNext({ r: count });
      world.advance(postGraceMs - 1);
      world.post(baseEpoch, 1);
    }
    world.advance(60_000);
  });

  test('if one of its many posts was lost', () => {
    world = liveServer({ r: 1 });
    for (let count = 2; count < 9; count += 1) {
      world.post(world.baseEpoch, 1);
      answerNext({ r: count + 1 });
    }
  });

  test('if single posts were lost between others', () => {
    world = liveServer({ r: 1 });
    answerNext({ r: 2 });
    world.advance(postGraceMs);
    world.post(world.baseEpoch, 1);
    answerNext({ r: 3 });
    answerNext({ r: 4 });
    world.advance(postGraceMs);
  });

  test('if it restarts repeatedly and sends start-up queries', () => {
    world = liveServer({ r: 1 });
    for (let count = 2; count < 6; count += 1) {
      world.send('startup.answered');
      world.advance(50);
      answerNext({ r: count });
      world.advance(postGraceMs);
    }
  });

  const restart = () => world.send('startup.answered');
  const activateAgain = () => {
    world.send('deactivation.requested');
    world.tally.clear();
    world.settle();
    world.send('activation.requested');
    world.answer({ r: 2 });
  };

  test.each([
    ['its restart', restart],
    [
      'its activation',
      () => {
        activateAgain();
        world.send('evidence.found');
      },
    ],
  ])('before late posts have had their time since %s', (_, begin) => {
    world = liveServer({ r: 1 }, { timing: { probeIntervalMs: 500 } });
    answerNext({ r: 2 });
    world.advance(postGraceMs - 1500);
    begin();
    answerNext({ r: 3 });
    answerNext({ r: 4 });
    world.advance(postGraceMs - 500);
  });

  test('after one such snapshot before a deactivation and one after it', () => {
    world = liveServer({ r: 1 });
    answerNext({ r: 2 });
    activateAgain();
    answerNext({ r: 3 });
    world.advance(postGraceMs);
  });

  test('if its snapshots are all the same', () => {
    world = liveServer({ r: 1 });
    for (let i = 0; i < 5; i += 1) answerNext({ r: 1 });
    world.advance(postGraceMs);
  });

  test('if it was unreachable and returned with other counts', () => {
    world = liveServer({ r: 1 });
    for (let count = 2; count < 5; count += 1) {
      world.run(40_000, () => 'fail');
      expect(world.status).toBe('unreachable');
      while (world.open?.type !== 'activity.requested') world.advance(1);
      world.answer({ r: count });
      world.advance(postGraceMs);
      world.settle({ r: count });
    }
  });
});
