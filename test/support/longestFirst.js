/**
 * Jest's order of test files. Jest starts the longest ones first, if it has times of an earlier run. On a fresh
 * machine it has none, and takes large files for long ones: then long ones often begin when all others are done.
 */
import TestSequencer from '@jest/test-sequencer';

/** Where the longest files are, and those that mostly wait. What only computes fills the gaps at the end. */
const longest = [
  'test/worlds/',
  'test/proofs/deploy/dockerfile',
  'test/proofs/hosts/',
  'test/proofs/cluster/',
  'test/proofs/faults/leaks',
  'test/proofs/checkFaults',
  'test/proofs/demo/',
  'test/system/browser/',
  'test/system/process',
  'test/proofs/',
  'test/system/',
];

const rankOf = ({ path }) => {
  const rank = longest.findIndex((folder) => path.includes(`/${folder}`));
  return rank < 0 ? longest.length : rank;
};

export default class LongestFirst extends TestSequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const isTimed = sorted.some(({ duration }) => duration !== undefined);
    return isTimed ? sorted : sorted.toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}
