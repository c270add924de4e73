import { expect, test } from '@jest/globals';
import { type Bug, bugs } from './bugs.js';
import { makeMachines } from './machines.js';
import { roomBugs } from './rooms/roomBugs.js';
import { simulatedRoom } from './rooms/roomSlots.js';
import { RoomWorld } from './rooms/roomWorld.js';
import { liveThrough, runWorld } from './runWorld.js';

/** Enough for each of them; the first one that finds it ends the search. */
const maxWorlds = 1000;
/** Seeds that found one late in that range: tried first, to be quick. */
const quickSeeds = [125, 128, 239, 419, 442, 725, 770];

function firstBroken(bug: Bug): string | undefined {
  const machines = makeMachines(bug);
  const seeds = [...quickSeeds, ...Array.from({ length: maxWorlds }, (_, i) => i + 1)];
  for (const seed of seeds) {
    const { broken } = runWorld(seed, { machines, bug });
    if (broken !== undefined) return broken;
  }
  return undefined;
}

test('these are a dozen mistakes and more', () => {
  expect(Object.keys(bugs).length).toBeGreaterThan(12);
});

test.each(Object.entries(bugs))('that %s is found', (_, bug) => {
  expect(firstBroken(bug)).toMatch(/^(\d|one request)/);
});

test.each(Object.entries(roomBugs))('that %s is found in the worlds of rooms', (_, spoil) => {
  const machine = spoil(simulatedRoom);
  const seeds = Array.from({ length: maxWorlds }, (_, i) => i + 1);
  const live = (seed: number) => liveThrough(seed, new RoomWorld(seed, { machine }));
  expect(seeds.find((seed) => live(seed).broken !== undefined)).toBeDefined();
});
