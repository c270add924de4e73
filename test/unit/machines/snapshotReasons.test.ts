import { afterEach, describe, expect, test } from '@jest/globals';
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

/** The reasons of all requests for a snapshot so far. */
const reasons = () =>
  world.requests.flatMap((request) =>
    request.type === 'activity.requested' ? [request.reason] : [],
  );

describe('the reason for a snapshot', () => {
  test('is an activation until the server is counted, however often it fails', () => {
    world = new ScriptedPubSubServer();
    world.send('activation.requested');
    world.fail();
    world.advance(250);
    world.answer();
    expect(reasons()).toEqual(['activation', 'activation']);
  });

  test('is a confirmation after a request that was not acknowledged', () => {
    world = new ScriptedPubSubServer();
    world.send('activation.requested');
    world.fail();
    world.advance(250);
    world.answer();
    world.advance(timing.requestTimeoutMs);
    world.settle();
    expect(reasons().at(-1)).toBe('confirmation');
  });

  test('is the resync interval', () => {
    world = liveServer();
    world.run(resyncMs + 10, () => 'answer');
    expect(reasons()).toEqual(['activation', 'regular']);
  });

  test('is evidence against the numbers', () => {
    world = liveServer();
    world.send('evidence.found');
    world.settle();
    expect(reasons()).toEqual(['activation', 'evidence']);
  });

  test('is that a newer attempt has overtaken the one that was answered', () => {
    world = liveServer();
    world.send('evidence.found');
    world.tally.openAttempt(server);
    world.answer();
    world.settle();
    expect(reasons()).toEqual(['activation', 'evidence', 'overtaken']);
  });

  test('is that updates are wished, or no longer', () => {
    world = liveServer();
    world.send('updates.wished');
    world.settle();
    world.send('updates.unwished');
    world.settle();
    expect(reasons()).toEqual(['activation', 'updates', 'updates']);
  });

  test('is a failure after a probe without an answer', () => {
    world = liveServer();
    world.advance(probeMs);
    world.fail();
    world.advance(250);
    world.settle();
    expect(reasons()[1]).toBe('failure');
  });

  test('is that posts are missing', () => {
    world = liveServer({ r: 1 });
    // The next snapshot has no room, and nothing was posted.
    world.run(resyncMs + timing.requestTimeoutMs + 2 * probeMs, () => 'answer');
    expect(reasons()).toContain('missed_posts');
  });

  test('is an activation again in the next activation', () => {
    world = liveServer();
    world.send('evidence.found');
    world.settle();
    world.send('deactivation.requested');
    world.settle();
    world.tally.clear();
    world.send('activation.requested');
    world.settle();
    expect(reasons().slice(0, 3)).toEqual(['activation', 'evidence', 'activation']);
  });
});
