import { expect, test } from '@jest/globals';
import { bugs } from './bugs.js';
import { roomBugs } from './rooms/roomBugs.js';
import { type Kind, kinds, spoiltKind, type WorldKind } from './worldKinds.js';

/** Enough for each of them; the first one that finds it ends the search. */
const maxWorlds = 1000;
/** Some of them that found one which is seldom found: tried first, to be quick. */
const quickSeeds: Readonly<Record<WorldKind, readonly number[]>> = {
  service: [42, 57, 125, 128, 290, 442, 725, 770, 863, 604, 115, 203],
  rooms: [],
};

/** The first promise broken that begins so. */
function firstBroken(kind: WorldKind, spoilt: Kind | undefined, breaks: string) {
  const seeds = [...quickSeeds[kind], ...Array.from({ length: maxWorlds }, (_, i) => i + 1)];
  for (const seed of seeds) {
    const { broken } = spoilt?.live(seed) ?? {};
    if (broken?.startsWith(breaks)) return broken;
  }
  return undefined;
}

test('these are two dozen mistakes and more, and the seeds are of the worlds that are searched', () => {
  expect(Object.keys(bugs).length).toBeGreaterThan(24);
  expect(Math.max(...quickSeeds.service)).toBeLessThanOrEqual(maxWorlds);
});

test.each(Object.entries(bugs))('that %s is found', (name, { breaks }) => {
  expect(firstBroken('service', spoiltKind('service', name), breaks)).toBeDefined();
});

test.each(Object.entries(roomBugs))('that %s is found in the worlds of rooms', (name, bug) => {
  expect(firstBroken('rooms', spoiltKind('rooms', name), bug.breaks)).toBeDefined();
});

test.each(['service', 'rooms'] as const)('nothing is found where nothing is wrong (%s)', (kind) => {
  const seeds = [...quickSeeds[kind], ...Array.from({ length: 100 }, (_, i) => i + 1)];
  expect(seeds.flatMap((seed) => kinds[kind].live(seed).broken ?? [])).toEqual([]);
});
