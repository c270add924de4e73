import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import { Reach } from '../../../server/pubsub/reach.js';
import { serverIds } from '../machines/support/scriptedFleet.js';

const [first = '' as ServerId, second = '' as ServerId] = serverIds(2);
const other = { id: 'b', isThere: true, reachesServers: true };

let nowMs: number;
let known: ServerId[];
let reach: Reach;

beforeEach(() => {
  nowMs = 0;
  known = [first, second];
  reach = new Reach({
    clock: { monotonicMs: () => nowMs },
    isKnown: (server) => known.includes(server),
    knowsServers: () => known.length > 0,
  });
});

/** Asks a server each second, in vain. */
const askInVain = (seconds: number, server = first) => {
  for (let i = 0; i < seconds; i += 1) {
    reach.noteBegun(server);
    nowMs += 1000;
    reach.noteFailed(server);
  }
};
const answer = (server = first) => {
  reach.noteBegun(server);
  reach.noteAnswered(server);
};

describe('a leader', () => {
  test('does not know whether it reaches its servers before it has asked', () => {
    nowMs = 60_000;
    expect(reach.reachesServers).toBeNull();
  });

  test('reaches them once one has answered', () => {
    answer();
    expect(reach.reachesServers).toBe(true);
  });

  test('does not reach them if none answers for 5 s after it was asked', () => {
    answer();
    nowMs = 60_000;
    askInVain(4);
    nowMs += 999;
    expect(reach.reachesServers).toBeNull();
    nowMs += 1;
    expect(reach.reachesServers).toBe(false);
  });

  test('reaches them again with the first answer', () => {
    askInVain(10);
    answer(second);
    expect(reach.reachesServers).toBe(true);
  });

  test('reaches them while one of them is not asked because it answered: it may be seldom asked', () => {
    answer(second);
    askInVain(60, first);
    expect(reach.reachesServers).toBe(true);
    reach.noteFailed(second);
    expect(reach.reachesServers).toBe(false);
  });

  test('does not count a server that it no longer knows', () => {
    answer(second);
    askInVain(5, first);
    known = [first];
    expect(reach.reachesServers).toBe(false);
  });

  test('does not care about candidates: anybody can name one', () => {
    known = [second];
    askInVain(60, first);
    expect(reach.reachesServers).toBeNull();
  });

  test('does not care if it knows no server', () => {
    askInVain(10);
    known = [];
    expect(reach.reachesServers).toBeNull();
  });
});

describe('another instance should lead', () => {
  test('if it reaches a server, and the leader reaches none', () => {
    askInVain(5);
    expect(reach.isOutdoneBy([other], 'a')).toBe(true);
    const third = { ...other, id: 'c', reachesServers: false };
    expect(reach.isOutdoneBy([third, other], 'a')).toBe(true);
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
    answer();
    expect(reach.isOutdoneBy([other], 'a')).toBe(false);
  });
});
