import { beforeEach, describe, expect, test } from '@jest/globals';
import { Reach } from '../../../server/pubsub/reach.js';

let nowMs: number;
let knowsServers: boolean;
let reach: Reach;

beforeEach(() => {
  nowMs = 0;
  knowsServers = true;
  reach = new Reach({ clock: { monotonicMs: () => nowMs }, knowsServers: () => knowsServers });
});

/** Asks a server each second, in vain. */
const askInVain = (seconds: number) => {
  for (let i = 0; i < seconds; i += 1) {
    reach.noteBegun();
    nowMs += 1000;
  }
};
const other = { id: 'b', isThere: true, reachesServers: true };

describe('a leader', () => {
  test('does not know whether it reaches its servers before it has asked', () => {
    nowMs = 60_000;
    expect(reach.reachesServers).toBeNull();
  });

  test('reaches them once one has answered', () => {
    reach.noteBegun();
    reach.noteAnswered();
    expect(reach.reachesServers).toBe(true);
  });

  test('does not reach them if none answers for 5 s after it was asked', () => {
    reach.noteBegun();
    reach.noteAnswered();
    nowMs = 60_000;
    askInVain(4);
    nowMs += 999;
    expect(reach.reachesServers).toBe(true);
    nowMs += 1;
    expect(reach.reachesServers).toBe(false);
  });

  test('reaches them again with the first answer', () => {
    askInVain(10);
    reach.noteAnswered();
    expect(reach.reachesServers).toBe(true);
  });

  test('reaches them while one of many answers', () => {
    for (let i = 0; i < 20; i += 1) {
      askInVain(4);
      reach.noteAnswered();
    }
    expect(reach.reachesServers).toBe(true);
  });

  test('does not care about candidates', () => {
    knowsServers = false;
    askInVain(10);
    expect(reach.reachesServers).toBeNull();
  });
});

describe('another instance should lead', () => {
  test('if it reaches a server, and the leader reaches none', () => {
    askInVain(5);
    expect(reach.isOutdoneBy([other], 'a')).toBe(true);
  });

  test.each([
    ['it does not know', { ...other, reachesServers: null }],
    ['it reaches none either', { ...other, reachesServers: false }],
    ['it has gone', { ...other, isThere: false }],
    ['it is this instance', { ...other, id: 'a' }],
  ])('but not if %s', (_name, instance) => {
    askInVain(5);
    expect(reach.isOutdoneBy([instance], 'a')).toBe(false);
  });

  test('but not if the leader reaches one', () => {
    askInVain(5);
    reach.noteAnswered();
    expect(reach.isOutdoneBy([other], 'a')).toBe(false);
  });
});
